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
}

// lagLimit is how far arrivals may lag behind the guest's clock on median, compared with the promptest, for that clock to be believed.
const lagLimit = int64(50e6) // ns

// A counter is the readings, placed in time.
//
// A reading was true when the guest spoke, and arrives later, by more when the machine is busy or when the guest was
// stopped meanwhile. The guest's clock runs with the host's while the guest does and stands still while it is stopped. So,
// on either side of the stop, a reading is placed where the guest's clock puts it, as far behind it as the promptest
// arrival of that side was. Where the lags differ too much for that, or the stop is not known, the arrival stands. While
// the guest is stopped, the counter stands still.
type counter struct {
	knots []knot
	slack int64 // ns by which a reading may be misplaced
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
	stopped := w.Stop != 0 && w.Resume > w.Stop
	before := len(list)
	if stopped {
		before = spokenBefore(list, w)
		c.slack = max(place(list[:before]), place(list[before:]))
	} else {
		c.slack = longestStep(list, w.Baseline)
	}
	for i, r := range list {
		if stopped && i < before {
			r.at = min(r.at, w.Stop)
		} else if stopped {
			r.at = max(r.at, w.Resume)
		}
		if n := len(c.knots); n > 0 && r.at <= c.knots[n-1].at {
			c.knots[n-1].value = r.value // several at once: the last one holds
			continue
		}
		if stopped && i == before && i > 0 {
			c.standStill(w, r)
		}
		c.knots = append(c.knots, knot{r.at, r.value})
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
		c.knots = append(c.knots, knot{w.Stop, value})
	}
	if next.at > w.Resume {
		c.knots = append(c.knots, knot{w.Resume, value})
	}
}

// doubt is how far beyond the stop a reading may seem to be spoken that was spoken before it, in ns: lags vary.
const doubt = int64(5e6)

// spokenBefore is how many readings were spoken before the guest stopped: those that arrived before it ran again, and those
// whose clock shows no later time than the guest's did at the stop. They are in order.
func spokenBefore(list []reading, w Windows) int {
	n := sort.Search(len(list), func(i int) bool { return list[i].at >= w.Resume })
	lag, ok := promptest(list[:n])
	for ok && n < len(list) && list[n].mono >= 0 && list[n].mono+lag <= w.Stop+doubt {
		n++
	}
	return n
}

// promptest is the least lag of the host's clock behind the guest's; ok is false if one does not tell its clock.
func promptest(list []reading) (lag int64, ok bool) {
	for i, r := range list {
		if r.mono < 0 {
			return 0, false
		}
		if d := r.at - r.mono; i == 0 || d < lag {
			lag = d
		}
	}
	return lag, len(list) > 0
}

// place moves readings to where the guest's clock puts them, if it can be believed, and returns by how much they may be misplaced.
func place(list []reading) (slack int64) {
	least, ok := promptest(list)
	if !ok {
		return longestStep(list, Window{0, maxTime})
	}
	lags := make([]int64, len(list))
	for i, r := range list {
		lags[i] = r.at - r.mono - least
	}
	slices.Sort(lags)
	median := lags[len(lags)/2]
	if median > lagLimit {
		return longestStep(list, Window{0, maxTime})
	}
	for i := range list {
		list[i].at = list[i].mono + least
	}
	return median
}

// longestStep is the longest time between two readings in a window.
func longestStep(list []reading, w Window) (step int64) {
	for i := 1; i < len(list); i++ {
		if list[i-1].at >= w.From && list[i].at <= w.To {
			step = max(step, list[i].at-list[i-1].at)
		}
	}
	return step
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

// bins cuts the counter into bins, one of which begins with the action.
func (c *counter) bins(width int64, w Windows) []bin {
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
