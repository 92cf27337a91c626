package qemu

import (
	"time"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// How a round begins: attr "how" of wire.round.
const (
	howStart    = "start"
	howAgain    = "again"
	howFinal    = "final"
	howPostCopy = "postcopy"
)

// QEMU's default of downtime-limit, s.
const defaultDowntime = 0.3

var kindNames = [kinds]string{
	results.PageNormal, results.PageZero, results.PageXBZRLE, results.PageCompressed, results.PageMultifd, results.PageUnknown,
}

// open begins a round with epoch c; the truth lies between the begins of epochs lo and hi.
func (l *ledger) open(how string, c, lo, hi int) *Round {
	if n := len(l.rounds); n > 0 && l.rounds[n-1].end == 0 {
		l.rounds[n-1].end = c
	}
	l.first = c
	l.rounds = append(l.rounds, Round{
		Number: len(l.rounds) + 1, How: how, first: c,
		Begin: l.epoch(c).begin, Earliest: l.epoch(lo).queued, Latest: l.epoch(hi).begin,
	})
	return &l.rounds[len(l.rounds)-1]
}

// begin puts a proven synchronisation before one of the epochs lo to e.
func (l *ledger) begin(lo, e int, at tcp.Stamp) {
	c := e
	if !l.coarse {
		c = l.guess(lo, e)
	}
	r := l.open(howAgain, c, lo, e)
	if l.coarse { // an epoch is as long as a round
		r.Earliest, r.Latest = l.epoch(lo-1).queued, at
	}
	l.tell()
}

// tell passes on the rounds whose first epoch has begun on the main channel, too; only then is it known what they are.
func (l *ledger) tell() {
	for ; l.told < len(l.rounds); l.told++ {
		r := &l.rounds[l.told]
		if r.first > l.main {
			return
		}
		l.began(r)
	}
}

// guess puts a synchronisation where QEMU makes it: at the first boundary at which what was left to send, which is what passed from there to
// the page that proved it, took less than downtime-limit at the bandwidth of the last 100 ms (migration_iteration_run).
func (l *ledger) guess(lo, e int) int {
	c, left := e, int64(0)
	for t := e; t >= lo; t-- {
		if t < e {
			left += l.epoch(t).sums.count() * l.size
		}
		rate := l.bandwidth(t)
		if rate == 0 || float64(left) >= rate*l.window {
			break
		}
		c = t
	}
	return c
}

// bandwidth is B/s in the 100 ms before epoch t, or as much of them as the round has; 0: unknown.
func (l *ledger) bandwidth(t int) float64 {
	end := l.epoch(t).begin.Time
	bytes := int64(0)
	for s := t - 1; s >= l.base; s-- {
		bytes += l.epoch(s).sums.stream
		if span := end - l.epoch(s).begin.Time; span >= int64(95*time.Millisecond) {
			return float64(bytes) / (float64(span) / 1e9)
		}
	}
	return 0
}

func (s *sums) count() (n int64) {
	for _, pages := range s.pages {
		n += pages
	}
	return n
}

// firstOf is the first epoch of the round that epoch e belongs to.
func (l *ledger) firstOf(e int) int {
	for i := len(l.rounds) - 1; i >= 0; i-- {
		if l.rounds[i].first <= e {
			return l.rounds[i].first
		}
	}
	return 0
}

// settle closes the books of rounds that ended before epoch e, in which every channel is by now.
func (l *ledger) settle(e int, closed func(*Round)) {
	for i := l.settled; i < len(l.rounds); i++ {
		r := &l.rounds[i]
		if r.end == 0 || r.end > e {
			return
		}
		l.sum(r)
		closed(r)
		l.settled = i + 1
		l.retire(r.end)
	}
}

// sum adds up a round's epochs.
func (l *ledger) sum(r *Round) {
	end := r.end
	if end == 0 {
		end = l.base + len(l.epochs)
	}
	var total sums
	r.blocks, r.Span, r.Resent = nil, 0, 0
	for e := max(r.first, l.base); e < end; e++ {
		ep := l.epoch(e)
		total.add(&ep.sums)
		for i, s := range ep.spans {
			for len(r.blocks) <= i {
				r.blocks = append(r.blocks, spans{})
			}
			r.blocks[i].span += s.span
			r.blocks[i].resent += s.resent
			r.Span += s.span
			r.Resent += s.resent
		}
	}
	r.Bytes = total.stream
	r.Pages = map[string]int64{}
	for k, n := range total.pages {
		if n > 0 {
			r.Pages[kindNames[k]] = n
		}
	}
}

// retire forgets epochs before e, but for their sums.
func (l *ledger) retire(e int) {
	n := min(e-l.base, len(l.epochs)-1)
	if n <= 0 {
		return
	}
	for i := range n {
		l.total.add(&l.epochs[i].sums)
	}
	l.epochs = l.epochs[:copy(l.epochs, l.epochs[n:])]
	l.base += n
}

// totals are the sums of all epochs.
func (l *ledger) totals() sums {
	t := l.total
	for i := range l.epochs {
		t.add(&l.epochs[i].sums)
	}
	return t
}
