package stats

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/quantity"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Step is a value at which the share of trials that go beyond it falls.
type Step struct {
	Value         float64
	AtRisk        int // trials at or above it
	Events        int // that are it
	Beyond        float64
	BeyondLow     float64 // pointwise, of the confidence asked for
	BeyondHigh    float64
	greenwoodPart float64
}

// A Survival is Kaplan and Meier's estimate of a distribution (JASA 53, 1958). It assumes that whether a trial was censored says
// nothing about its value: true of a time limit, not of one that failed because it was slow.
type Survival struct {
	Steps []Step
	// Median is where the share beyond falls to ½: at least the largest value if it never does, and at least where it comes to ½
	// if it stays there to the end.
	Median Estimate
	// Interval is Brookmeyer and Crowley's (Biometrics 38, 1982) on the log-log scale, of nominal confidence.
	Interval Interval
}

func survive(sample Sample, confidence float64) *Survival {
	data := known(sample)
	s := &Survival{}
	beyond, variance := 1.0, 0.0
	for i := 0; i < len(data); {
		step := Step{Value: data[i].Value, AtRisk: len(data) - i}
		for i < len(data) && data[i].Value == step.Value {
			if !data[i].Censored {
				step.Events++
			}
			i++
		}
		if step.Events == 0 {
			continue
		}
		n, d := float64(step.AtRisk), float64(step.Events)
		beyond *= 1 - d/n
		variance += d / (n * (n - d)) // Greenwood's; infinite where nothing is left
		step.Beyond, step.greenwoodPart = beyond, variance
		s.Steps = append(s.Steps, step)
	}
	top := data[len(data)-1].Value
	s.Median = Estimate{top, true}
	if n := len(s.Steps); n > 0 && s.Steps[n-1].Beyond < 0.5+1e-12 {
		s.Median.Value = s.Steps[n-1].Value
	}
	if v, ok := s.crossing(func(s Step) float64 { return s.Beyond }); ok {
		s.Median = Estimate{Value: v}
	}
	s.bound(confidence, top)
	return s
}

func (s *Survival) bound(confidence, top float64) {
	if !(confidence > 0 && confidence < 1) {
		s.Interval.Why = fmt.Sprintf("confidence %v is not between 0 and 1", confidence)
		return
	}
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	for i, step := range s.Steps {
		if step.Beyond <= 0 || step.Beyond >= 1 {
			s.Steps[i].BeyondLow, s.Steps[i].BeyondHigh = 0, 1 // nothing is known of it there
			continue
		}
		width := z * math.Sqrt(step.greenwoodPart) / -math.Log(step.Beyond)
		s.Steps[i].BeyondLow = math.Pow(step.Beyond, math.Exp(width))
		s.Steps[i].BeyondHigh = math.Pow(step.Beyond, math.Exp(-width))
	}
	low, okLow := s.crossing(func(s Step) float64 { return s.BeyondLow })
	high, okHigh := s.crossing(func(s Step) float64 { return s.BeyondHigh })
	switch {
	case !okLow:
		s.Interval.Why = fmt.Sprintf("too many values are censored: the median may be anything from %s on", quantity.Digits(top, 1, 4, quantity.Down))
	case !okHigh:
		s.Interval.Why = fmt.Sprintf("too few values, or too many censored: the median is at least %s, and nothing bounds it from above", quantity.Digits(low, 1, 4, quantity.Down))
	default:
		s.Interval = Interval{Low: Estimate{Value: low}, High: Estimate{Value: high}, Confidence: confidence, Known: true}
	}
}

// crossing is the value from which a curve is at ½ or below; where it stays at ½ for a while, the middle of that.
func (s *Survival) crossing(curve func(Step) float64) (v float64, ok bool) {
	const rounding = 1e-12
	i := slices.IndexFunc(s.Steps, func(s Step) bool { return curve(s) <= 0.5+rounding })
	if i < 0 {
		return 0, false
	}
	if curve(s.Steps[i]) < 0.5-rounding {
		return s.Steps[i].Value, true
	}
	if i+1 == len(s.Steps) {
		return 0, false // at ½ with no end
	}
	return middle(s.Steps[i].Value, s.Steps[i+1].Value), true
}
