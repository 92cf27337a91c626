package degradation

import (
	"cmp"
	"slices"
	"sort"
)

// A reading is a cumulative counter of the guest's, as it said.
type reading struct {
	at    int64 // ns: arrival
	mono  int64 // ns of the guest's clock when it spoke; -1 if it did not say
	value float64
	late  float64 // s by which it is behind its rate; -1 if it did not say
}

// A knot is a point of the line that a counter is taken to follow.
type knot struct {
	at    int64
	value float64
	guess bool // the guest did not say so
}

// A counter is the readings, placed in time.
//
// A reading was true when the guest spoke, and arrives later, by more when the machine is busy or when the guest was
// stopped meanwhile. The guest's clock runs with the host's while the guest does and stands still while it is stopped. So,
// on either side of the stop, a reading is placed where the guest's clock puts it, as far behind it as the promptest
// arrival of that side was. Where the lags differ too much for that, or the stop is not known, the arrival stands. While
// the guest is stopped, the counter stands still.
//
// What was done between two readings was done anywhere between them. Readings that are further apart than a bin is wide
// make wider bins, and all bounds reach further by the longest step between two.
type counter struct {
	knots []knot
	slack int64 // ns by which what was done may be misplaced
	width int64 // ns of a bin
	// coarse: readings are further apart than the bins of work usually are. Each was true up to a tenth of a second before
	// it was told.
	coarse bool
}

// newCounter takes readings in any order; ok is false if they run backwards.
func newCounter(list []reading, w Windows) (c counter, ok bool) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b reading) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(list); i++ {
		if list[i].value < list[i-1].value {
			return c, false
		}
	}
	stopped := w.stopped()
	before, slack := settle(list, w)
	c.slack, c.width = slack, workBin
	if median, longest := steps(list, w); median > workBin {
		c.coarse = true
		c.slack, c.width = max(slack, longest+tenth), (median+workBin/2)/workBin*workBin
	}
	for i, r := range list {
		if n := len(c.knots); n > 0 && r.at <= c.knots[n-1].at {
			c.knots[n-1].value, c.knots[n-1].guess = r.value, false // several at once: the last one holds
			continue
		}
		if stopped && i == before && i > 0 {
			c.standStill(w, r)
		}
		c.knots = append(c.knots, knot{at: r.at, value: r.value})
	}
	return c, true
}

// standStill adds the stop between the last knot and the next reading: what was done between them was done while it ran.
func (c *counter) standStill(w Windows, next reading) {
	last := c.knots[len(c.knots)-1]
	ran := (w.Stop - last.at) + (next.at - w.Resume)
	value := last.value
	if ran > 0 {
		value += (next.value - last.value) * float64(w.Stop-last.at) / float64(ran)
	}
	if w.Stop > last.at {
		c.knots = append(c.knots, knot{w.Stop, value, true})
	}
	if next.at > w.Resume {
		c.knots = append(c.knots, knot{w.Resume, value, true})
	}
}

// at is the counter's value at a time within the knots.
func (c *counter) at(t int64) float64 {
	i := sort.Search(len(c.knots), func(i int) bool { return c.knots[i].at >= t })
	switch {
	case i == len(c.knots):
		return c.knots[i-1].value
	case i == 0 || c.knots[i].at == t:
		return c.knots[i].value
	}
	a, b := c.knots[i-1], c.knots[i]
	return a.value + (b.value-a.value)*float64(t-a.at)/float64(b.at-a.at)
}

// between bounds what was done from one time to another by what the guest said before and after them.
func (c *counter) between(from, to int64) (low, high float64) {
	first := c.knots[0].value
	said := func(t int64) (before, after float64) {
		before, after = first, c.knots[len(c.knots)-1].value
		for _, k := range c.knots {
			switch {
			case k.guess:
			case k.at >= t+tenth:
				return before, k.value
			case k.at <= t:
				before = k.value
			}
		}
		return before, after
	}
	begun, beginning := said(from)
	ended, ending := said(to)
	return max(0, ended-beginning), ending - begun
}

// bins cuts the counter into bins, one of which begins with the action.
func (c *counter) bins(w Windows) []bin {
	width := c.width
	if len(c.knots) < 2 {
		return nil
	}
	first, last := c.knots[0].at, c.knots[len(c.knots)-1].at
	if w.Baseline.length() > 0 {
		first = max(first, w.Baseline.From)
	}
	first, last = max(first, w.Action.From-horizon), min(last, w.span().To, w.Action.From+horizon)
	steps := (first - w.Action.From) / width
	if w.Action.From+steps*width < first {
		steps++
	}
	from := w.Action.From + steps*width
	var list []bin
	for ; from < last; from += width {
		to := min(from+width, last)
		list = append(list, bin{from: from, to: to, done: c.at(to) - c.at(from)})
	}
	return list
}

// horizon bounds how far from the action is looked, in ns: a day.
const horizon = int64(24 * 3600 * 1e9)
