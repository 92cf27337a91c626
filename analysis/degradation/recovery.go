package degradation

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A verdict is whether a service is back to where it was.
type verdict int

const (
	bad verdict = iota
	good
	untold // nobody knows
)

// firstSteady finds from which bin on all are good for the time of steady, as of the guest's resume. Where the observation ends in a run that is too short,
// the time is at least that until it began.
func firstSteady(bins []bin, w Windows, judge func(i int) verdict) quantity.Quantity {
	const u = results.Seconds
	if w.Resume == 0 {
		return quantity.Unknown(u, "it is not known when the guest ran again")
	}
	span := w.span()
	begin, previous := -1, w.Resume
	until := w.Resume
	for i, b := range bins {
		if b.to <= w.Resume || b.from >= span.To {
			continue
		}
		if b.from > until {
			return quantity.Unknown(u, "nothing was recorded of it for a while after the guest ran again")
		}
		until = b.to
		if begin < 0 {
			begin = i
		}
		switch judge(i) {
		case untold:
			return quantity.Unknown(u, "nothing is known of it for a while after the guest ran again")
		case bad:
			begin, previous = -1, b.from
			continue
		}
		if b.to-max(w.Resume, bins[begin].from) >= steady {
			v := seconds(max(0, bins[begin].from-w.Resume))
			return quantity.Within(v, seconds(max(0, previous-w.Resume)), v, u)
		}
	}
	switch {
	case until == w.Resume:
		return quantity.Unknown(u, "nothing was recorded of it after the guest ran again")
	case begin >= 0:
		return quantity.AtLeast(seconds(max(0, bins[begin].from-w.Resume)), u, "the observation ended before it had been back for 0.5 s")
	}
	return quantity.AtLeast(seconds(until-w.Resume), u, "the observation ended before it was back")
}
