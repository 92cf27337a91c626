package sequential

import (
	"fmt"
	"math"
	"virtscope/analysis/dataset"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A Result says where each treatment of a run stopped.
type Result struct {
	Rule Rule
	Rows []Row
}

// A Row is a treatment.
type Row struct {
	Treatment string
	Levels    []results.Level
	State
	LeftOut int // trials that were not needed
	Ended   int // trials that count
	Missing int // trials that are neither: the run has not ended, or they are invalid
	Why     string
}

// Of judges every treatment of the set's plan of which a trial ended. LeftOut are the trials that the run's journal says were not needed, and
// why.
func Of(set dataset.Set, rule Rule, leftOut map[string]string, plan []results.Trial) (Result, error) {
	out := Result{Rule: rule}
	for _, t := range set.Treatments() {
		state, err := rule.State(t)
		if err != nil {
			return out, err
		}
		row := Row{Treatment: t.Name, Levels: t.Levels, State: state}
		for _, trial := range t.Trials {
			if trial.Counted() {
				row.Ended++
			}
		}
		planned := 0
		for _, p := range plan {
			if p.Treatment != t.Name {
				continue
			}
			planned++
			if _, ok := leftOut[p.ID]; ok {
				row.LeftOut++
			}
		}
		row.Missing = planned - row.Ended - row.LeftOut
		row.Why = row.said(rule)
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// said is how it ended, in words.
func (row Row) said(rule Rule) string {
	switch {
	case row.Enough && row.LeftOut > 0:
		return fmt.Sprintf("enough: %s not needed", trials(row.LeftOut))
	case row.Enough:
		return "enough"
	case row.Missing > 0:
		return fmt.Sprintf("not yet: %s of it to come, or invalid", trials(row.Missing))
	case row.LeftOut > 0:
		return fmt.Sprintf("ended when it was enough, %s left out; with what counts now it is not", trials(row.LeftOut))
	}
	why := fmt.Sprintf("not reached within %s", trials(rule.Most))
	switch {
	case row.Unknown > 0:
		why += fmt.Sprintf("; %s without a value", trials(row.Unknown))
	case !row.Interval.Known:
		why += ": " + row.Interval.Why
	case math.IsNaN(row.Reach) && row.Censored > 0:
		why += fmt.Sprintf(": %s censored, so that nothing bounds the median from above", trials(row.Censored))
	case math.IsNaN(row.Reach):
		why += ": the median is 0, of which no share can be taken"
	}
	return why
}

func trials(n int) string {
	if n == 1 {
		return "1 trial"
	}
	return fmt.Sprintf("%d trials", n)
}

// Unreached are the treatments whose median is not known well enough, though all their trials ran.
func (r Result) Unreached() []Row {
	var list []Row
	for _, row := range r.Rows {
		if !row.Enough && row.Missing == 0 && row.LeftOut == 0 {
			list = append(list, row)
		}
	}
	return list
}

// Head is the columns of Cells.
func (r Result) Head() []string {
	return []string{"treatment", "trials", "median " + r.Rule.Metric, fmt.Sprintf("%g %% interval", 100*r.Rule.Confidence), "reaches", "stopped"}
}

// Cells are the row as a table shows it.
func (row Row) Cells() []string {
	n := fmt.Sprintf("%d of %d", row.Ended, row.Ended+row.LeftOut+row.Missing)
	if row.Censored > 0 {
		n += fmt.Sprintf(", %d censored", row.Censored)
	}
	median, interval, reach := "unknown", "unknown", ""
	if row.N > 0 {
		median = row.text(row.Median)
	}
	if row.Interval.Known {
		interval = row.text(row.Interval.Low) + " to " + row.text(row.Interval.High)
	}
	if !math.IsNaN(row.Reach) {
		reach = fmt.Sprintf("%.2g %%", 100*row.Reach)
	}
	return []string{row.Treatment, n, median, interval, reach, row.Why}
}

func (row Row) text(e stats.Estimate) string {
	text := quantity.Scaled(e.Value, math.Abs(e.Value)/500, row.Unit)
	if e.AtLeast {
		return "≥ " + text
	}
	return text
}
