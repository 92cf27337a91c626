// Package histogram keeps the distribution of times in fixed memory.
package histogram

import (
	"math"
	"math/bits"
)

const steps = 64

// Times is a histogram of times in ns, 0 to the largest int64, with 64 steps an octave: a quantile is off by less than
// 0.8 %, and below 64 ns it is exact. The zero value is empty. Add allocates nothing.
type Times struct {
	bins     [59 * steps]int64
	count    int64
	sum      float64
	min, max int64
}

// Add counts a time in ns. A negative one, as clocks of two sources may give, counts as 0.
func (t *Times) Add(ns int64) {
	ns = max(ns, 0)
	if t.count == 0 || ns < t.min {
		t.min = ns
	}
	t.max = max(t.max, ns)
	t.count++
	t.sum += float64(ns)
	t.bins[binOf(ns)]++
}

// Count is how many times were added.
func (t *Times) Count() int64 { return t.count }

// Min is the shortest time in ns; 0 if there is none.
func (t *Times) Min() int64 { return t.min }

// Max is the longest time in ns; 0 if there is none.
func (t *Times) Max() int64 { return t.max }

// Mean is the mean in ns; 0 if there is none.
func (t *Times) Mean() float64 {
	if t.count == 0 {
		return 0
	}
	return t.sum / float64(t.count)
}

// Quantile is the smallest time, in ns and within 0.8 %, that a share q (0 to 1) of all does not exceed; 0 if there is none.
func (t *Times) Quantile(q float64) float64 {
	want := max(1, int64(math.Ceil(q*float64(t.count))))
	seen := int64(0)
	for bin, n := range t.bins {
		seen += n
		if n > 0 && seen >= want {
			return min(max(middle(bin), float64(t.min)), float64(t.max))
		}
	}
	return float64(t.max)
}

func binOf(ns int64) int {
	if ns < steps {
		return int(ns)
	}
	shift := bits.Len64(uint64(ns)) - 7 // leaves 64 to 127
	return (shift+1)*steps + int(ns>>shift) - steps
}

func middle(bin int) float64 {
	if bin < steps {
		return float64(bin)
	}
	shift := bin/steps - 1
	return float64(int64(bin%steps+steps)<<shift) + float64(int64(1)<<shift-1)/2
}
