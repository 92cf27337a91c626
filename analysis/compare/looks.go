package compare

import (
	"fmt"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/stats"
)

// Sides are two sets to compare.
type Sides struct {
	Base, Head dataset.Set
	Blocked    bool // trials of one block belong together
}

// Looks compares after the first trials, and again after more of what they left undecided: at[k] holds all trials until look k+1. There
// may be up to most looks, planned beforehand.
//
// Each look has the same share of alpha, so that the chance of any false alarm in all of them together is at most alpha (Bonferroni's bound; to
// spend alpha evenly over the looks is the linear spending function of Lan and DeMets, Biometrika 70(3), 1983). It holds if how many trials a look
// adds was not chosen by what was seen: as many again as there were. What one look decided stands. What is not tested again still counts
// in the family, since which tests are left was chosen by their own data.
func Looks(at []Sides, most int, o Options) (Result, error) {
	if len(at) == 0 {
		return Result{}, fmt.Errorf("compare: there are no trials to look at")
	}
	total := o.Alpha
	most = max(most, len(at))
	o.Alpha /= float64(most)
	var r Result
	for i, sides := range at {
		o.Blocked = sides.Blocked
		now, err := Sets(sides.Base, sides.Head, o)
		if err != nil {
			return r, err
		}
		if i == 0 {
			r = now
			continue
		}
		r = r.again(now, o)
	}
	r.Total, r.Look, r.MostLooks = total, len(at), most
	if most > 1 {
		r.Notes = append(r.Notes, fmt.Sprintf("look %d of at most %d, each at alpha %.3g: the chance of any false alarm in all of them together is at most %g, if their number was set before the first", r.Look, most, o.Alpha, total))
	}
	return r, nil
}

// Open reports whether more trials may tell: no difference was found, and none that matters was excluded. That no trial failed so far excludes
// nothing.
func (row Row) Open() bool {
	return row.Verdict == Undecided || row.Verdict == Unknown || row.Metric == Failures && !row.Verdict.Found()
}

// Undecided reports whether a metric is a reason to run more trials: neither a difference nor the lack of one was shown. One that no trial of a
// side has is none.
func (row Row) Undecided() bool {
	switch {
	case row.Metric == Failures:
		return false
	case row.Verdict == Unknown:
		return row.Base.Known > 0 && row.Head.Known > 0
	}
	return row.Verdict == Undecided
}

// again takes from now, a comparison of all trials so far, what was open before and has more trials.
func (r Result) again(now Result, o Options) Result {
	out := now
	out.Rows, out.Family = nil, 0
	out.Notes = slices.Clone(r.Notes)
	closed := 0
	for _, row := range now.Rows {
		before := r.place(row)
		switch {
		case before < 0, r.Rows[before].Open() && row.grew(r.Rows[before]):
			out.Rows = append(out.Rows, row)
		case r.Rows[before].Decides.Known:
			closed++
		}
	}
	tested := len(out.Rows)
	for range closed {
		out.Rows = append(out.Rows, closedRow())
	}
	out.judge(o)
	judged := out.Rows[:tested]
	out.Rows = slices.Clone(r.Rows)
	for _, row := range judged {
		if before := r.place(row); before >= 0 {
			out.Rows[before] = row
			continue
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// closedRow stands in a family for a test that is not made again: it finds nothing.
func closedRow() Row {
	return Row{Comparison: stats.Comparison{Decides: stats.Test{Known: true, P: 1, Least: 1e-300}}}
}

func (r Result) place(row Row) int {
	return slices.IndexFunc(r.Rows, func(have Row) bool { return have.Treatment == row.Treatment && have.Metric == row.Metric })
}

// grew reports whether a side has more trials than before.
func (row Row) grew(before Row) bool {
	if row.Metric == Failures {
		return row.BaseTrials > before.BaseTrials || row.HeadTrials > before.HeadTrials
	}
	return row.Base.N > before.Base.N || row.Head.N > before.Head.N
}
