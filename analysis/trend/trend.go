package trend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/text"
	"virtscope/results"
)

// A Point is one run's median of a metric.
type Point struct {
	Run    string   `json:"run"`
	Median *float64 `json:"median"` // null: not known, or only that it is at least something
	N      int      `json:"n"`      // trials that have it
	Why    string   `json:"why,omitempty"`
}

// A Series is a metric of a treatment over runs. The run is the unit here: its trials share a day.
type Series struct {
	Treatment string       `json:"treatment"`
	Metric    string       `json:"metric"`
	Unit      results.Unit `json:"unit"`
	Points    []Point      `json:"points"`
	Changes   []Shift      `json:"changes"`
	Why       string       `json:"why,omitempty"` // why no change could be found
}

// A Shift is a change between two stretches of runs.
type Shift struct {
	Run    string  `json:"run"` // the first after it
	Before float64 `json:"before"`
	After  float64 `json:"after"` // medians of the runs' medians
	P      float64 `json:"p"`
	Better string  `json:"verdict"` // better, worse or different
}

// Of finds the changes of the headline metrics (or of those that are named) over runs, given in the order of time. Alpha is shared by all series, in
// equal parts (Bonferroni).
func Of(sets []dataset.Set, metrics []string, alpha float64, seed uint64) ([]Series, error) {
	list, err := collect(sets, metrics)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].find(alpha/float64(len(list)), seed)
	}
	return list, nil
}

func collect(sets []dataset.Set, metrics []string) ([]Series, error) {
	var list []Series
	index := map[[2]string]int{}
	for at, set := range sets {
		for _, t := range set.Treatments() {
			for _, name := range set.Metrics() {
				if metrics == nil && !metric.About(name).Headline || metrics != nil && !slices.Contains(metrics, name) {
					continue
				}
				key := [2]string{t.Name, name}
				i, ok := index[key]
				if !ok {
					i = len(list)
					index[key] = i
					list = append(list, Series{Treatment: t.Name, Metric: name})
				}
				sample, unit, err := t.Sample(name)
				if err != nil {
					return nil, err
				}
				if unit != "" {
					list[i].Unit = unit
				}
				list[i].Points = append(list[i].Points, point(sets[at].Name, sample))
			}
		}
	}
	return list, nil
}

func point(run string, sample stats.Sample) Point {
	s := stats.Summarise(sample, 0.95)
	p := Point{Run: run, N: s.Known}
	switch {
	case s.Known == 0:
		p.Why = "no trial has it"
	case s.Median.AtLeast:
		p.Why = "the median is censored"
	default:
		v := s.Median.Value
		p.Median = &v
	}
	return p
}

func (s *Series) find(alpha float64, seed uint64) {
	var values []float64
	var runs []string
	for _, p := range s.Points {
		if p.Median != nil {
			values, runs = append(values, *p.Median), append(runs, p.Run)
		}
	}
	switch {
	case len(values) < 2*least:
		s.Why = fmt.Sprintf("%d runs have it: a change needs %d before it and %d after", len(values), least, least)
		return
	case alpha < 1.0/(permutations+1):
		s.Why = fmt.Sprintf("too many series for this alpha: %d permutations cannot give a p below %.2g: name fewer metrics", permutations, alpha)
		return
	}
	changes := Divide(values, alpha, seed)
	for i, c := range changes {
		from, to := 0, len(values)
		if i > 0 {
			from = changes[i-1].At
		}
		if i+1 < len(changes) {
			to = changes[i+1].At
		}
		s.Changes = append(s.Changes, s.shift(runs[c.At], middle(values[from:c.At]), middle(values[c.At:to]), c.P))
	}
}

func (s *Series) shift(run string, before, after, p float64) Shift {
	verdict := "different"
	switch b := metric.About(s.Metric).Better; {
	case b == metric.Neither:
	case (after > before) == (b == metric.Lower):
		verdict = "worse"
	default:
		verdict = "better"
	}
	return Shift{run, before, after, p, verdict}
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return stats.Quantile(sorted, 0.5)
}

// WriteText prints the changes, and what has none.
func WriteText(w io.Writer, list []Series) error {
	var b bytes.Buffer
	rows := [][]string{{"treatment", "metric", "runs", "changed at", "from", "to", "", "p"}}
	var notes []string
	for _, s := range list {
		known := 0
		for _, p := range s.Points {
			if p.Median != nil {
				known++
			}
		}
		row := []string{text.Treatment(s.Treatment), s.Metric, fmt.Sprint(known)}
		if s.Why != "" {
			notes = append(notes, fmt.Sprintf("%s of %s: %s", s.Metric, text.Treatment(s.Treatment), s.Why))
			rows = append(rows, append(row, "cannot be told", "", "", "", ""))
			continue
		}
		if len(s.Changes) == 0 {
			rows = append(rows, append(row, "no change found", "", "", "", ""))
		}
		for _, c := range s.Changes {
			show := func(v float64) string { return quantity.Scaled(v, math.Abs(v)/500, s.Unit) }
			rows = append(rows, append(append([]string{}, row...), c.Run, show(c.Before), show(c.After), c.Better, fmt.Sprintf("%.3f", c.P)))
		}
	}
	text.Aligned(&b, rows)
	for _, n := range notes {
		text.Wrapped(&b, "! ", n)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteJSON prints all series, with their points.
func WriteJSON(w io.Writer, list []Series) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(list)
}
