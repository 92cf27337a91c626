package timeline

import (
	"fmt"
	"virtscope/analysis/quantity"
)

// A Disagreement is a pair of views of the outage that differ by more than their bounds and noise explain.
type Disagreement struct {
	Long  Metric  `json:"long"`
	Short Metric  `json:"short"`
	Noise float64 `json:"noise_s"` // s: the upper bound of the longer view's noise floor; 0 if it has none
}

// String names both views with their values, and the noise.
func (d Disagreement) String() string {
	return fmt.Sprintf("%s %s against %s %s, noise floor %s",
		d.Long.Name, quantity.ShowWithin(d.Long.Quantity), d.Short.Name, quantity.ShowWithin(d.Short.Quantity), quantity.Duration(d.Noise))
}

// disagreements lists the pairs of views that differ by more than their bounds and noise explain. Noise only lengthens a
// gap, so the longer one of a pair is allowed its own floor. The hypervisor's own figure is left out: it measures
// another span (see reported).
func disagreements(outages []Outage) []Disagreement {
	var list []Disagreement
	for i, a := range outages {
		for _, b := range outages[i+1:] {
			if a.Name == DowntimeReported || b.Name == DowntimeReported || !a.Known || !b.Known {
				continue
			}
			long, short := a, b
			if b.Value > a.Value {
				long, short = b, a
			}
			if short.Censored {
				continue
			}
			d := Disagreement{Long: Metric{long.Name, long.Quantity}, Short: Metric{short.Name, short.Quantity}}
			if long.Floor.Known {
				d.Noise = long.Floor.High
			}
			if long.Low-d.Noise > short.High {
				list = append(list, d)
			}
		}
	}
	return list
}
