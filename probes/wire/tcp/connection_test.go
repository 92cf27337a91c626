package tcp

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A script is packets, and what they must give. Packets are numbered from 1; "/" parts the log's calls.
type script struct {
	name             string
	options          Options
	packets          []pkt
	forward, reverse string // logs
	stats            Stats  // of forward, but for stamps and flags
}

func TestConnection(t *testing.T) {
	for _, tests := range [][]script{orderScripts, acknowledgeScripts, openScripts, jumpScripts} {
		for _, s := range tests {
			t.Run(s.name, func(t *testing.T) { s.run(t) })
		}
	}
}

func (s script) run(t *testing.T) {
	w := newWire(t, s.options)
	for _, p := range s.packets {
		w.send(t, p)
	}
	w.finish()
	for dir, want := range []string{s.forward, s.reverse} {
		if want == "" {
			continue
		}
		if got := strings.Join(w.got[dir].log, " / "); got != want {
			t.Errorf("direction %d:\n got %s\nwant %s", dir, got, want)
		}
	}
	for dir, r := range w.got {
		if r.ends != 1 {
			t.Errorf("direction %d ended %d times", dir, r.ends)
		}
	}
	ignore := cmpopts.IgnoreFields(Stats{}, "First", "Last", "LastData", "SYN", "FIN", "RST")
	if diff := cmp.Diff(s.stats, w.Stats(Forward), ignore); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	for dir := range w.half {
		if q := w.half[dir].queue; q.size != 0 || len(q.list) != 0 {
			t.Errorf("direction %d keeps %d pieces, %d B", dir, len(q.list), q.size)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	open := []pkt{
		{flags: syn, seq: 99},
		{dir: Reverse, flags: syn, seq: 499, ack: 100, after: 7},
		{seq: 100, ack: 500, after: 2},
	}
	again := []pkt{open[0], open[0], open[1], open[2]}
	elsewhere := []pkt{open[0], {flags: syn, seq: 99, vantage: 3}, open[1], {dir: Reverse, flags: syn, seq: 499, ack: 100, vantage: 3}, open[2]}
	for _, c := range []struct {
		name           string
		packets        []pkt
		server, client time.Duration
		ok             bool
	}{
		{"one vantage", open, 7 * time.Millisecond, 2 * time.Millisecond, true},
		{"two vantages", elsewhere, 8 * time.Millisecond, 3 * time.Millisecond, true},
		{"SYN twice", again, 0, 0, false},
		{"no SYN", open[1:], 0, 0, false},
		{"no ACK", open[:2], 0, 0, false},
		{"ACK lost", append(open[:2:2], pkt{seq: 104, ack: 510}), 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, Options{})
			for _, p := range c.packets {
				w.send(t, p)
			}
			server, client, ok := w.RoundTrip()
			if server != c.server || client != c.client || ok != c.ok {
				t.Errorf("got %v %v %v, want %v %v %v", server, client, ok, c.server, c.client, c.ok)
			}
		})
	}
}

func TestStamps(t *testing.T) {
	w := newWire(t, Options{})
	for _, p := range []pkt{
		{flags: syn, seq: 99}, {seq: 103, data: "def"}, {seq: 100, data: "abc"}, {seq: 100, data: "abc"}, {flags: fin, seq: 106},
	} {
		w.send(t, p)
	}
	s := w.Stats(Forward)
	if !s.SYN || !s.FIN || s.RST || s.First.Packet != 1 || s.Last.Packet != 5 || s.LastData.Packet != 2 {
		t.Errorf("got %+v", s)
	}
	if w.Closed() {
		t.Error("closed, though one direction is open")
	}
	w.send(t, pkt{dir: Reverse, flags: fin, seq: 700, ack: 107})
	if !w.Closed() {
		t.Error("not closed after FIN from both")
	}
	if s := w.Stats(Reverse); !s.FIN || s.SYN {
		t.Errorf("got %+v", s)
	}
}

// Where the clock stands still, packets are the margin.
func TestMarginPackets(t *testing.T) {
	w := newWire(t, Options{})
	w.send(t, pkt{seq: 100, data: "abc"})
	w.send(t, pkt{dir: Reverse, seq: 500, ack: 110})
	for i := range marginPackets {
		if n := len(w.got[0].gaps); n != 0 {
			t.Fatalf("%d gaps after %d packets", n, i)
		}
		w.now = 0
		w.send(t, pkt{dir: Reverse, seq: 500, ack: 110})
	}
	if diff := cmp.Diff([]hole{{3, 7}}, w.got[0].gaps, cmp.AllowUnexported(hole{})); diff != "" {
		t.Fatal(diff)
	}
}

// A live connection that falls silent is settled by the clock.
func TestSettle(t *testing.T) {
	w := newWire(t, Options{})
	w.send(t, pkt{seq: 100, data: "abc"})
	w.send(t, pkt{dir: Reverse, seq: 500, ack: 110})
	w.Settle(Stamp{w.now + margin - 1, 2})
	if n := len(w.got[0].gaps); n != 0 {
		t.Fatalf("%d gaps before the margin", n)
	}
	w.Settle(Stamp{w.now + margin, 2})
	if diff := cmp.Diff([]hole{{3, 7}}, w.got[0].gaps, cmp.AllowUnexported(hole{})); diff != "" {
		t.Fatal(diff)
	}
	w.send(t, pkt{dir: Reverse, flags: rst, seq: 500})
	w.Settle(Stamp{w.now + margin, 3})
	if !w.Closed() {
		t.Error("not closed, a margin after RST")
	}
}
