package report

import (
	"math"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A span is from the shortest to the longest, in s.
type span struct{ least, most float64 }

// text writes a span with two significant digits, in one unit unless its ends are too far apart for one.
func (s span) text() string {
	factor, unit := quantity.ScaleOf(s.most, results.Seconds)
	small, smallUnit := quantity.ScaleOf(s.least, results.Seconds)
	low, high := twoDigits(s.least/factor), twoDigits(s.most/factor)
	switch {
	case low == high:
		return high + " " + unit
	case s.least > 0 && s.least/factor < 0.1:
		return twoDigits(s.least/small) + " " + smallUnit + "–" + high + " " + unit
	}
	return low + "–" + high + " " + unit
}

func twoDigits(v float64) string {
	d := 0
	if v > 0 {
		d = min(3, max(0, 1-int(math.Floor(math.Log10(v)))))
	}
	return strconv.FormatFloat(v, 'f', d, 64)
}
