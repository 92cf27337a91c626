package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/probes/capture"
)

// Damage in the middle is told with its place, after the frames before it.
func TestDamage(t *testing.T) {
	t.Parallel()
	o := binary.LittleEndian
	frames := []capture.Frame{{Data: []byte("abcd"), Length: 4, Time: 1e18}, {Data: []byte("efgh"), Length: 4, Time: 1e18}}
	plain := pcapOf(o, pcapMagicMicro, 1000, frames)
	at := pcapHead + pcapRecord + 4
	patch := func(data []byte, at int, v uint32) []byte {
		data = bytes.Clone(data)
		o.PutUint32(data[at:], v)
		return data
	}
	head := slices.Concat(ngHeader(o), ngPortBlock(o, 1, 0), ngEPB(o, 0, 1, 4, []byte("abcd")))
	ng := func(blocks ...[]byte) []byte { return slices.Concat(head, slices.Concat(blocks...)) }
	good := ngEPB(o, 0, 1, 4, []byte("efgh"))
	for _, c := range []struct {
		name string
		data []byte
		at   int
		want string
	}{
		{"length", patch(plain, at+8, maxFrame+1), at, "16777217"},
		{"captured more than passed", patch(plain, at+8, 5), at, "5 bytes were captured of a frame of 4"},
		{"fraction", patch(plain, at+4, 1_000_001), at, "1000001"},
		{"cat", append(bytes.Clone(plain[:at]), plain...), at, "mergecap"},
		{"compressed", packed(t, patch(plain, at+8, maxFrame+1), "gzip"), at, "uncompressed"},
		{"block length", ng(patch(good, 4, maxBlock+4)), len(head), "17825796"},
		{"no length", ng(patch(good, 4, 8)), len(head), "claims 8"},
		{"lengths differ", ng(patch(good, len(good)-4, 99)), len(head), "99 at its end"},
		{"interface", ng(ngEPB(o, 7, 1, 4, nil)), len(head), "interface 7"},
		{"data", ng(patch(good, 20, 5)), len(head), "claims 5"},
		{"ng captured more than passed", ng(patch(good, 24, 3)), len(head), "4 bytes were captured of a frame of 3"},
		{"option length", ng(patch(ngPortBlock(o, 1, 0, option{2, []byte("abc")}), 16, 99<<16|2)), len(head), "99 bytes"},
		{"short packet", ng(ngBlock(o, ngEnhanced, make([]byte, 16))), len(head), "16 bytes of the 20"},
		{"short old packet", ng(ngBlock(o, ngPacket, make([]byte, 16))), len(head), "16 bytes of the 20"},
		{"short interface", ng(ngBlock(o, ngInterface, make([]byte, 4))), len(head), "4 bytes"},
		{"short simple", ng(ngBlock(o, ngSimple, nil)), len(head), "0 bytes"},
		{"short statistics", ng(ngBlock(o, ngStatistics, nil)), len(head), "0 bytes"},
		{"statistics of none", ng(ngBlock(o, ngStatistics, bytes.Repeat([]byte{9}, 12))), len(head), "151587081"},
		{"short section", ng(ngBlock(o, ngSection, []byte{0x4d, 0x3c, 0x2b, 0x1a})), len(head), "4 bytes"},
		{"byte order", ng(ngBlock(o, ngSection, make([]byte, 20))), len(head), "byte-order"},
		{"simple without interface", ng(ngHeader(o), ngBlock(o, ngSimple, make([]byte, 8))), len(head) + 28, "no interface"},
	} {
		f, err := New(bytes.NewReader(c.data), "x.pcap")
		must(t, err)
		n := 0
		for ; err == nil; n++ {
			_, err = f.Next()
		}
		n-- // the call that failed
		var damage *DamageError
		if !errors.As(err, &damage) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if n != 1 || damage.Packet != 2 || damage.Offset != int64(c.at) || damage.File != "x.pcap" {
			t.Errorf("%s: after %d frames, %+v, want at %d", c.name, n, damage, c.at)
		}
		if s := err.Error(); !strings.Contains(s, c.want) || !strings.Contains(s, "x.pcap") || !strings.Contains(s, "1-1") {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
		if _, again := f.Next(); !errors.Is(again, err) {
			t.Errorf("%s: then %v", c.name, again)
		}
	}
}

func TestNoCapture(t *testing.T) {
	t.Parallel()
	o := binary.BigEndian
	version := ngHeader(o)
	version[13] = 2
	old := pcapOf(o, pcapMagicMicro, 1000, []capture.Frame{{}})
	old[5] = 9
	large := packed(t, load(t, "gso.pcap"), "xz")
	large[16] = 40 // of the head of the LZMA2 filter
	zst := packed(t, load(t, "gso.pcap"), "zstd")
	gz := packed(t, load(t, "gso.pcap"), "gzip")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "empty"},
		"text":            {[]byte("No packets captured.\n"), `text that begins with "No packets`},
		"short text":      {[]byte("hi\n"), "text"},
		"binary":          {[]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0}, "7f 45 4c 46"},
		"pcap head":       {[]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0}, "6 of the 24 B"},
		"ng head":         {ngHeader(o)[:20], "20 of the 28 B"},
		"ng version":      {version, "2.0"},
		"xz dictionary":   {large, "dictionary of 4096 MiB"},
		"zstd window":     {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 1, 0, 0}, "--long=31"},
		"pcap version":    {old, "9.4"},
		"gzip of text":    {packed(t, []byte("hello"), "gzip"), "text"},
		"gzip of none":    {packed(t, nil, "gzip"), "empty"},
		"gzip head":       {gz[:5], "compressed"},
		"zstd head":       {zst[:4], "compressed"},
		"damaged in xz":   {append([]byte("\xfd7zXZ\x00"), make([]byte, 40)...), "decompress"},
		"damaged section": {ngBlock(o, ngSection, make([]byte, 20)), "byte-order"},
	} {
		f, err := New(bytes.NewReader(c.data), "x")
		if err == nil {
			_, err = f.Next()
		}
		if err == nil || !strings.Contains(err.Error(), "read capture x: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := Open(missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("got %v", err)
	}
	f, err := Open("testdata/raw.pcap")
	must(t, err)
	must(t, errors.Join(f.Close(), f.Close()))
	if _, err := f.Next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A broken stream is an error, not an end.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	_, frames := read(t, load(t, "gso.pcap"))
	for len(frames) < 3_000 {
		frames = append(frames, frames...)
	}
	for _, how := range []string{"gzip", "zstd", "xz"} {
		data := packed(t, pcapOf(binary.LittleEndian, pcapMagicNano, 1, frames), how)
		for i := range 64 {
			data[len(data)/2+i] ^= 0x5a
		}
		f, err := New(bytes.NewReader(data), "x."+how)
		for err == nil {
			_, err = f.Next()
		}
		var damage *DamageError // what comes out of a damaged stream before it is noticed may be damaged, too
		if !errors.As(err, &damage) && !strings.Contains(err.Error(), "compressed data is damaged") || !strings.Contains(err.Error(), "x."+how) {
			t.Errorf("%s: %v", how, err)
		}
	}
}
