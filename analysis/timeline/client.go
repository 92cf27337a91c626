package timeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A probe is one echo request.
type probe struct {
	sent, answered int64 // ns; answered is 0 if it never was
}

// client is the outage as the echo probes show it. All times are the client's; one clock, so no offset enters.
//
// Every probe says something of the service: one that was sent at t and answered at a found it alive at some instant in
// [t+u, a−d], where u and d are the least times of the ways there and back, and u+d is the shortest round trip seen. One
// that was never answered, or was held up (later than any trip that is late by less than
// an interval), found it dead from t+u on (until a−d).
// Between two arrivals the service was therefore dead for at most
//
//	high = (next arrival − d) − (latest probe answered before + u)
//
// and at least from the first dead instant to the last:
//
//	low = last dead − first dead − J
//
// where J, the jitter, covers what the way there may vary. In a train of interval I that lost k probes, low ≈ (k−1)·I and
// high ≈ (k+1)·I. The value is the middle without J: k·I, within one interval. When late answers come as the service
// wakes, its end is known better and the bounds are half as wide. A path whose delay varies by more than an interval looks like small outages: the noise floor shows them.
func (x *index) client(o observation) Outage {
	probes := x.probes()
	if len(probes) == 0 {
		return noView(BlackoutClient, "there was no echo probe")
	}
	asked := x.byName[results.EchoInterval]
	if len(asked) == 0 {
		return noView(BlackoutClient, "the echo probe did not tell of all probes: what had no answer is not known")
	}
	train := newTrain(probes, asked[0].Value)
	if len(train.arrivals) == 0 {
		return noView(BlackoutClient, fmt.Sprintf("none of %d probes was ever answered", len(probes)))
	}
	out := view(BlackoutClient, train.gaps(o.span), o)
	lost, run := train.losses(o.span)
	out.Detail = append(out.Detail,
		fmt.Sprintf("%d probes were lost, at most %d in a row, at an interval of %s", lost, run, quantity.Duration(train.interval)),
		fmt.Sprintf("shortest round trip %s, jitter %s", quantity.Duration(seconds(train.shortest)), quantity.Duration(seconds(train.jitter))))
	return out
}

func (x *index) probes() []probe {
	var list []probe
	for _, r := range x.byName[results.EchoRTT] {
		if r.Value >= 0 && r.Value < 1e6 {
			list = append(list, probe{r.Time, r.Time + max(1, int64(math.Round(r.Value*1e9)))})
		}
	}
	for _, r := range x.byName[results.EchoLost] {
		list = append(list, probe{sent: r.Time})
	}
	slices.SortStableFunc(list, func(a, b probe) int { return cmp.Compare(a.sent, b.sent) })
	return list
}

// A train is the probes of one trial.
type train struct {
	probes   []probe // by time of sending
	arrivals []probe // the answered ones, by time of arrival
	interval float64 // s
	shortest int64   // ns, the shortest round trip
	jitter   int64   // ns, by how much 99 % of the prompt round trips are longer at most
	late     int64   // ns: a round trip that is longer by more was held up, not merely slow
}

// newTrain takes probes by time of sending and the interval that was asked for, in s.
func newTrain(probes []probe, asked float64) *train {
	t := &train{probes: probes}
	var trips []int64
	for _, p := range probes {
		if p.answered != 0 {
			t.arrivals = append(t.arrivals, p)
			trips = append(trips, p.answered-p.sent)
		}
	}
	slices.SortStableFunc(t.arrivals, func(a, b probe) int { return cmp.Compare(a.answered, b.answered) })
	slices.Sort(trips)
	t.interval = asked
	if len(trips) == 0 {
		return t
	}
	t.shortest = trips[0]
	// A trip that is longer by an interval or more belongs to a stall, which is what is to be measured.
	prompt := sort.Search(len(trips), func(i int) bool { return seconds(trips[i]-t.shortest) >= t.interval })
	if prompt > 0 {
		t.jitter = int64(quantile(trips[:prompt], 0.99)) - t.shortest
		t.late = trips[prompt-1] - t.shortest
	}
	return t
}

// gaps lists what lies between arrivals. Each begins when the latest probe that had been answered by then was sent: late
// answers, which come all at once as the service wakes, prove no life after that. So gaps of late answers overlap. The last one is open if probes were lost after all answers, before the end of w.
func (t *train) gaps(w window) []gap {
	var gaps []gap
	alive := int64(math.MinInt64) // the latest sending time of the probes that were answered so far
	for i := 0; i+1 < len(t.arrivals); i++ {
		alive = max(alive, t.arrivals[i].sent)
		gaps = append(gaps, t.gap(alive, t.arrivals[i+1]))
	}
	last := t.arrivals[len(t.arrivals)-1]
	alive = max(alive, last.sent)
	first, final := t.dead(alive, w.to, math.MaxInt64)
	if final >= first {
		low := seconds(max(0, final-first-t.jitter))
		gaps = append(gaps, gap{
			from: alive, to: max(last.answered, w.to), open: true,
			outage: quantity.AtLeast(low, results.Seconds, "no probe was answered again while the guest was observed"),
		})
	}
	return gaps
}

func (t *train) gap(alive int64, next probe) gap {
	high := next.answered - alive - t.shortest
	first, last := t.dead(alive, next.answered, next.answered)
	if late := next.answered - t.shortest; next.sent > alive && late-next.sent > t.late {
		first, last = min(first, next.sent), max(last, late)
	}
	var low int64
	if last > first {
		low = min(last-first, high)
	}
	g := gap{from: alive, to: next.answered}
	g.outage = quantity.Within(seconds(low+high)/2, seconds(max(0, low-t.jitter)), seconds(high), results.Seconds)
	return g
}

// dead is when the first and the last probe were sent, after from and up to until, that had no answer before answer.
// First is after last if there is none.
func (t *train) dead(from, until, answer int64) (first, last int64) {
	first, last = math.MaxInt64/2, math.MinInt64/2
	i := sort.Search(len(t.probes), func(i int) bool { return t.probes[i].sent > from })
	for ; i < len(t.probes) && t.probes[i].sent <= until; i++ {
		p := t.probes[i]
		if p.answered == 0 || (p.answered > answer && answer-t.shortest-p.sent > t.late) {
			first, last = min(first, p.sent), max(last, p.sent)
		}
	}
	return first, last
}

// losses counts the probes within w that were never answered, and the longest run of them.
func (t *train) losses(w window) (lost, run int) {
	current := 0
	for _, p := range t.probes {
		if !w.holds(p.sent) {
			continue
		}
		if p.answered != 0 {
			current = 0
			continue
		}
		lost++
		current++
		run = max(run, current)
	}
	return lost, run
}
