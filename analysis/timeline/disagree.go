package timeline

import "fmt"

// disagreements lists the pairs of views that differ by more than their bounds and noise explain. Noise only lengthens a
// gap, so the longer one of a pair is allowed its own floor. The hypervisor's own figure is left out: it measures
// another span (see reported).
func disagreements(outages []Outage) []string {
	var list []string
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
			noise := 0.0
			if long.Floor.Known {
				noise = long.Floor.High
			}
			if long.Low-noise <= short.High {
				continue
			}
			list = append(list, fmt.Sprintf("%s %s against %s %s, noise floor %s",
				long.Name, showSeconds(long.Quantity), short.Name, showSeconds(short.Quantity), showDuration(noise)))
		}
	}
	return list
}
