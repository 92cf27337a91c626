package convergence

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Round is a pre-copy round's race between the guest, which dirties memory, and the link, which carries it.
type Round struct {
	N        int               `json:"n"`
	Duration quantity.Quantity `json:"duration"` // s
	LinkRate quantity.Quantity `json:"link_rate"`
	// Dirtied is what the guest added to what is to be sent while it lasted, in B, each page once: what the next synchronisation
	// found left, less what the round had not sent. QEMU synchronises as soon as it believes that the rest can be sent within
	// downtime-limit, so that may be much. Where it is not known how many pages were sent, it is taken to be anything up to that.
	Dirtied quantity.Quantity `json:"dirtied"`
	// DirtyRate is Dirtied over Duration in B/s, and Reported the hypervisor's own.
	DirtyRate quantity.Quantity `json:"dirty_rate"`
	Reported  quantity.Quantity `json:"reported"`
	// Ratio is DirtyRate over LinkRate: below 1 rounds shrink, above they grow.
	Ratio quantity.Quantity `json:"ratio"`
	// NextDuration is how long the next round takes at this link rate, in s, and NextLeft what it leaves at these rates, in B.
	NextDuration quantity.Quantity `json:"next_duration"`
	NextLeft     quantity.Quantity `json:"next_left"`
	CPU          quantity.Quantity `json:"cpu"` // 1: share of one core of the busiest migration thread
}

func (in Input) round(i int) Round {
	m := in.Rounds[i]
	r := Round{N: m.N, Duration: m.Duration, LinkRate: m.LinkRate, Reported: m.Reported, CPU: m.CPU}
	if !r.LinkRate.Known {
		r.LinkRate = quantity.Rate(m.Sent, m.Duration, results.BytesPerSecond)
	}
	r.Dirtied = in.dirtied(m, r.LinkRate)
	r.DirtyRate = quantity.Rate(r.Dirtied, m.Duration, results.BytesPerSecond)
	r.Ratio = quantity.Rate(r.DirtyRate, r.LinkRate, results.One)
	r.NextDuration = quantity.Rate(m.After, r.LinkRate, results.Seconds)
	r.NextLeft = times(r.DirtyRate, r.NextDuration, in.Limits.WorkingSet)
	return r
}

// dirtied is what was left after the round less what it had not sent.
func (in Input) dirtied(m Measured, link quantity.Quantity) quantity.Quantity {
	const u = results.Bytes
	q := m.After
	if !q.Known || q.Censored {
		return q
	}
	unsent, ok := in.unsent(m, link)
	if !ok {
		return quantity.Unknown(u, "it is not known how much of what was left the round had not sent: neither how many pages it sent, nor the downtime limit")
	}
	return quantity.Within(max(0, q.Value-unsent.Value), max(0, q.Low-unsent.High), max(0, q.High-unsent.Low), u)
}

// unsent is what a round had not sent when the hypervisor synchronised again.
func (in Input) unsent(m Measured, link quantity.Quantity) (quantity.Quantity, bool) {
	const u = results.Bytes
	switch {
	case m.Left.Known && !m.Left.Censored && m.Pages.Known && !m.Pages.Censored:
		least := func(left, sent float64) float64 { return max(0, left-sent) }
		return quantity.Within(least(m.Left.Value, m.Pages.Value), least(m.Left.Low, m.Pages.High), least(m.Left.High, m.Pages.Low), u), true
	case link.Known && !link.Censored && in.Limits.DowntimeLimit > 0:
		most := link.High * in.Limits.DowntimeLimit
		return quantity.Within(most/2, 0, most, u), true
	}
	return quantity.Quantity{}, false
}

// times is a rate times a time in B, at most most if that is above 0.
func times(rate, time quantity.Quantity, most float64) quantity.Quantity {
	const u = results.Bytes
	switch {
	case !rate.Known:
		return quantity.Unknown(u, rate.Why)
	case !time.Known:
		return quantity.Unknown(u, time.Why)
	case rate.Censored || time.Censored:
		return quantity.Unknown(u, rate.Why+time.Why)
	}
	limit := func(v float64) float64 {
		if most > 0 {
			return min(v, most)
		}
		return v
	}
	return quantity.Within(limit(rate.Value*time.Value), limit(rate.Low*time.Low), limit(rate.High*time.High), u)
}

// outpaced reports whether the guest dirtied memory as fast as the link carried it, or faster. Where only a part of the bounds says
// so, the hypervisor's own dirty rate must say it too.
func (r Round) outpaced() bool {
	if !r.Ratio.Known {
		return false
	}
	return r.Ratio.Low >= 1 || r.Ratio.Value >= 1 && r.Reported.Known && r.Reported.Value >= r.LinkRate.Value
}

// decisive is the last round of which the ratio is known; nil if there is none. The last round of all may be too short for it.
func decisive(rounds []Round) *Round {
	for i := len(rounds) - 1; i >= 0; i-- {
		if rounds[i].Ratio.Known && !rounds[i].Ratio.Censored {
			return &rounds[i]
		}
	}
	return nil
}
