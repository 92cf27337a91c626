package published

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Rows holds each claim of the paper against the run, in the paper's order.
func Rows(set dataset.Set, p Paper, how How) []Row {
	r := run{set: set, treatments: set.Treatments(), how: how}
	var rows []Row
	for _, c := range p.Claims {
		rows = append(rows, r.row(c))
	}
	return rows
}

// A run is what claims are held against.
type run struct {
	set        dataset.Set
	treatments []dataset.Treatment
	how        How
}

func (r run) row(c Claim) Row {
	row := Row{Name: c.Name, Metric: c.Metric, At: r.at(c), Published: c.text(), Measured: "—", Source: c.source(), Recalled: c.Recalled}
	if c.Kind == None {
		row.Verdict, row.Why = NotJudged, c.Why
		return row
	}
	var a answer
	switch c.Kind {
	case Value, Share:
		a = r.single(c)
	case Ratio, Change, More, Less:
		a = r.relation(c)
	case Each:
		a = r.each(c)
	case Spread:
		a = r.spread(c)
	case Grows:
		a = r.grows(c)
	default:
		a = answer{verdict: NotJudged, why: fmt.Sprintf("%q is no kind of comparison", c.Kind)}
	}
	row.Measured, row.Interval, row.Detail, row.N = a.text, a.interval, a.detail, a.n
	if a.text == "" {
		row.Measured = "—"
	}
	row.Verdict, row.Why = a.verdict, a.why
	if c.Comparable != Yes && c.Comparable != InTrend {
		row.Verdict, row.Why = NotJudged, join(c.Why, a.unknown)
		return row
	}
	row.InTrend = c.Comparable == InTrend && (row.Verdict == Agrees || row.Verdict == Disagrees)
	row.Why = join(row.Why, c.Why)
	return row
}

// An answer is what was measured, and what comes of it.
type answer struct {
	text, interval, n string
	detail            string // of each treatment
	verdict           Verdict
	why               string
	unknown           string // why nothing was measured
}

// unmeasured is the answer where a figure is not known.
func unmeasured(why, n string) answer {
	return answer{verdict: Open, why: why, unknown: why, n: n}
}

// single is a metric, or its share of an amount, at one treatment.
func (r run) single(c Claim) answer {
	f := r.figure(c, one(c.Where))
	if c.Kind == Share {
		f = f.over(c.Of)
	} else if f.unit != "" && f.unit != c.Base {
		a := unmeasured(fmt.Sprintf("%s is in %s, and what was published in %s", c.Metric, f.unit, c.Base), f.n())
		a.verdict = NotJudged
		return a
	}
	if !f.known() {
		return unmeasured(f.why, f.n())
	}
	m := f.summary(r.how.Confidence)
	low, high := c.bounds()
	a := answer{text: m.text(c, f.unit), interval: m.ends(c, f.unit), n: f.n()}
	if c.Comparable == InTrend {
		a.verdict, a.why = m.direction(low, high, 1)
		return a
	}
	a.verdict, a.why = m.within(low, high)
	return a
}

// each is a metric at several treatments, of which all must agree.
func (r run) each(c Claim) answer {
	var texts, counts, against, open []string
	var known []float64
	var unit results.Unit
	for _, at := range c.Where {
		if f := r.figure(c, at); f.known() {
			known, unit = append(known, f.summary(r.how.Confidence).value), f.unit
		}
		b := c
		b.Kind, b.Where = Value, [][]results.Level{at}
		a := r.single(b)
		texts, counts = append(texts, r.name(at)+": "+orDash(a.text)), append(counts, orDash(a.n))
		switch a.verdict {
		case Disagrees:
			against = append(against, r.name(at))
		case Open:
			open = append(open, a.why)
		}
	}
	a := answer{text: ends(c, known, unit), detail: strings.Join(texts, "; "), n: strings.Join(slices.Compact(counts), ", "), verdict: Agrees}
	switch {
	case len(texts) == 0:
		return unmeasured("the experiment has no such treatments", "")
	case len(against) > 0:
		a.verdict, a.why = Disagrees, "not at "+strings.Join(against, "; ")
	case len(open) > 0:
		a.verdict, a.why = Open, grouped(open)
	}
	return a
}

// grouped tells each reason once, with how often it holds.
func grouped(reasons []string) string {
	var order []string
	count := map[string]int{}
	for _, s := range reasons {
		if count[s]++; count[s] == 1 {
			order = append(order, s)
		}
	}
	for i, s := range order {
		if len(reasons) > 1 {
			order[i] = fmt.Sprintf("at %d of them: %s", count[s], s)
		}
	}
	return strings.Join(order, "; ")
}

// ends are the smallest and the largest of several medians.
func ends(c Claim, values []float64, u results.Unit) string {
	if len(values) == 0 {
		return ""
	}
	low, high := c.show(slices.Min(values), u, quantity.Nearest), c.show(slices.Max(values), u, quantity.Nearest)
	if low == high {
		return low
	}
	return low + " to " + high
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// relation is a metric at one treatment over that at another.
func (r run) relation(c Claim) answer {
	head, base := r.figure(c, one(c.Where)), r.figure(c, one(c.Against))
	n := head.n() + " / " + base.n()
	switch {
	case !head.known():
		return unmeasured(head.why, n)
	case !base.known():
		return unmeasured(base.why, n)
	case head.unit != base.unit:
		return unmeasured(fmt.Sprintf("%s is in %s here and in %s there", c.Metric, head.unit, base.unit), n)
	}
	m := r.ratio(base, head)
	if !m.known {
		return unmeasured(m.why, n)
	}
	a := answer{n: n}
	low, high := c.bounds()
	middle := 1.0
	if c.Kind == Change {
		m, middle = m.less(1), 0
	}
	a.text, a.interval = m.text(c, results.One), m.ends(c, results.One)
	switch {
	case c.Kind == More:
		a.verdict, a.why = m.direction(math.Nextafter(1, 2), math.Inf(1), 1)
	case c.Kind == Less:
		a.verdict, a.why = m.direction(0, math.Nextafter(1, 0), 1)
	case c.Comparable == InTrend:
		a.verdict, a.why = m.direction(low, high, middle)
	default:
		a.verdict, a.why = m.within(low, high)
	}
	return a
}

func one(list [][]results.Level) []results.Level {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "" || a == b:
		return a
	}
	return a + "; " + b
}
