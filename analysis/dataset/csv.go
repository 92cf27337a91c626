package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// columns that every tidy file has; those between treatment and replicate are factors.
var (
	firstColumns = []string{"trial", "treatment"}
	lastColumns  = []string{"replicate", "order", "attempt", "verdict", "metric", "value", "unit", "low", "high", "known", "censored", "why"}
)

// ReadCSV reads the tidy trials.csv of a run: one row a trial and metric. Name is what a reader calls it. The manifest has the factors
// alone, as the file knows no more, and no trial has a block. An error names the file, line, column and value.
func ReadCSV(in io.Reader, name string) (Set, error) {
	r := csv.NewReader(in)
	set := Set{Name: name}
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return set, fmt.Errorf("%s: it is empty: want the trials.csv of a run", name)
	}
	if err != nil {
		return set, fmt.Errorf("%s: %w", name, err)
	}
	n := len(head) - len(lastColumns)
	if n < 2 || !slices.Equal(head[:2], firstColumns) || !slices.Equal(head[n:], lastColumns) {
		return set, fmt.Errorf("%s:1:1: the header is not that of a run's trials.csv: want trial,treatment, the factors, then replicate … why", name)
	}
	p := csvReader{set: &set, name: name, factors: head[2:n], csv: r, trials: map[string]int{}, seen: map[[2]string]bool{}}
	for _, f := range p.factors {
		set.Manifest.Factors = append(set.Manifest.Factors, results.Factor{Path: f})
	}
	for {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return set, nil
		case err != nil:
			return set, fmt.Errorf("%s: %w", name, err)
		}
		if err := p.row(row); err != nil {
			return set, err
		}
	}
}

type csvReader struct {
	set     *Set
	name    string
	factors []string
	csv     *csv.Reader
	trials  map[string]int
	seen    map[[2]string]bool
}

// wrong is an error at a column of the row that was read last.
func (p *csvReader) wrong(column int, value, want string) error {
	line, at := p.csv.FieldPos(column)
	return fmt.Errorf("%s:%d:%d: %q: %s", p.name, line, at, value, want)
}

func (p *csvReader) row(row []string) error {
	last := row[len(row)-len(lastColumns):]
	at := len(row) - len(lastColumns)
	i, ok := p.trials[row[0]]
	if !ok {
		t, err := p.trial(row, last, at)
		if err != nil {
			return err
		}
		i = len(p.set.Trials)
		p.trials[row[0]] = i
		p.set.Trials = append(p.set.Trials, t)
	}
	key := [2]string{row[0], last[4]}
	if p.seen[key] {
		return p.wrong(at+4, last[4], "this trial has the metric twice: the trial is the unit, keep one value")
	}
	p.seen[key] = true
	m, err := p.metric(last, at)
	if err != nil {
		return err
	}
	p.set.Trials[i].Metrics = append(p.set.Trials[i].Metrics, m)
	return nil
}

func (p *csvReader) trial(row, last []string, at int) (Trial, error) {
	t := Trial{Readable: true, Verdict: results.Verdict(last[3])}
	if row[0] == "" {
		return t, p.wrong(0, "", "want a trial's id")
	}
	t.ID, t.Treatment = row[0], row[1]
	for j, f := range p.factors {
		level := row[2+j]
		t.Levels = append(t.Levels, results.Level{Factor: f, Value: level})
		levels := &p.set.Manifest.Factors[j].Levels
		if !slices.Contains(*levels, level) {
			*levels = append(*levels, level)
		}
	}
	for j, to := range []*int{&t.Replicate, &t.Order, &t.Attempt} {
		v, err := strconv.Atoi(last[j])
		if err != nil || v < 1 {
			return t, p.wrong(at+j, last[j], "want a whole number from 1")
		}
		*to = v
	}
	if !t.Verdict.Told() {
		return t, p.wrong(at+3, last[3], "want completed, failed, invalid or interrupted")
	}
	return t, nil
}

func (p *csvReader) metric(last []string, at int) (metric.Metric, error) {
	m := metric.Metric{Name: last[4], Quantity: quantity.Quantity{Unit: results.Unit(last[6]), Why: last[11]}}
	if m.Name == "" {
		return m, p.wrong(at+4, "", "want a metric's name")
	}
	for j, to := range map[int]*bool{9: &m.Known, 10: &m.Censored} {
		v, err := strconv.ParseBool(last[j])
		if err != nil {
			return m, p.wrong(at+j, last[j], "want true or false")
		}
		*to = v
	}
	if !m.Known {
		return m, nil
	}
	numbers := map[int]*float64{5: &m.Value, 7: &m.Low, 8: &m.High}
	if m.Censored {
		delete(numbers, 8)
	}
	for j, to := range numbers {
		v, err := strconv.ParseFloat(last[j], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return m, p.wrong(at+j, last[j], "want a finite number, as the value is known")
		}
		*to = v
	}
	return m, nil
}
