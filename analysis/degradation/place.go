package degradation

import (
	"slices"
	"sort"
)

// lagLimit is how far arrivals may lag behind the guest's clock on median, compared with the promptest, for that clock to be believed.
const lagLimit = int64(50e6) // ns

func (w Windows) stopped() bool { return w.Stop != 0 && w.Resume > w.Stop }

// settle places readings, which are in order of arrival, in time: before is how many of them were spoken before the guest
// stopped, and slack by how many ns one may be misplaced.
func settle(list []reading, w Windows) (before int, slack int64) {
	if !w.stopped() {
		return len(list), longestStep(list, w.Baseline)
	}
	before = spokenBefore(list, w)
	slack = max(place(list[:before]), place(list[before:]))
	for i, r := range list {
		if i < before {
			list[i].at = min(r.at, w.Stop)
		} else {
			list[i].at = max(r.at, w.Resume)
		}
	}
	return before, slack
}

// steps are the times between one reading and the next in which the guest ran, in ns: the median, and the longest that
// reaches into the baseline or the span.
func steps(list []reading, w Windows) (median, longest int64) {
	var all []int64
	seen := Window{w.Action.From, w.span().To}
	if w.Baseline.length() > 0 {
		seen.From = w.Baseline.From
	}
	for i := 1; i < len(list); i++ {
		b := bin{from: list[i-1].at, to: list[i].at}
		step := b.to - b.from
		if w.stopped() {
			step -= Window{w.Stop, w.Resume}.overlap(b)
		}
		all = append(all, step)
		if seen.overlap(b) > 0 {
			longest = max(longest, step)
		}
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], longest
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
