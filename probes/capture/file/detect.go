package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const (
	magicLen = 4
	// zstdWindow is the most that zstd's own command line takes by default.
	zstdWindow = 128 << 20
)

// decompress puts a decompressor in front of the feed if what comes is compressed.
func (f *File) decompress() error {
	f.in.need(magicLen)
	if err := f.in.broken(); err != nil {
		return f.unreadable(err)
	}
	head := f.in.buf[:f.in.end]
	raw := func() io.Reader { return io.MultiReader(bytes.NewReader(bytes.Clone(f.in.buf[:f.in.end])), f.in.r) }
	var r io.Reader
	var err error
	switch {
	case isGzip(head):
		r, err = gzip.NewReader(raw())
	case isZstd(head):
		var z *zstd.Decoder
		z, err = zstd.NewReader(raw(), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err == nil {
			f.closers = append(f.closers, func() error { z.Close(); return nil })
		}
		r = z
	case isXz(head):
		if err := f.checkXz(); err != nil {
			return err
		}
		r, err = xz.NewReader(raw())
	default:
		return nil
	}
	f.compressed = true
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return f.cutHead()
	case err != nil:
		return f.unreadable(err)
	}
	f.in = feed{r: r, buf: f.in.buf}
	return nil
}

// cutHead explains that too little is there to decompress anything.
func (f *File) cutHead() error {
	return fmt.Errorf("read capture %s: it ends in the head of its compressed data: copy it again", f.name)
}

func isGzip(b []byte) bool { return len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 }

func isXz(b []byte) bool { return len(b) >= magicLen && string(b[:magicLen]) == "\xfd7zX" }

// isZstd knows frames and the skippable frames that some writers put in front of them (RFC 8878, section 3.1).
func isZstd(b []byte) bool {
	if len(b) < magicLen {
		return false
	}
	m := binary.LittleEndian.Uint32(b)
	return m == 0xfd2fb528 || m&^0xf == 0x184d2a50
}

// begin reads the head of the capture.
func (f *File) begin() error {
	if !f.in.need(magicLen) {
		if err := f.in.broken(); err != nil {
			return f.unreadable(err)
		}
		if errors.Is(f.in.err, io.ErrUnexpectedEOF) {
			return f.cutHead()
		}
		if f.in.left() == 0 {
			return fmt.Errorf("read capture %s: it is empty: its writer may not have flushed it yet, or have been killed", f.name)
		}
		return f.foreign()
	}
	magic := binary.LittleEndian.Uint32(f.in.buf[f.in.at:])
	if magic == ngSection {
		return f.beginNG()
	}
	if v, ok := pcapVariantOf(magic); ok {
		return f.beginPcap(v)
	}
	return f.foreign()
}

// foreign explains that this is no capture.
func (f *File) foreign() error {
	head := f.in.buf[f.in.at:min(f.in.end, f.in.at+24)]
	remedy := "give a pcap or pcapng file, plain or compressed with gzip, zstd or xz; editcap -F pcapng converts others"
	if isText(head) {
		return fmt.Errorf("read capture %s: it is a text that begins with %q: %s", f.name, head, remedy)
	}
	return fmt.Errorf("read capture %s: it begins with the bytes % x, which is no capture: %s", f.name, head[:min(len(head), 8)], remedy)
}

func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && len(b) >= utf8.UTFMax || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return true
}

// short explains that the capture ends within its head.
func (f *File) short(what string, need int) error {
	if err := f.in.broken(); err != nil {
		return f.unreadable(err)
	}
	return fmt.Errorf("read capture %s: it ends after %d of the %d B of its %s: no packet is in it; capture again", f.name, f.in.left(), need, what)
}
