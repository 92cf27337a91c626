package report

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// bound is a reason that ends with a number in the metric's unit.
var bound = regexp.MustCompile(`it is at (most|least) \S*\d$`)

func newEffect(c column, m compare.Main) effect {
	e := effect{
		Metric: capital(c.title), Factor: shortName(m.Factor), Levels: m.Level + " against " + m.Base,
		Says: says(m), Found: m.Verdict.Found(),
	}
	if !m.Decides.Known {
		return e
	}
	if m.Metric == compare.Failures {
		e.Sure = fmt.Sprintf("p = %.2g, n = %d and %d", m.P, m.HeadTrials, m.BaseTrials)
		return e
	}
	e.Sure = fmt.Sprintf("p = %.2g, n = %d and %d", m.P, m.Head.Known, m.Row.Base.Known)
	median := func(x stats.Estimate) string { return x.Show(m.Unit, quantity.Nearest) }
	if m.Balanced {
		e.Medians = fmt.Sprintf("%s, %s", median(m.Head.Median), median(m.Row.Base.Median))
	}
	s := m.Shift
	if !s.Known {
		e.Interval = "none: " + orNoReason(s.Why)
		if bound.MatchString(s.Why) {
			e.Interval += " " + string(m.Unit)
		}
		return e
	}
	e.Size = signed(s.Value, m.Unit, quantity.Nearest)
	if r := m.Ratio; r.Known && r.Value > 0 {
		e.Size += fmt.Sprintf(" (× %s)", ratioText(r.Value))
	}
	if s.Confidence > 0 {
		e.Interval = fmt.Sprintf("[%s, %s]", signed(s.Low, m.Unit, quantity.Down), signed(s.High, m.Unit, quantity.Up))
	}
	return e
}

// ratioText has three digits.
func ratioText(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(v)))), v)
}

// signed writes a difference with its sign and four digits.
func signed(v float64, u results.Unit, side quantity.Side) string {
	return quantity.WithSign(v, quantity.Bound(math.Abs(v), math.Abs(v)/500, u, side.Magnitude(v)))
}

// tooFew is why a comparison could find nothing.
const tooFew = "n is too small"

// says is the verdict in words.
func says(m compare.Main) string {
	switch m.Verdict {
	case compare.Unknown:
		return "cannot be told: " + orNoReason(m.Why)
	case compare.Undecided:
		if strings.HasPrefix(m.Why, tooFew) {
			return "not shown: " + tooFew
		}
		if m.Why != "" {
			return "not shown: " + m.Why
		}
		return "not shown"
	case compare.Same:
		if m.Metric == compare.Failures {
			return "no difference"
		}
		if m.Floor > 0 {
			return fmt.Sprintf("too small to matter (below %s)", quantity.Bound(m.Floor, m.Floor/20, m.Unit, quantity.Up))
		}
		return "no difference"
	}
	up := m.Delta.Value > 0
	switch {
	case m.Metric == compare.Failures:
		up = m.Decides.Statistic > 0
	case m.Shift.Known:
		up = m.Shift.Value > 0
	}
	words := [2]string{"less", "more"}
	if m.Unit == results.Seconds {
		words = [2]string{"shorter", "longer"}
	}
	word := words[0]
	if up {
		word = words[1]
	}
	if m.Info.Better != metric.Neither {
		word += ": " + string(m.Verdict)
	}
	if !m.Shift.Known && m.Metric != compare.Failures {
		word += "; by how much is not known: " + orNoReason(m.Shift.Why)
	}
	return word
}

// join is "a, b and c".
func join(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
