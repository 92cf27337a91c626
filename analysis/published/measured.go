package published

import (
	"fmt"
	"math"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// measured is a figure with what is known of its error.
type measured struct {
	value           float64
	atLeast, atMost bool // censored: the truth is on that side of value
	known           bool
	interval        bool // low and high are an interval; high may be +Inf
	low, high       float64
	ranged          bool // from and to are the range of the trials
	from, to        float64
	why             string // why there is no interval, or what limits it
}

// less is m − x.
func (m measured) less(x float64) measured {
	m.value, m.low, m.high, m.from, m.to = m.value-x, m.low-x, m.high-x, m.from-x, m.to-x
	return m
}

// within judges m against what was published: a number, a range, or a bound, where one end is infinite.
func (m measured) within(low, high float64) (Verdict, string) {
	switch {
	case !m.interval:
		return Open, m.why
	case m.high < low || m.low > high:
		return Disagrees, m.why
	case math.IsInf(high, 1) && m.low < low, math.IsInf(low, -1) && m.high > high:
		return Open, join("the interval holds what was published and what it excludes", m.why)
	}
	return Agrees, m.why
}

// direction judges m by the side of middle on which it is.
func (m measured) direction(low, high, middle float64) (Verdict, string) {
	up := low > middle
	if !up && !(high < middle) {
		return NotJudged, "what was published points neither way"
	}
	switch {
	case !m.interval:
		points := "the median points neither way"
		switch {
		case m.value > middle && !m.atMost:
			points = way(up)
		case m.value < middle && !m.atLeast:
			points = way(!up)
		}
		return Open, join(points, m.why)
	case m.low <= middle && m.high >= middle:
		return Open, join("the interval holds both directions", m.why)
	case (m.low > middle) == up:
		return Agrees, m.why
	}
	return Disagrees, m.why
}

func way(same bool) string {
	if same {
		return "the medians point the way that was published"
	}
	return "the medians point the other way"
}

// text is the value for reading, in the form in which the claim is.
func (m measured) text(c Claim, u results.Unit) string {
	switch {
	case m.atLeast:
		return "≥ " + c.show(m.value, u, quantity.Down)
	case m.atMost:
		return "≤ " + c.show(m.value, u, quantity.Up)
	}
	return c.show(m.value, u, quantity.Nearest)
}

// ends is the interval, or the range.
func (m measured) ends(c Claim, u results.Unit) string {
	switch {
	case m.interval && math.IsInf(m.high, 1):
		return fmt.Sprintf("[%s, ∞)", c.show(m.low, u, quantity.Down))
	case m.interval:
		return fmt.Sprintf("[%s, %s]", c.show(m.low, u, quantity.Down), c.show(m.high, u, quantity.Up))
	case m.ranged:
		return fmt.Sprintf("%s – %s", c.show(m.from, u, quantity.Nearest), c.show(m.to, u, quantity.Nearest))
	}
	return ""
}

// show writes a measured value as the claim writes what was published: in percent, as a factor, or with a unit.
func (c Claim) show(v float64, u results.Unit, side quantity.Side) string {
	switch {
	case c.Unit == "%":
		return strings.ReplaceAll(digits(v, 0.01, side), "-", "−") + " %"
	case u == results.One:
		return strings.ReplaceAll(digits(v, 1, side), "-", "−")
	}
	return quantity.Bound(v, math.Abs(v)/200, u, side)
}

// digits writes v over factor with three significant digits, or as a whole number.
func digits(v, factor float64, side quantity.Side) string {
	switch a := math.Abs(v / factor); {
	case a >= 100:
		return quantity.Fixed(v, factor, 0, side)
	case a >= 10:
		return quantity.Fixed(v, factor, 1, side)
	case a >= 1:
		return quantity.Fixed(v, factor, 2, side)
	case a >= 0.1:
		return quantity.Fixed(v, factor, 3, side)
	}
	return quantity.Digits(v, factor, 3, side)
}
