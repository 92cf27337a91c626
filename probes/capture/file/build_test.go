package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"virtscope/probes/capture"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// order is what a builder of captures needs.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// orders are both byte orders.
var orders = map[string]order{"little": binary.LittleEndian, "big": binary.BigEndian}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// load reads a fixture.
func load(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	must(tb, err)
	return data
}

// all reads all frames, whose data it copies.
func all(tb testing.TB, f *File) (frames []capture.Frame) {
	tb.Helper()
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		must(tb, err)
		frame.Data = bytes.Clone(frame.Data)
		frames = append(frames, frame)
	}
}

// read reads a whole capture.
func read(tb testing.TB, data []byte) (*File, []capture.Frame) {
	tb.Helper()
	f, err := New(bytes.NewReader(data), "test")
	must(tb, err)
	frames := all(tb, f)
	must(tb, f.Close())
	return f, frames
}

// same compares frames.
func same(tb testing.TB, got, want []capture.Frame) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Time != w.Time || g.Length != w.Length || g.Interface != w.Interface || g.Link != w.Link || !bytes.Equal(g.Data, w.Data) {
			tb.Fatalf("frame %d is\n%+v, want\n%+v", i, g, w)
		}
	}
}

// linkTypes of the links, as files number them.
var linkTypes = []uint32{1, 113, 276, 101, 0, 147}

// pcapOf writes frames as pcap.
func pcapOf(o order, magic uint32, unit int64, frames []capture.Frame) []byte {
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = o.AppendUint32(o.AppendUint32(b, 262144), linkTypes[frames[0].Link])
	for _, f := range frames {
		for _, v := range []int64{f.Time / 1e9, f.Time % 1e9 / unit, int64(len(f.Data)), int64(f.Length)} {
			b = o.AppendUint32(b, uint32(v))
		}
		if magic == pcapMagicModify {
			b = append(b, 0, 0, 0, 9, 8, 0, 4, 0)
		}
		b = append(b, f.Data...)
	}
	return b
}

// An option is one of a pcapng block.
type option struct {
	code  uint16
	value []byte
}

// ngBlock is a block of pcapng.
func ngBlock(o order, kind uint32, body []byte, options ...option) []byte {
	b := slices.Clone(body)
	pad := func() { b = append(b, make([]byte, -len(b)&3)...) }
	pad()
	for _, x := range options {
		b = o.AppendUint16(o.AppendUint16(b, x.code), uint16(len(x.value)))
		b = append(b, x.value...)
		pad()
	}
	if len(options) > 0 {
		b = append(b, 0, 0, 0, 0)
	}
	total := uint32(len(b) + ngHead)
	return o.AppendUint32(append(o.AppendUint32(o.AppendUint32(nil, kind), total), b...), total)
}

func ngHeader(o order, options ...option) []byte {
	b := o.AppendUint16(o.AppendUint16(o.AppendUint32(nil, ngOrder), 1), 0)
	return ngBlock(o, ngSection, append(b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), options...)
}

func ngPortBlock(o order, linkType uint16, snap uint32, options ...option) []byte {
	return ngBlock(o, ngInterface, o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, linkType), 0), snap), options...)
}

// ngEPB is an enhanced packet block.
func ngEPB(o order, id uint32, at uint64, length int, data []byte, options ...option) []byte {
	b := o.AppendUint32(nil, id)
	b = o.AppendUint32(o.AppendUint32(b, uint32(at>>32)), uint32(at))
	b = o.AppendUint32(o.AppendUint32(b, uint32(len(data))), uint32(length))
	return ngBlock(o, ngEnhanced, append(b, data...), options...)
}

// ngOf writes frames of one interface as pcapng.
func ngOf(o order, frames []capture.Frame) []byte {
	b := ngHeader(o, option{3, []byte("a system")})
	b = append(b, ngPortBlock(o, uint16(linkTypes[frames[0].Link]), 262144, option{2, []byte("eth0")}, option{9, []byte{9}})...)
	for _, f := range frames {
		b = append(b, ngEPB(o, 0, uint64(f.Time), f.Length, f.Data)...)
	}
	return b
}

// packed compresses.
func packed(tb testing.TB, data []byte, how string) []byte {
	tb.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch how {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	default:
		return data
	}
	must(tb, err)
	_, err = w.Write(data)
	must(tb, errors.Join(err, w.Close()))
	return b.Bytes()
}
