package plan

import (
	"math"
	"virtscope/experiments/spec"
)

// An area is memory that the guest writes evenly.
type area struct {
	size    float64 // B
	rate    float64 // B/s
	inOrder bool    // from end to end, over and over; else at random
}

// areasOf are what w writes. The load on a key-value server is taken as even over its values.
func areasOf(w spec.Workload) []area {
	var areas []area
	set := float64(w.WorkingSet)
	if w.Has("dirty") || w.Has("replay") {
		rate := float64(w.Rate)
		if w.Has("replay") {
			rate = meanRate(w)
		}
		if w.Pattern == "hot-spot" {
			areas = append(areas, area{set * w.HotShare, rate * w.HotWrites, false}, area{set * (1 - w.HotShare), rate * (1 - w.HotWrites), false})
		} else {
			areas = append(areas, area{set, rate, w.Pattern == "sequential"})
		}
	}
	if kind := w.Serves(); kind == "kv" || kind == "redis" {
		size := float64(w.KV.Keys) * float64(w.KV.ValueSize)
		write := max(pageSize, float64(w.KV.ValueSize))
		areas = append(areas, area{size, float64(w.KV.Requests) * (1 - w.KV.Gets) * write, false})
	}
	return areas
}

// meanRate is that of a replay's trace over its period, in B/s.
func meanRate(w spec.Workload) float64 {
	points, err := w.TracePoints()
	if err != nil {
		return 0 // reported when the experiment was read
	}
	var sum float64
	for i, p := range points[:len(points)-1] {
		sum += float64(p.Rate) * (points[i+1].At - p.At).Seconds()
	}
	return sum / points[len(points)-1].At.Seconds()
}

// dirtied is how much is dirty after a time of s seconds at a share of the rates: of an area that is written evenly at random, each page
// is missed with the probability exp(-written/size).
func (c *memoryCopy) dirtied(s, share float64) float64 {
	var sum float64
	for _, a := range c.areas {
		written := a.rate * share * s
		switch {
		case a.inOrder:
			sum += min(a.size, written)
		case a.size > 0:
			sum += a.size * -math.Expm1(-written/a.size)
		}
	}
	return sum
}

// limit holds all areas together to rate in B/s.
func (c *memoryCopy) limit(rate float64) {
	var sum float64
	for _, a := range c.areas {
		sum += a.rate
	}
	if sum <= rate {
		return
	}
	for i := range c.areas {
		c.areas[i].rate *= rate / sum
	}
}
