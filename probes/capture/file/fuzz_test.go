package file

import (
	"bytes"
	"testing"
)

func FuzzFile(f *testing.F) {
	f.Add(load(f, "raw.pcap"))
	f.Add(load(f, "nano.pcap"))
	f.Add(load(f, "snapped.pcapng")[:900])
	_, frames := read(f, load(f, "raw.pcap"))
	for _, o := range orders {
		f.Add(pcapOf(o, pcapMagicModify, 1000, frames))
		f.Add(ngOf(o, frames))
		f.Add(append(ngOf(o, frames[:1]), ngOf(o, frames[1:])...))
	}
	f.Fuzz(attempt)
}

func FuzzCompressed(f *testing.F) {
	_, frames := read(f, load(f, "raw.pcap"))
	for _, how := range compressions[1:] {
		f.Add(packed(f, ngOf(orders["big"], frames), how))
	}
	f.Fuzz(attempt)
}

// attempt reads what may be a capture.
func attempt(t *testing.T, data []byte) {
	r, err := New(bytes.NewReader(data), "fuzz")
	if err != nil {
		return
	}
	n := int64(0)
	for ; n < 10_000; n++ {
		frame, err := r.Next()
		if err != nil {
			break
		}
		if frame.Length < len(frame.Data) || frame.Interface >= len(r.interfaces) || len(frame.Data) > maxFrame {
			t.Fatalf("frame %d: %d B of %d, interface %d", n, len(frame.Data), frame.Length, frame.Interface)
		}
	}
	if s, err := r.Stats(); err != nil || s.Frames != n || s.Dropped < 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	if part, _ := r.Truncated(); part < 0 || part > maxBlock {
		t.Fatalf("%d B left", part)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
