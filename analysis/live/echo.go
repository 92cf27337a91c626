package live

import (
	"container/heap"
	"math"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// recentTrips is how many round trips percentiles are taken of at most, and recentSpan of how long, in ns.
const (
	recentTrips = 4096
	recentSpan  = int64(5e9)
)

// maxUnderWay bounds how many answers are kept that have not come yet.
const maxUnderWay = 1 << 16

// A probe is one that was answered.
type probe struct{ sent, answered int64 }

// arrivals are answers by when they came.
type arrivals []probe

func (a arrivals) Len() int           { return len(a) }
func (a arrivals) Less(i, j int) bool { return a[i].answered < a[j].answered }
func (a arrivals) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)        { *a = append(*a, x.(probe)) }
func (a *arrivals) Pop() any {
	last := len(*a) - 1
	p := (*a)[last]
	*a = (*a)[:last]
	return p
}

// echo is what the client's probes show: the longest time in which no answer came, from when the latest probe that had been
// answered was sent to the next answer. Late answers, which come all at once, prove no life after their probes were sent. It is
// what a timeline calls the raw gap of the client's view.
//
// A probe tells answers in the order of arrival while it runs, and losses at its end. Older ones told all at their end, in the
// order of sending. What is said here holds for both: that whoever is yet to be told of was answered after the newest probe
// that was told of had been sent, or never.
type echo struct {
	count    int64
	newest   int64 // when the newest probe was sent that was told of, or for which silence was
	lastLost int64 // when the last probe that was lost was sent
	silent   int64 // no answer had come until then but those that were told
	complete bool  // it is one that told all in the end
	ended    bool

	gaps     gaps
	underWay arrivals // answers that came after the newest probe was sent

	held float64 // s: the longest round trip since the action was asked for
	ring []probe
	next int
}

// over reports whether all was told. Where records are in the order of time, as a database has them, what says that all was told
// comes before it.
func (e *echo) over() bool { return e.complete && e.ended }

// gaps is the state of what lies between answers.
type gaps struct {
	alive   int64 // the latest sending time of those answered; 0 is none
	longest int64 // ns, since the action was asked for
}

// take takes in the next answer in the order of arrival. What came before the action does not count, nor what began
// when the observation was over.
func (g *gaps) take(p probe, action, collected int64) {
	if g.alive != 0 && action != 0 && p.answered > action && (collected == 0 || g.alive < collected) {
		g.longest = max(g.longest, p.answered-max(g.alive, action))
	}
	g.alive = max(g.alive, p.sent)
}

// reach takes in the answers that had come at a time from which on those come that are yet to be told of.
func (t *trial) reach(at int64) {
	e := &t.echo
	e.newest = max(e.newest, at)
	for len(e.underWay) > 0 && (e.underWay[0].answered <= e.newest || len(e.underWay) > maxUnderWay) {
		e.gaps.take(heap.Pop(&e.underWay).(probe), t.actionBegin, t.collected)
	}
}

func (t *trial) answered(at int64, rtt float64) {
	if !(rtt >= 0 && rtt < 1e6) {
		return
	}
	e := &t.echo
	e.count++
	t.reach(at)
	p := probe{at, at + max(1, int64(math.Round(rtt*1e9)))}
	heap.Push(&e.underWay, p)
	if t.actionBegin != 0 && at >= t.actionBegin {
		e.held = max(e.held, rtt)
	}
	if len(e.ring) < recentTrips {
		e.ring = append(e.ring, p)
		return
	}
	e.ring[e.next] = p
	e.next = (e.next + 1) % recentTrips
}

func (t *trial) lost(at int64) {
	t.echo.count++
	t.echo.lastLost = max(t.echo.lastLost, at)
	t.reach(at)
}

// noAnswer takes in that no answer came until then but those that were told.
func (t *trial) noAnswer(at int64) {
	t.echo.silent = max(t.echo.silent, at)
	t.reach(at)
}

// unanswered is the longest time without an answer since the action was asked for.
func (t *trial) unanswered() quantity.Quantity {
	e := &t.echo
	switch {
	case t.missing:
		return quantity.Unknown(results.Seconds, noRecords)
	case e.newest == 0 && (t.ended || t.state == results.StateTearDown):
		return quantity.Unknown(results.Seconds, "there was no echo probe")
	case e.newest == 0:
		return quantity.Unknown(results.Seconds, "no echo probe has told anything yet")
	case t.actionBegin == 0:
		return quantity.Unknown(results.Seconds, "the action has not begun")
	case e.newest <= t.actionBegin:
		return quantity.Unknown(results.Seconds, "what was told of probes does not reach the action")
	}
	g := e.settled(t.actionBegin, t.collected)
	open := max(e.lastLost, e.silent) - max(g.alive, t.actionBegin)
	switch {
	case g.alive == 0:
		return quantity.Unknown(results.Seconds, "no probe was answered")
	case open > g.longest && (t.collected == 0 || g.alive < t.collected):
		return quantity.AtLeast(seconds(open), results.Seconds, "no probe was answered again")
	case !e.over():
		return quantity.AtLeast(seconds(g.longest), results.Seconds, "the echo probe has not told all")
	}
	return quantity.Exactly(seconds(g.longest), results.Seconds)
}

// settled are the gaps with the answers that are under way. While more are to be told of, one that was sent later may have
// come before these: then the gap is as long as it is sure to be.
func (e *echo) settled(action, collected int64) gaps {
	g := e.gaps
	rest := append(arrivals(nil), e.underWay...)
	for len(rest) > 0 {
		p := heap.Pop(&rest).(probe)
		if !e.over() {
			p.answered = min(p.answered, e.newest)
		}
		g.take(p, action, collected)
	}
	return g
}

// longestTrip is that of the probes that were sent since the action was asked for.
func (t *trial) longestTrip() quantity.Quantity {
	e := &t.echo
	switch {
	case e.held == 0:
		return quantity.Unknown(results.Seconds, "no probe that was sent since the action was asked for was answered")
	case !e.over():
		return quantity.AtLeast(e.held, results.Seconds, "the echo probe has not told all")
	}
	return quantity.Exactly(e.held, results.Seconds)
}

// trips are percentiles of the round trips of the last seconds that were told.
func (t *trial) trips() (p50, p99 quantity.Quantity) {
	e := &t.echo
	newest := int64(math.MinInt64)
	for _, p := range e.ring {
		newest = max(newest, p.sent)
	}
	var list []quantity.Quantity
	for _, p := range e.ring {
		if p.sent >= newest-recentSpan {
			list = append(list, quantity.Exactly(seconds(p.answered-p.sent), results.Seconds))
		}
	}
	none := "no probe was answered"
	if e.count == 0 {
		none = t.unanswered().Why
	}
	return quantity.Quantile(list, 0.5, results.Seconds, none), quantity.Quantile(list, 0.99, results.Seconds, none)
}
