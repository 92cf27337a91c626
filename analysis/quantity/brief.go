package quantity

import (
	"math"
	"virtscope/results"
)

// Duration writes s seconds with three significant digits or so.
func Duration(s float64) string { return DurationTo(s, Nearest) }

// DurationTo is Duration, rounded to a side.
func DurationTo(s float64, side Side) string {
	return Bound(s, math.Abs(s)/100, results.Seconds, side)
}

// Brief writes a time with three significant digits or so, however narrow its bounds; a dash if it is not known.
func Brief(q Quantity) string {
	if !q.Known || q.Censored {
		return Cell(q)
	}
	return Duration(q.Value)
}

// Percent writes a share in whole percent; a dash if it is not known.
func Percent(q Quantity) string {
	switch {
	case !q.Known:
		return "—"
	case q.Censored:
		return "≥ " + Fixed(q.Value, 0.01, 0, Down) + " %"
	}
	return Fixed(q.Value, 0.01, 0, Nearest) + " %"
}
