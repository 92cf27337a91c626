// Package compare says in what one set of trials differs from another, and whether that is a regression.
//
// Treatments are matched by their levels. Of each, every judged metric is tested once, and the share of trials that failed. The
// tests of all are one family, corrected by Holm's method, so that the chance that a comparison of equals finds any difference
// is bounded by alpha however many metrics there are.
package compare

import (
	"fmt"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A Verdict says what a comparison of one metric came to.
type Verdict string

// Better, worse and different (of a metric of which no way is better) need a corrected p below alpha and a shift of the effect
// floor or more. Same: the interval holds no difference as large as the floor, or one was found that is smaller. Undecided: no difference
// was found, and the interval does not exclude one that matters. Unknown: it cannot be told with these data.
const (
	Better    Verdict = "better"
	Worse     Verdict = "worse"
	Different Verdict = "different"
	Same      Verdict = "same"
	Undecided Verdict = "undecided"
	Unknown   Verdict = "unknown"
)

// Found reports whether a difference was found.
func (v Verdict) Found() bool { return v == Better || v == Worse || v == Different }

// A Floor is the least difference of a metric that matters: the larger of both.
type Floor struct {
	Absolute float64 // in the metric's unit
	Relative float64 // of the base's median
}

// Options of a comparison.
type Options struct {
	Alpha   float64          // chance of any false alarm in the family; in (0, 1)
	Metrics []string         // nil: the headlines; AllMetrics alone: all of which package metric says which way is better
	Floors  map[string]Floor // in place of package metric's
	Blocked bool             // trials of one block belong together
	Seed    uint64
}

// AllMetrics stands for all metrics that have a better way.
const AllMetrics = "all"

// Failures is the name of the row of the share of trials that failed.
const Failures = "failed"

// A Row is one metric of one treatment.
type Row struct {
	Treatment string
	Levels    []results.Level // of the treatment
	Metric    string
	Info      metric.Info
	Unit      results.Unit
	stats.Comparison
	P       float64 // corrected; NaN if not known
	Floor   float64 // in Unit
	Verdict Verdict
	Why     string // what a reader must know beside the verdict
	// Of Failures alone.
	BaseFailed, HeadFailed, BaseTrials, HeadTrials int
}

// A Result is a whole comparison.
type Result struct {
	Base, Head string
	Alpha      float64
	Rows       []Row
	OnlyBase   []string // treatments
	OnlyHead   []string
	Family     int // tests that were corrected for
	Notes      []string
	// Of Looks alone: how many there were, how many there may be, and the chance of a false alarm in all of them. Alpha is that of each.
	Look, MostLooks int
	Total           float64
}

// Decided reports whether a metric, other than the share of trials that failed, was found to differ or to be the same. Where none was, a comparison
// says nothing of what was measured.
func (r Result) Decided() bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool {
		return row.Metric != Failures && (row.Verdict.Found() || row.Verdict == Same)
	})
}

// tested reports whether a metric has data on both sides.
func (r Result) tested() bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Metric != Failures && row.Decides.Known })
}

// Sets compares two sets of trials.
func Sets(base, head dataset.Set, o Options) (Result, error) {
	r := Result{Base: base.Name, Head: head.Name, Alpha: o.Alpha}
	heads := head.Treatments()
	for _, b := range base.Treatments() {
		i := slices.IndexFunc(heads, func(h dataset.Treatment) bool { return h.Key() == b.Key() })
		if i < 0 {
			r.OnlyBase = append(r.OnlyBase, b.Name)
			continue
		}
		if err := r.treatment(b, heads[i], o); err != nil {
			return r, err
		}
		heads = slices.Delete(heads, i, i+1)
	}
	for _, h := range heads {
		r.OnlyHead = append(r.OnlyHead, h.Name)
	}
	r.judge(o)
	return r, nil
}

// treatment adds the rows of a treatment that both sides have.
func (r *Result) treatment(base, head dataset.Treatment, o Options) error {
	for _, name := range names(base, head, o.Metrics) {
		b, unit, err := base.Sample(name)
		if err != nil {
			return err
		}
		h, other, err := head.Sample(name)
		if err != nil {
			return err
		}
		if unit != "" && other != "" && unit != other {
			return fmt.Errorf("compare %s of %s: base has it in %s, head in %s", name, base.Name, unit, other)
		}
		if unit == "" {
			unit = other
		}
		row := Row{Treatment: base.Name, Levels: base.Levels, Metric: name, Info: metric.About(name), Unit: unit}
		row.Comparison = stats.Compare(b, h, stats.How{Confidence: 1 - o.Alpha, Blocked: o.Blocked, Seed: o.Seed})
		if f, ok := o.Floors[name]; ok {
			row.Info.Absolute, row.Info.Relative = f.Absolute, f.Relative
		}
		row.Floor = row.Info.Floor(row.Base.Median.Value)
		r.Rows = append(r.Rows, row)
	}
	r.Rows = append(r.Rows, failures(base, head))
	return nil
}

// names are the metrics to compare, in the order in which the base has them.
func names(base, head dataset.Treatment, asked []string) []string {
	var list []string
	for _, t := range slices.Concat(base.Trials, head.Trials) {
		if !t.Counted() {
			continue
		}
		for _, m := range t.Metrics {
			wanted := metric.About(m.Name).Headline
			switch {
			case slices.Equal(asked, []string{AllMetrics}):
				wanted = metric.About(m.Name).Better != metric.Neither
			case asked != nil:
				wanted = slices.Contains(asked, m.Name)
			}
			if wanted && !slices.Contains(list, m.Name) {
				list = append(list, m.Name)
			}
		}
	}
	return list
}
