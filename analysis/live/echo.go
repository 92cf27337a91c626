package live

import (
	"math"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// recentTrips is how many round trips percentiles are taken of at most, and recentSpan of how long.
const (
	recentTrips = 4096
	recentSpan  = int64(5e9)
)

type trip struct {
	at  int64
	rtt float64
}

// echo is what the client's probes show. They come in the order in which they were sent.
type echo struct {
	interval float64 // s, as asked for; 0 if not told
	count    int64
	lostAll  int64

	alive     int64 // when the last answered probe was sent; 0 is none
	run       int64 // unanswered in a row, now
	firstLost int64
	lastLost  int64

	longest quantity.Quantity // the longest run since the action was asked for
	held    float64           // s: the longest round trip since then
	ring    []trip
	next    int
}

// restart begins to count anew, as the action is asked for.
func (e *echo) restart() { e.longest, e.held = quantity.Quantity{}, 0 }

func (e *echo) answered(at int64, rtt float64, action int64) {
	if !(rtt >= 0 && rtt < 1e6) {
		return
	}
	e.count++
	if e.run > 0 {
		if q := e.lasted(at, action); q.Known && q.Value > e.longest.Value {
			e.longest = q
		}
		e.run = 0
	}
	e.alive = at
	if action != 0 && at >= action {
		e.held = max(e.held, rtt)
	}
	if len(e.ring) < recentTrips {
		e.ring = append(e.ring, trip{at, rtt})
		return
	}
	e.ring[e.next] = trip{at, rtt}
	e.next = (e.next + 1) % recentTrips
}

// lasted is how long the run that ends with the probe sent at next was: between its probes at least, and between the
// answered ones around it at most. What came before the action is not its.
func (e *echo) lasted(next, action int64) quantity.Quantity {
	if action == 0 || next <= action {
		return quantity.Quantity{}
	}
	low := seconds(max(0, e.lastLost-max(e.firstLost, action)))
	before := max(e.alive, action)
	if e.alive == 0 {
		before = max(e.firstLost, action)
	}
	high := seconds(next - before)
	return quantity.Within((low+high)/2, low, high, results.Seconds)
}

func (e *echo) lost(at, action int64) {
	e.count++
	e.lostAll++
	if e.run == 0 {
		e.firstLost = at
	}
	e.run++
	e.lastLost = at
}

// outage is the longest run of unanswered probes since the action was asked for.
func (t *trial) outage() quantity.Quantity {
	e := &t.echo
	switch {
	case e.count == 0 && t.closed() && t.state != results.StateCollect:
		return quantity.Unknown(results.Seconds, "there was no echo probe")
	case e.count == 0:
		return quantity.Unknown(results.Seconds, "an echo probe tells when it ends")
	case t.actionBegin == 0:
		return quantity.Unknown(results.Seconds, "the action has not begun")
	case e.alive == 0:
		return quantity.Unknown(results.Seconds, "no probe was answered")
	}
	if e.run > 0 {
		low := seconds(max(0, e.lastLost-max(e.firstLost, t.actionBegin)))
		if low >= e.longest.Value {
			return quantity.AtLeast(low, results.Seconds, "no probe was answered again")
		}
	}
	if !e.longest.Known {
		return quantity.Within(0, 0, e.interval, results.Seconds)
	}
	return e.longest
}

// trips are percentiles of the round trips of the last seconds that were told.
func (t *trial) trips() (p50, p99 quantity.Quantity) {
	e := &t.echo
	var newest int64 = math.MinInt64
	for _, s := range e.ring {
		newest = max(newest, s.at)
	}
	var list []quantity.Quantity
	for _, s := range e.ring {
		if s.at >= newest-recentSpan {
			list = append(list, quantity.Exactly(s.rtt, results.Seconds))
		}
	}
	list = slices.Clip(list)
	none := t.outage().Why
	if none == "" || e.count > 0 {
		none = "no probe was answered"
	}
	return quantity.Quantile(list, 0.5, results.Seconds, none), quantity.Quantile(list, 0.99, results.Seconds, none)
}
