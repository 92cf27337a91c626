package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// WriteCSV writes tidy data: one row per trial and metric, in base units, with a header. Columns: trial, treatment, one
// per factor, replicate, order, attempt, verdict, metric, value, unit, low, high, known, censored, why. Value, low and high
// are empty where they are not known, and high where the value is censored.
func WriteCSV(w io.Writer, r Run) error {
	out := csv.NewWriter(w)
	factors := r.factors()
	head := append([]string{"trial", "treatment"}, factors...)
	head = append(head, "replicate", "order", "attempt", "verdict", "metric", "value", "unit", "low", "high", "known", "censored", "why")
	rows := [][]string{head}
	for _, t := range r.Trials {
		if t.Timeline == nil {
			continue
		}
		for _, m := range t.Timeline.Metrics {
			rows = append(rows, tidy(t, factors, m))
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

func tidy(t Trial, factors []string, m timeline.Metric) []string {
	trial := t.Outcome.Trial
	row := []string{trial.ID, trial.Treatment}
	for _, f := range factors {
		row = append(row, level(trial, f))
	}
	value, low, high := number(m.Value), number(m.Low), number(m.High)
	if !m.Known {
		value, low = "", ""
	}
	if !m.Known || m.Censored {
		high = ""
	}
	return append(row, strconv.Itoa(trial.Replicate), strconv.Itoa(trial.Order), strconv.Itoa(t.Outcome.Attempt),
		string(t.Outcome.Verdict), m.Name, value, string(m.Unit), low, high,
		strconv.FormatBool(m.Known), strconv.FormatBool(m.Censored), m.Why)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func level(t results.Trial, factor string) string {
	for _, l := range t.Levels {
		if l.Factor == factor {
			return l.Value
		}
	}
	return ""
}

// factors lists the factors of all trials, in order.
func (r Run) factors() []string {
	var list []string
	for _, t := range r.Trials {
		for _, l := range t.Outcome.Trial.Levels {
			list = appendOnce(list, l.Factor)
		}
	}
	return list
}

func appendOnce(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
