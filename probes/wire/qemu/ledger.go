package qemu

import "virtscope/probes/wire/tcp"

// A ledger counts pages by epoch, and finds from the pages where rounds begin.
//
// QEMU walks the blocks in their order, over and over, and sends each page that is dirty in its bitmap, clearing its bit. So
// a page that is sent was found clean, or cleaned, when the walk came by last, one lap before: between then and now lies a
// synchronisation. A round begins with the first page whose last visit lies in the round before: this is proof.
// Synchronisations that the pages do not prove may lie between two rounds; hence wire.syncs is a lower bound.
type ledger struct {
	blocks blocks
	epochs []epoch
	base   int // number of epochs[0]
	total  sums

	proven   int   // synchronisations between rounds that pages prove, each as late as can be
	sure     int   // epoch that the last of them lies before
	sureWalk int64 // walk coordinate of its begin
	pending  proof // what main has to confirm
	bias     int   // epochs that were made beside those that the stream counts
	twice    int64 // page records of a page that had passed in the same epoch
	first    int   // the epoch in which the round that goes on began
	rounds   []Round
	proofs   bool // pages prove rounds: the guest runs at the source

	ordered bool  // one channel sends pages in the walk's order
	lap     int64 // laps of the walk
	// skips: XBZRLE sends nothing for a page that has not changed, so that the walk goes further than the last page that passed.
	skips   bool
	at      int64   // its place in the lap: the page that was sent last
	shift   int     // epoch that a cell's value 0 stands for
	window  float64 // s of sending that QEMU leaves to the stop: downtime-limit
	size    int64   // B of a page
	resumed bool    // the next page is the first behind a hole
	lost    bool    // bytes are missing: counts are lower bounds
	coarse  bool    // epochs are not sections: multifd channels are in step once a lap only
	main    int     // epoch that the main channel is in
	told    int     // rounds whose begin was passed on
	settled int     // rounds whose books are closed
	began   func(*Round)
}

// epoch gives epoch e, and makes it and those before it where they are new.
func (l *ledger) epoch(e int) *epoch {
	for e-l.base >= len(l.epochs) {
		l.epochs = append(l.epochs, epoch{walk: l.walk() + 1})
	}
	return &l.epochs[max(e-l.base, 0)]
}

// start says when epoch e began: with the first byte of it on any channel.
func (l *ledger) start(e int, begin, queued tcp.Stamp) {
	ep := l.epoch(e)
	if ep.started {
		return
	}
	ep.started, ep.begin, ep.queued = true, begin, queued
	ep.walk = l.walk() + 1
	l.resumed = l.resumed || l.skips
}

// walk is the coordinate of the last page in the walk.
func (l *ledger) walk() int64 { return l.lap*l.blocks.pages + l.at }

// page counts a page record of size B that passes in epoch e.
func (l *ledger) page(b *block, number int64, k kind, size int64, e int, at tcp.Stamp) {
	if b.anyOf {
		l.ordered = false // nobody knows where the walk is
		ep := l.epoch(e)
		ep.sums.pages[k]++
		ep.sums.bytes[k] += size
		return
	}
	l.skips = l.skips || k == kindXBZRLE
	c := l.blocks.cell(b, number)
	if l.proofs {
		l.prove(b, number, c, e, at)
	}
	ep := l.epoch(e)
	ep.sums.pages[k]++
	ep.sums.bytes[k] += size
	if c == nil {
		return
	}
	first := l.first
	if e < first {
		first = l.firstOf(e)
	}
	sent := l.read(*c)
	if sent < first {
		s := ep.of(b.index)
		s.span++
		if sent >= 0 {
			s.resent++
		}
	}
	if e > sent {
		*c = l.mark(e)
	}
}

// never is the epoch of a page that did not pass.
const never = -1

// read gives the epoch that a cell tells.
func (l *ledger) read(c cell) int {
	if c == 0 {
		return never
	}
	return l.shift + int(c)
}

// mark is the cell of a page that passes in epoch e.
func (l *ledger) mark(e int) cell {
	if e-l.shift > maxCell {
		l.reshift()
	}
	return cell(min(max(e-l.shift, 1), maxCell))
}

const maxCell = 1<<16 - 1

// reshift makes room in cells for later epochs: those before the round that goes on are told apart no more.
func (l *ledger) reshift() {
	by := l.first - 1 - l.shift
	if by <= 1 {
		return
	}
	l.shift += by
	l.blocks.each(func(c *cell) {
		if *c != 0 {
			*c = cell(max(int(*c)-by, 1))
		}
	})
}

// prove looks whether this page proves a synchronisation.
func (l *ledger) prove(b *block, number int64, c *cell, e int, at tcp.Stamp) {
	if l.ordered {
		l.step(b.base + number)
		if l.resumed { // what the walk passed in the hole, it passed before this epoch
			l.resumed, l.epoch(e).walk = false, l.walk()
		}
		visit := l.walk() - l.blocks.pages // of this page, one lap ago
		if visit >= l.sureWalk {
			l.proven++
			l.sureWalk, l.sure = l.epoch(e).walk, e
		}
		if visit >= l.epoch(l.first).walk {
			if lo := l.epochAt(visit) + 1; lo <= e {
				l.begin(lo, e, at)
				return
			}
		}
	}
	if c == nil {
		return
	}
	sent := l.read(*c)
	switch {
	case sent == e: // QEMU 7.2 with multifd: it may queue a page twice
		l.twice++
	case sent > e && e >= min(l.first, l.sure): // another channel was faster
		l.again(e, sent, at)
	case sent >= min(l.first, l.sure) && sent < e:
		l.again(sent, e, at)
	}
}

// again takes a page that passed in epoch was, and passes in epoch e: a synchronisation lies between. What main has not announced yet waits for it:
// it may be the stop.
func (l *ledger) again(was, e int, at tcp.Stamp) {
	if e > l.main {
		if l.pending.e == 0 {
			l.pending = proof{was, e, at}
		}
		return
	}
	if was >= l.sure {
		l.proven++
		l.sure, l.sureWalk = e, l.epoch(e).walk
	}
	if was >= l.first {
		l.begin(was+1, e, at)
	}
}

// A proof is a page that passed in two epochs.
type proof struct {
	was, e int
	at     tcp.Stamp
}

// resume takes up the proof that waited for the main channel.
func (l *ledger) resume() {
	p := l.pending
	if p.e == 0 || p.e > l.main {
		return
	}
	l.pending = proof{}
	if l.proofs {
		l.again(p.was, p.e, p.at)
	}
}

// nearby is how far a deflating thread's page may come behind its turn.
const nearby = 64

// step moves the walk to a page.
func (l *ledger) step(place int64) {
	if l.at-place > nearby {
		l.lap++
	}
	l.at = place
}

// epochAt is the epoch in which the walk came by coordinate w.
func (l *ledger) epochAt(w int64) int {
	lo, hi := l.first, l.base+len(l.epochs)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if l.epoch(mid).walk <= w {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}
