package stats

import (
	"fmt"
	"math"
	"slices"
)

// A Datum is one trial's value of a metric.
type Datum struct {
	Trial    string  // its id
	Block    string  // the block that it ran in; "" if the design has none
	Order    int     // its place in the run, from 1
	Value    float64 // finite
	Known    bool    // false: the trial has none, and Value is not read
	Censored bool    // the truth is at least Value
}

// A Sample is one metric over trials: at most one datum of each. It is the only thing that this package takes, so that samples
// within a trial cannot be pooled as if they were independent. The zero Sample is empty. It does not change.
type Sample struct{ data []Datum }

// NewSample refuses a second datum of a trial, one without a trial's id, and a known value that is not finite.
func NewSample(data []Datum) (Sample, error) {
	seen := map[string]bool{}
	for _, d := range data {
		switch {
		case d.Trial == "":
			return Sample{}, fmt.Errorf("make sample: a datum of %v names no trial: the trial is the unit", d.Value)
		case seen[d.Trial]:
			return Sample{}, fmt.Errorf("make sample: trial %s has two data: the trial is the unit, give one value of each", d.Trial)
		case d.Known && (math.IsNaN(d.Value) || math.IsInf(d.Value, 0)):
			return Sample{}, fmt.Errorf("make sample: trial %s: %v is not finite: say that it is not known", d.Trial, d.Value)
		}
		seen[d.Trial] = true
	}
	return Sample{slices.Clone(data)}, nil
}

// Len is the number of data, unknown ones included.
func (s Sample) Len() int { return len(s.data) }

// Data is a copy of the data, in the order given.
func (s Sample) Data() []Datum { return slices.Clone(s.data) }
