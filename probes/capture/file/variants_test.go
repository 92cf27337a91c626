package file

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"virtscope/probes/capture"
)

var compressions = []string{"plain", "gzip", "zstd", "xz"}

// A capture is the same in every format, byte order and compression, and however its bytes trickle in.
func TestVariants(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ethernet.pcap", "cooked1.pcap", "cooked2.pcap", "raw.pcap"} {
		_, want := read(t, load(t, name))
		if len(want) < 3 {
			t.Fatalf("%s has %d frames", name, len(want))
		}
		for o, order := range orders {
			for format, data := range map[string][]byte{
				"micro":    pcapOf(order, pcapMagicMicro, 1000, want),
				"nano":     pcapOf(order, pcapMagicNano, 1, want),
				"modified": pcapOf(order, pcapMagicModify, 1000, want),
				"ng":       ngOf(order, want),
			} {
				for _, how := range compressions {
					t.Run(fmt.Sprint(name, "/", o, "/", format, "/", how), func(t *testing.T) {
						t.Parallel()
						f, got := read(t, packed(t, data, how))
						same(t, got, want)
						if _, cut := f.Truncated(); cut {
							t.Error("truncated")
						}
						f, err := New(iotest.HalfReader(bytes.NewReader(packed(t, data, how))), "trickle")
						must(t, err)
						same(t, all(t, f), want)
						must(t, f.Close())
					})
				}
			}
		}
	}
}

// However short a capture was cut, the frames that are whole come, and it says what is left.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ethernet.pcap", "modified.pcap", "nano.pcap", "snapped.pcapng"} {
		data := load(t, name)
		_, want := read(t, data)
		last := 0
		for cut := range data {
			if cut > 300 && cut%11 > 0 && cut < len(data)-100 {
				continue
			}
			f, err := New(bytes.NewReader(data[:cut]), "cut")
			if err != nil {
				if last > 0 || cut > 200 {
					t.Fatalf("%s cut at %d: %v", name, cut, err)
				}
				continue
			}
			got := all(t, f)
			same(t, got, want[:len(got)])
			n, truncated := f.Truncated()
			if truncated != (n > 0) || f.in.offset()+n != int64(cut) {
				t.Fatalf("%s cut at %d: %d B left, %v", name, cut, n, truncated)
			}
			if len(got) < last || len(got) > last+1 {
				t.Fatalf("%s cut at %d: %d frames after %d", name, cut, len(got), last)
			}
			last = len(got)
		}
		if last < len(want)-1 {
			t.Fatalf("%s: %d frames of %d", name, last, len(want))
		}
	}
}

// A compressed capture that was cut gives what can be decompressed, and is no error.
func TestTruncatedCompressed(t *testing.T) {
	t.Parallel()
	noise := rand.NewChaCha8([32]byte{1})
	frames := make([]capture.Frame, 400) // 600 kB, which make several blocks
	for i := range frames {
		frames[i] = capture.Frame{Data: make([]byte, 1500), Length: 1500, Time: int64(i)}
		_, _ = noise.Read(frames[i].Data)
	}
	data := pcapOf(binary.LittleEndian, pcapMagicNano, 1, frames)
	for _, how := range compressions[1:] {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			whole := packed(t, data, how)
			f, err := New(bytes.NewReader(whole[:len(whole)*3/4]), "cut")
			must(t, err)
			got := all(t, f)
			if len(got) < len(frames)/4 || len(got) >= len(frames) {
				t.Fatalf("%d frames of %d", len(got), len(frames))
			}
			same(t, got, frames[:len(got)])
			if _, cut := f.Truncated(); !cut {
				t.Fatal("not truncated")
			}
		})
	}
}

// Super-frames, and frames much larger than the buffer, are whole.
func TestLargeFrames(t *testing.T) {
	t.Parallel()
	var frames []capture.Frame
	for i, n := range []int{60, 65_550, 524_280, 0, 1, bufferSize, bufferSize - 16, bufferSize + 1, 5 << 20, maxFrame, 60, 70_000} {
		data := make([]byte, n)
		for j := 0; j < n; j += 4099 { // a prime, so that a frame that is shifted by a block is another
			data[j] = byte(i + j>>3)
		}
		frames = append(frames, capture.Frame{Data: data, Length: n + i, Time: int64(i) * 1e9})
	}
	for name, o := range orders {
		for _, data := range [][]byte{pcapOf(o, pcapMagicMicro, 1000, frames), ngOf(o, frames)} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f, got := read(t, data)
				same(t, got, frames)
				if len(f.in.buf) > maxFrame+2*bufferSize {
					t.Errorf("buffer of %d B", len(f.in.buf))
				}
			})
		}
	}
}

// What came through a pipe is given at once, though its writer waits.
func TestPipe(t *testing.T) {
	t.Parallel()
	_, frames := read(t, load(t, "ethernet.pcap"))
	for _, how := range compressions[:1] {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r, w := io.Pipe()
			go func() { // a write blocks until all of it was read
				_, _ = w.Write(pcapOf(binary.BigEndian, pcapMagicMicro, 1000, frames)[:pcapHead])
			}()
			f, err := New(r, "pipe")
			must(t, err)
			for i := range frames {
				go func() {
					_, _ = w.Write(pcapOf(binary.BigEndian, pcapMagicMicro, 1000, frames[i:i+1])[pcapHead:])
				}()
				got, err := f.Next()
				must(t, err)
				same(t, []capture.Frame{got}, frames[i:i+1])
			}
			must(t, w.Close())
			if _, err := f.Next(); err != io.EOF { //nolint:errorlint // it is documented so
				t.Fatalf("got %v", err)
			}
		})
	}
}

// Reading allocates nothing per frame.
func TestNextAllocatesNothing(t *testing.T) {
	_, frames := read(t, load(t, "ethernet.pcap"))
	for len(frames) < 20_000 {
		frames = append(frames, frames...)
	}
	for name, data := range map[string][]byte{
		"pcap": pcapOf(binary.LittleEndian, pcapMagicMicro, 1000, frames), "ng": ngOf(binary.BigEndian, frames),
	} {
		f, err := New(bytes.NewReader(data), name)
		must(t, err)
		allocs := testing.AllocsPerRun(10_000, func() {
			if _, err := f.Next(); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations a frame", name, allocs)
		}
	}
}
