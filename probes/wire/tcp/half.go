package tcp

import (
	"math"
	"virtscope/probes/capture/packet"
)

// A half is one direction.
type half struct {
	consumer Consumer
	base     uint32 // sequence number of offset 0
	started  bool   // base is known
	ended    bool
	next     int64 // offset of the next byte to give
	limit    int64 // where the stream ends: FIN's offset, next once the direction has ended, or none
	fin      Stamp // of FIN
	queue    queue
	all      spans     // what passed any vantage
	passed   []passage // by vantage
	recent   int       // index of the last one
	known    bool      // an acknowledgement was seen
	acked    uint32    // before base is known: the last acknowledgement
	highest  int64     // once it is: the highest acknowledged offset
	doubt    doubt
	run      run
	stats    Stats
}

const none = math.MaxInt64

func newHalf(c Consumer, o Options) half {
	return half{consumer: c, limit: none, queue: queue{pool: o.Pool, limit: o.Buffer}}
}

// A passage is what passed a vantage.
type passage struct {
	vantage                     int
	spans                       spans
	segments, resent, reordered int64
}

// mostVantages bounds the list: the last one stands for all that follow.
const mostVantages = 64

// at returns the passage of a vantage: a few of them, so a list will do.
func (d *half) at(vantage int) *passage {
	if d.recent < len(d.passed) && d.passed[d.recent].vantage == vantage {
		return &d.passed[d.recent]
	}
	for i := range d.passed {
		if d.passed[i].vantage == vantage {
			d.recent = i
			return &d.passed[i]
		}
	}
	if len(d.passed) == mostVantages {
		d.recent = len(d.passed) - 1
		return &d.passed[d.recent]
	}
	d.recent = len(d.passed)
	d.passed = append(d.passed, passage{vantage: vantage})
	return &d.passed[d.recent]
}

func (p *passage) add(lo, hi int64) {
	p.segments++
	beyond := hi - lo // of it, what is behind the highest byte so far
	if len(p.spans) > 0 {
		beyond = max(0, min(beyond, hi-p.spans.top()))
	}
	fresh := p.spans.add(lo, hi)
	p.resent += hi - lo - fresh
	if fresh > beyond {
		p.reordered++
	}
}

func (d *half) total() Stats {
	s := d.stats
	for _, p := range d.passed {
		s.Segments, s.Resent, s.Reordered = max(s.Segments, p.segments), max(s.Resent, p.resent), max(s.Reordered, p.reordered)
	}
	return s
}

func (d *half) seen(at Stamp) {
	if d.stats.First == (Stamp{}) {
		d.stats.First = at
	}
	d.stats.Last = at
}

// start sets offset 0.
func (d *half) start(seq uint32) {
	d.started, d.base = true, seq
	if d.known {
		d.highest = int64(int32(d.acked - seq))
	}
}

// expected is the sequence number of the next byte to give.
func (d *half) expected() uint32 { return d.base + uint32(d.next) }

// ahead is how far a sequence number is from the next byte: its meaning, within 2 GiB either way.
func (d *half) ahead(seq uint32) int64 { return int64(int32(seq - d.expected())) }

// segment takes payload that begins at seq. It is false if seq makes no sense.
func (d *half) segment(seq uint32, p *packet.Packet, vantage int, at Stamp) bool {
	if !d.started {
		d.start(seq)
	}
	n := int64(max(p.PayloadLength, len(p.Payload)))
	ahead := d.ahead(seq)
	if ahead > maxWindow || ahead < -maxWindow {
		if d.limit != none || !d.jumped(seq, n, at, foreignRun, 0) {
			d.stats.Foreign++
			return false
		}
		ahead = d.jump(seq, at)
	}
	s := piece{d.next + ahead, n, p.Payload, at}
	passed := d.at(vantage)
	if n == 1 && s.end() == d.next && d.highest >= s.end() && passed.spans.top() >= s.end() && p.Flags&(packet.FlagSYN|packet.FlagFIN) == 0 {
		d.stats.Probes++ // a probe may carry one byte that the receiver has (RFC 9293, section 3.8.4)
		return true
	}
	if s.end() > d.limit {
		beyond := min(n, s.end()-d.limit)
		d.stats.AfterEnd += beyond
		if beyond == n {
			return true
		}
		s = s.head(n - beyond)
	}
	passed.add(s.offset, s.end())
	if s.offset < d.next {
		d.late(s.offset, min(s.end(), d.next))
	}
	if s.end() <= d.next {
		if d.limit == none && d.jumped(seq, s.length, at, 1, wrapRun) {
			d.jump(seq+uint32(s.length), at)
		}
		return true
	}
	d.all.add(max(s.offset, d.next), s.end())
	d.run.segments = 0
	if s.offset == d.next && len(d.queue.list) == 0 {
		d.give(s)
	} else {
		d.place(s)
	}
	d.checkFin()
	return true
}

// late takes note of bytes that were given, or given up, or that lie before offset 0.
func (d *half) late(lo, hi int64) {
	if lo < 0 {
		d.stats.Before += d.all.add(lo, min(hi, 0))
		lo = min(hi, 0)
	}
	d.stats.Late += d.all.add(lo, hi)
}

// finish takes FIN, whose sequence number is seq.
func (d *half) finish(seq uint32, at Stamp) {
	if !d.started {
		d.start(seq)
	}
	if d.limit != none {
		return
	}
	ahead := d.ahead(seq)
	if ahead < 0 || ahead > maxWindow || d.next+ahead+1 < d.highest {
		d.stats.Foreign++
		return
	}
	d.limit, d.fin, d.stats.FIN = d.next+ahead, at, true
	d.stats.AfterEnd += d.queue.cut(d.limit)
	d.checkFin()
}

// checkFin ends the direction when all bytes before FIN were given.
func (d *half) checkFin() {
	if d.next >= d.limit && !d.ended {
		d.end(Fin, d.fin)
	}
}
