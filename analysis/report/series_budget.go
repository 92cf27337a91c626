package report

import (
	"fmt"
	"math"
	"slices"
)

// pageBudget is how large a page may be, in bytes. A browser opens it in a second or two.
const pageBudget = 32 << 20

// fitSeries thins the series of all trials until their base64 text takes at most room bytes: each trace to at most so many points, the
// same for all, by the least and the largest of a number of points in a row. Short traces stay whole. It says what it did; "" is nothing.
func fitSeries(all []Series, room int) (note string, err error) {
	size := func() (n int) {
		for _, s := range all {
			n += (len(s) + 2) / 3 * 4
		}
		return n
	}
	if size() <= room {
		return "", nil
	}
	var counts []int
	total := 0
	for _, s := range all {
		if len(s) == 0 {
			continue
		}
		head, _, err := s.unpack()
		if err != nil {
			return "", err
		}
		for _, t := range head.Traces {
			counts = append(counts, t.N)
			total += t.N
		}
	}
	cost := float64(size()) / float64(max(1, total)) // of a point
	most := level(counts, float64(max(0, room))/cost)
	whole := slices.Clone(all)
	for range 20 {
		for i := range all {
			if all[i], err = whole[i].thinned(most); err != nil {
				return "", err
			}
		}
		if size() <= room || most <= fewestPoints {
			break
		}
		most = max(fewestPoints, most*4/5)
	}
	if slices.EqualFunc(all, whole, func(a, b Series) bool { return len(a) == len(b) }) {
		return fmt.Sprintf("This page is larger than %d MiB: its series are many, and each is short.", pageBudget>>20), nil
	}
	larger := ""
	if size() > room {
		larger = " It is larger all the same: its series are many."
	}
	return fmt.Sprintf("All readings of all trials would make this page larger than %d MiB.%s Series of more than %d points are thinned to that, by the least and the largest of some readings in a row, so no peak is lost; beside each chart stands of how many. The records have all.",
		pageBudget>>20, larger, most), nil
}

// fewestPoints are left of a trace however small the budget is: a screen is not much wider.
const fewestPoints = 1000

// level is the largest number that, if none of counts is larger, keeps their sum at most room.
func level(counts []int, room float64) int {
	slices.Sort(counts)
	for i, n := range counts {
		left := float64(len(counts) - i)
		if float64(n)*left > room {
			return max(fewestPoints, int(room/left))
		}
		room -= float64(n)
	}
	return math.MaxInt
}

// thinned is s with at most so many points in each trace, about.
func (s Series) thinned(most int) (Series, error) {
	if len(s) == 0 {
		return s, nil
	}
	head, list, err := s.unpack()
	if err != nil {
		return nil, err
	}
	changed := false
	for i, p := range list {
		if len(p.t) > most {
			list[i], changed = p.thinned((2*len(p.t)+most-1)/most), true
		}
	}
	if !changed {
		return s, nil
	}
	return packSeries(head, list)
}

// thinned keeps of each by points in a row the least and the largest, in the order of time, and one gap if there is any.
func (p packable) thinned(by int) packable {
	out := p
	out.t, out.v, out.Of, out.By = nil, nil, len(p.t), by
	for from := 0; from < len(p.t); from += by {
		to := min(from+by, len(p.t))
		for _, i := range p.extremes(from, to) {
			out.t, out.v = append(out.t, p.t[i]), append(out.v, p.v[i])
		}
	}
	return out
}

// extremes are the places of the least and the largest value and of the first gap, in order, each once.
func (p packable) extremes(from, to int) []int {
	low, high, gap := -1, -1, -1
	for i := from; i < to; i++ {
		v := p.v[i]
		if math.IsNaN(float64(v)) {
			if gap < 0 {
				gap = i
			}
			continue
		}
		if low < 0 || v < p.v[low] {
			low = i
		}
		if high < 0 || v > p.v[high] {
			high = i
		}
	}
	list := slices.DeleteFunc([]int{low, high, gap}, func(i int) bool { return i < 0 })
	slices.Sort(list)
	return slices.Compact(list)
}
