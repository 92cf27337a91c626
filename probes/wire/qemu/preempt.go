package qemu

import (
	"fmt"
	"virtscope/probes/wire/tcp"
)

// A preemptChannel parses the channel on which pages that the destination waits for overtake the others.
type preemptChannel struct {
	stream
	walker
	m         *Migration
	lostFrom  int64
	lost      bool
	undecoded int64
}

func newPreempt(m *Migration) *preemptChannel {
	p := &preemptChannel{m: m}
	p.parse, p.gap = p.step, p.lose
	p.end = func(tcp.End, tcp.Stamp) {
		if p.lost {
			rest := p.off + int64(len(p.carry)) - p.lostFrom
			p.undecoded += rest
			m.contents(p, p.lostFrom, rest)
		}
		p.count = m.main.count
		p.book(p.off)
	}
	p.walker = walker{m: m, s: &p.stream, self: p}
	p.done = p.passed
	return p
}

func (p *preemptChannel) step(b []byte) (n, need int) {
	p.count = p.m.main.count
	if p.lost {
		return p.stepLost(b)
	}
	n, need, out := p.pages(b)
	switch out {
	case moreBytes:
		return 0, need
	case consumed:
		return n, 0
	case special:
		if r, _, _ := readRecord(b, p.m.ledger.size); r.flags == flagEOS || r.flags == flagFlush {
			return 8, 0
		}
	}
	p.m.damage("preempt", forward, p.off, p.stamp(0), fmt.Sprintf("no page record: % x", b[:min(len(b), 8)]))
	p.lost, p.lostFrom = true, p.off
	return 1, 0
}

func (p *preemptChannel) stepLost(b []byte) (n, need int) {
	look := looker{pageSize: p.m.ledger.size, known: &p.m.ledger.blocks}
	for i := range b {
		v, need := look.chain(b[i:])
		if v == no {
			continue
		}
		if i > 0 {
			return i, 0
		}
		if v == undecided {
			return 0, need
		}
		p.lost = false
		p.undecoded += p.off - p.lostFrom
		p.m.contents(p, p.lostFrom, p.off-p.lostFrom)
		p.m.resync("preempt", forward, p.off, p.off-p.lostFrom, p.stamp(0))
		return p.step(b)
	}
	return len(b), 0
}

func (p *preemptChannel) lose(offset, n int64, at tcp.Stamp) {
	p.block, p.waits = nil, false
	if p.lost {
		return
	}
	p.m.damage("preempt", forward, offset, at, fmt.Sprintf("%d B are missing", n))
	p.lost, p.lostFrom = true, offset
}
