package offset_test

import (
	"errors"
	"io"
	"testing"
	"time"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/offset"
	"virtscope/probes/capture/packet"
)

// Two ends of one link, captured by tcpdump on one clock, in nanoseconds and microseconds; the second file was then
// moved by -3.7 s (editcap -t).
func TestRealCaptures(t *testing.T) {
	t.Parallel()
	e := offset.New()
	for side, path := range []string{"testdata/a.pcap", "testdata/b.pcapng"} {
		f, err := file.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var p packet.Packet
		for {
			frame, err := f.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Decode(frame.Link, frame.Data, frame.Length); err != nil {
				t.Fatal(err)
			}
			e.Add(offset.Side(side), frame.Time, &p)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r := e.Estimate()
	const truth = -3700 * time.Millisecond
	if !r.Known || r.Offset-r.Bound > truth || r.Offset+r.Bound < truth {
		t.Fatalf("got %+v, want %v", r, truth)
	}
	if r.Bound > time.Millisecond || r.Packets < 50 {
		t.Fatalf("got %+v", r)
	}
	t.Logf("%v ± %v from %d packets of %d connections", r.Offset, r.Bound, r.Packets, r.Connections)
}
