// Package export writes a run's figures in the formats of other tools.
//
// What is not known is never a number: it is an empty cell, a missing sample or a null, by the rule of each format. A censored value
// stands as its lower bound and is marked, where the format has room for it; where it has none it is left out.
package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/results"
)

// CSV writes tidy data: one row per trial and metric, in base units, with a header. Columns: trial, treatment, one
// per factor, replicate, order, attempt, verdict, metric, value, unit, low, high, known, censored, why. Value, low and high
// are empty where they are not known, and high where the value is censored.
func CSV(w io.Writer, set dataset.Set) error {
	out := csv.NewWriter(w)
	factors := factorsOf(set)
	head := append([]string{"trial", "treatment"}, factors...)
	head = append(head, "replicate", "order", "attempt", "verdict", "metric", "value", "unit", "low", "high", "known", "censored", "why")
	rows := [][]string{head}
	for _, t := range set.Trials {
		for _, m := range t.Metrics {
			rows = append(rows, tidy(t, factors, m))
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

func tidy(t dataset.Trial, factors []string, m metric.Metric) []string {
	row := []string{t.ID, t.Treatment}
	for _, f := range factors {
		row = append(row, level(t.Levels, f))
	}
	value, low, high := number(m.Value), number(m.Low), number(m.High)
	if !m.Known {
		value, low = "", ""
	}
	if !m.Known || m.Censored {
		high = ""
	}
	return append(row, strconv.Itoa(t.Replicate), strconv.Itoa(t.Order), strconv.Itoa(t.Attempt), string(t.Verdict),
		m.Name, value, string(m.Unit), low, high, strconv.FormatBool(m.Known), strconv.FormatBool(m.Censored), m.Why)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func level(levels []results.Level, factor string) string {
	for _, l := range levels {
		if l.Factor == factor {
			return l.Value
		}
	}
	return ""
}

// factorsOf lists the factors of all trials, in order.
func factorsOf(set dataset.Set) []string {
	var list []string
	seen := map[string]bool{}
	for _, t := range set.Trials {
		for _, l := range t.Levels {
			if !seen[l.Factor] {
				seen[l.Factor] = true
				list = append(list, l.Factor)
			}
		}
	}
	return list
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
