package compare

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/text"
	"virtscope/results"
)

// head of the columns.
var head = []string{"metric", "", "base", "head", "difference", "ratio", "p"}

// WriteText writes the comparison for a terminal: a table for each treatment.
func WriteText(w io.Writer, r Result) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "base: %s\nhead: %s\n\n%s\n", r.Base, r.Head, r.Answer())
	for _, n := range r.Notes {
		text.Wrapped(&b, "! ", n)
	}
	for _, treatment := range r.treatments() {
		fmt.Fprintf(&b, "\n%s\n", text.Treatment(treatment))
		rows := [][]string{head}
		for _, row := range r.Rows {
			if row.Treatment == treatment {
				rows = append(rows, row.cells())
			}
		}
		text.Aligned(&b, rows)
	}
	b.WriteString("\n")
	for _, n := range r.legend() {
		text.Wrapped(&b, "", n)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r Result) treatments() []string {
	var list []string
	seen := map[string]bool{}
	for _, row := range r.Rows {
		if !seen[row.Treatment] {
			seen[row.Treatment] = true
			list = append(list, row.Treatment)
		}
	}
	return list
}

// Answer is the comparison in a sentence.
func (r Result) Answer() string {
	count := map[Verdict]int{}
	for _, row := range r.Rows {
		count[row.Verdict]++
	}
	switch {
	case len(r.Rows) == 0:
		return "nothing can be compared: the sides have no treatment in common"
	case r.Family == 0 && !r.Decided() && r.tested():
		return "nothing can be told: no test could find a difference in these trials, too few or all alike"
	case r.Family == 0 && !r.Decided():
		return "nothing can be told: no metric has data on both sides"
	}
	s := fmt.Sprintf("%d worse, %d better", count[Worse], count[Better])
	if n := count[Different]; n > 0 {
		s += fmt.Sprintf(", %d different", n)
	}
	return s + fmt.Sprintf(", %d the same, %d undecided, %d unknown; %d tests, corrected together", count[Same], count[Undecided], count[Unknown], r.Family)
}

func (r Result) legend() []string {
	list := append([]string{
		fmt.Sprintf("medians, and how many trials; the difference is Hodges–Lehmann's, with its interval of %.4g %%; p is corrected by Holm's method over all tests", 100*(1-r.Alpha)),
		"~: no difference was found (the same: none as large as the effect floor is likely; ?: one may be hidden); ≥: censored, the truth is larger",
	}, r.reasons()...)
	return append(list, r.unmatched()...)
}

func (r Result) unmatched() []string {
	var list []string
	for _, t := range r.OnlyBase {
		list = append(list, "only base has "+text.Treatment(t))
	}
	for _, t := range r.OnlyHead {
		list = append(list, "only head has "+text.Treatment(t))
	}
	return list
}

// cells are a row as text.
func (row Row) cells() []string {
	name := row.Metric
	p := "?"
	if !math.IsNaN(row.P) {
		p = fmt.Sprintf("%.3f", row.P)
		if row.P < 0.001 {
			p = "<0.001"
		}
	}
	if row.Metric == Failures {
		return []string{
			name, row.mark(), fmt.Sprintf("%d of %d", row.BaseFailed, row.BaseTrials), fmt.Sprintf("%d of %d", row.HeadFailed, row.HeadTrials),
			"", "", p,
		}
	}
	return []string{name, row.mark(), row.middle(row.Base), row.middle(row.Head), row.difference(), ratio(row.Ratio), p}
}

// mark is the verdict as a reader scans for it.
func (row Row) mark() string {
	switch row.Verdict {
	case Same:
		return "~"
	case Undecided:
		return "~ ?"
	}
	return string(row.Verdict)
}

// reasons are why, each once, with the metrics that it is of.
func (r Result) reasons() []string {
	var list []string
	of := map[string][]string{}
	for _, row := range r.Rows {
		if row.Why == "" {
			continue
		}
		if of[row.Why] == nil {
			list = append(list, row.Why)
		}
		if !slices.Contains(of[row.Why], row.Metric) {
			of[row.Why] = append(of[row.Why], row.Metric)
		}
	}
	for i, why := range list {
		list[i] = strings.Join(of[why], ", ") + ": " + why
	}
	return list
}

// middle is a side's median and how many trials have the metric.
func (row Row) middle(s stats.Summary) string {
	n := fmt.Sprintf("n %d", s.Known)
	if s.Known < s.N {
		n = fmt.Sprintf("n %d of %d", s.Known, s.N)
	}
	if s.Known == 0 {
		return "unknown, " + n
	}
	return s.Median.Show(row.Unit, quantity.Nearest) + ", " + n
}

func (row Row) difference() string {
	s := row.Shift
	switch {
	case !s.Known:
		return "unknown"
	case s.Confidence == 0:
		return signed(s.Value, row.Unit, quantity.Nearest)
	}
	return fmt.Sprintf("%s [%s, %s]", signed(s.Value, row.Unit, quantity.Nearest), signed(s.Low, row.Unit, quantity.Down), signed(s.High, row.Unit, quantity.Up))
}

func signed(v float64, u results.Unit, side quantity.Side) string {
	if v == 0 {
		return "0"
	}
	return quantity.WithSign(v, quantity.Bound(math.Abs(v), math.Abs(v)/500, u, side.Magnitude(v)))
}

func ratio(e stats.Effect) string {
	switch {
	case !e.Known:
		return ""
	case e.Confidence == 0:
		return quantity.Change(e.Value, quantity.Nearest) + " %"
	}
	return fmt.Sprintf("%s %% [%s, %s]", quantity.Change(e.Value, quantity.Nearest), quantity.Change(e.Low, quantity.Down), quantity.Change(e.High, quantity.Up))
}
