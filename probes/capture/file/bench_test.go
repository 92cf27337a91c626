package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"virtscope/probes/capture/packet"
)

// benchSize is the size of a generated capture.
const benchSize = 64 << 20

// generated is a pcap of TCP frames of a length.
func generated(tb testing.TB, frame int) []byte {
	tb.Helper()
	data := make([]byte, frame)
	copy(data[12:], []byte{8, 0, 0x45, 0, byte((frame - 14) >> 8), byte(frame - 14), 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 0x11, 0x5c})
	data[14+20+12] = 0x50
	b := make([]byte, 0, benchSize+frame+64)
	b = binary.LittleEndian.AppendUint32(b, pcapMagicNano)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0)
	for i := 0; len(b) < benchSize; i++ {
		for _, v := range []int{1_700_000_000 + i/1000, i % 1000 * 1000, frame, frame} {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		b = append(b, data...)
	}
	return b
}

// drain reads to the end and decodes each frame; it returns how many there were.
func drain(f *File) (n int, err error) {
	var p packet.Packet
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if err := p.Decode(frame.Link, frame.Data, frame.Length); err != nil || p.Kind != packet.TCP {
			return n, fmt.Errorf("frame %d: kind %d, %w", n, p.Kind, err)
		}
		n++
	}
}

// BenchmarkFile shows the speed of reading and decoding a file that is in the page cache.
func BenchmarkFile(b *testing.B) {
	for _, frame := range []int{1500, 65_000} {
		b.Run(fmt.Sprint(frame), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bench.pcap")
			data := generated(b, frame)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				f, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := drain(f); err != nil || n < benchSize/(frame+16) {
					b.Fatal(n, err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemory leaves the kernel out.
func BenchmarkMemory(b *testing.B) {
	for _, frame := range []int{1500, 65_000} {
		b.Run(fmt.Sprint(frame), func(b *testing.B) {
			data := generated(b, frame)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				f, err := New(bytes.NewReader(data), "bench")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := drain(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
