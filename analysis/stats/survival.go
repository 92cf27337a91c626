package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Step of a survival curve: from Time on, the share Above of the trials is longer.
type Step struct {
	Time  float64
	Above float64 // 0…1
	SE    float64 // of Above, by Greenwood's formula; NaN once the curve is at 0
	Risk  int     // trials that were not over before Time
}

// A Survival is the Kaplan–Meier estimate of the distribution of a time of which some data are censored.
type Survival struct {
	Steps    []Step
	Median   Estimate // AtLeast: the curve does not come down to one half; the value is then the largest datum
	Interval Interval // of the median; High.AtLeast likewise
}

// KaplanMeier estimates the distribution where some trials were given up (Kaplan and Meier, Journal of the American Statistical
// Association 53, 1958). It assumes that those that were given up would have gone on like the others: a time limit
// does that, a crash may not. The median's interval is Brookmeyer and Crowley's (Biometrics 38, 1982), plain scale.
func KaplanMeier(s Sample, confidence float64) Survival {
	data := s.known()
	slices.SortStableFunc(data, func(a, b Datum) int {
		if c := cmp.Compare(a.Value, b.Value); c != 0 {
			return c
		}
		return asSign(a.Censored) - asSign(b.Censored) // at one time, ends come before what is given up
	})
	v := Survival{Median: Estimate{Value: math.NaN()}, Interval: Interval{Why: "there are no data"}}
	if len(data) == 0 {
		return v
	}
	above, sum := 1.0, 0.0
	for i := 0; i < len(data); {
		j, ends := i, 0
		for ; j < len(data) && data[j].Value == data[i].Value; j++ {
			if !data[j].Censored {
				ends++
			}
		}
		risk := len(data) - i
		if ends > 0 {
			above *= 1 - float64(ends)/float64(risk)
			se := math.NaN()
			if ends < risk {
				sum += float64(ends) / (float64(risk) * float64(risk-ends))
				se = above * math.Sqrt(sum)
			}
			v.Steps = append(v.Steps, Step{data[i].Value, above, se, risk})
		}
		i = j
	}
	last := Estimate{Value: data[len(data)-1].Value, AtLeast: true}
	v.Median = v.first(last, func(s Step) bool { return s.Above <= 0.5+1e-12 })
	v.Interval = v.medianInterval(last, confidence)
	return v
}

func (v Survival) first(otherwise Estimate, is func(Step) bool) Estimate {
	if i := slices.IndexFunc(v.Steps, is); i >= 0 {
		return Estimate{Value: v.Steps[i].Time}
	}
	return otherwise
}

func (v Survival) medianInterval(last Estimate, confidence float64) Interval {
	if len(v.Steps) == 0 {
		return Interval{Why: "all data are censored"}
	}
	z := distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
	// The median may be wherever the curve's own interval holds one half.
	low := v.first(last, func(s Step) bool { return s.Above == 0 || s.Above-z*s.SE <= 0.5 })
	high := v.first(last, func(s Step) bool { return s.Above == 0 || s.Above+z*s.SE < 0.5 })
	return Interval{Low: low, High: high, Confidence: confidence, Known: true}
}
