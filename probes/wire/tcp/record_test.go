package tcp

import (
	"bytes"
	"fmt"
	"testing"
	"virtscope/probes/capture/packet"
)

// A hole is a gap that was given.
type hole struct{ offset, n int64 }

// recorder checks a Consumer's contract, and keeps what it was given: content with zeros in the gaps, and a log.
type recorder struct {
	tb      testing.TB
	content []byte // nil is not kept
	keep    bool
	log     []string
	next    int64
	gaps    []hole
	ends    int
}

func (r *recorder) Data(offset int64, data []byte, at Stamp) {
	r.contract("Data", offset, int64(len(data)))
	if r.keep {
		r.content = append(r.content, data...)
	}
	if len(data) < 40 {
		r.log = append(r.log, fmt.Sprintf("%d %s #%d", offset, data, at.Packet))
	}
}

func (r *recorder) Gap(offset, n int64, at Stamp) {
	r.contract("Gap", offset, n)
	r.log = append(r.log, fmt.Sprintf("%d gap %d #%d", offset, n, at.Packet))
	if k := len(r.gaps); k > 0 && r.gaps[k-1].offset+r.gaps[k-1].n == offset {
		r.gaps[k-1].n += n
	} else {
		r.gaps = append(r.gaps, hole{offset, n})
	}
	if r.keep {
		r.content = append(r.content, bytes.Repeat([]byte{0}, int(n))...)
	}
}

func (r *recorder) End(how End, at Stamp) {
	r.contract("End", r.next, 1)
	r.ends++
	r.log = append(r.log, fmt.Sprintf("%s #%d", how, at.Packet))
}

func (r *recorder) contract(call string, offset, n int64) {
	if r.ends > 0 {
		r.tb.Errorf("%s at %d after End", call, offset)
	}
	if offset != r.next {
		r.tb.Errorf("%s at %d, want %d", call, offset, r.next)
	}
	if n <= 0 {
		r.tb.Errorf("%s of %d B at %d", call, n, offset)
	}
	if call != "End" {
		r.next += n
	}
}

const (
	syn = packet.FlagSYN
	ack = packet.FlagACK
	fin = packet.FlagFIN
	rst = packet.FlagRST
)

// A wire feeds a Connection; numbers and times of its packets grow by 1 and by 1 ms.
type wire struct {
	*Connection
	got    [2]*recorder
	number int64
	now    int64 // ns
}

func newWire(tb testing.TB, o Options) *wire {
	w := &wire{got: [2]*recorder{{tb: tb}, {tb: tb}}}
	w.Connection = New(w.got[0], w.got[1], o)
	return w
}

// A pkt is a packet of a table. Its zero direction is Forward.
type pkt struct {
	dir     Direction
	flags   packet.Flags
	seq     uint32
	ack     uint32 // sets FlagACK
	data    string
	length  int   // 0 is len(data)
	vantage int   //
	after   int64 // ms since the packet before; 0 is 1
	another bool  // what Packet shall return
}

func (w *wire) send(tb testing.TB, p pkt) {
	tb.Helper()
	w.number++
	w.now += max(1, p.after) * 1e6
	if p.ack != 0 {
		p.flags |= ack
	}
	in := packet.Packet{Kind: packet.TCP, Seq: p.seq, Ack: p.ack, Flags: p.flags, Payload: []byte(p.data), PayloadLength: max(p.length, len(p.data))}
	if got := w.Packet(p.dir, &in, p.vantage, Stamp{w.now, w.number}); got != p.another {
		tb.Errorf("packet %d: another %v, want %v", w.number, got, p.another)
	}
	clear(in.Payload) // nothing may be kept of it
}

func (w *wire) finish() { w.End(Stamp{w.now, w.number}) }
