package convergence

import (
	"fmt"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// What may limit a migration, in the order in which the rules are asked: of those that hold, the first is the bottleneck.
const (
	BottleneckDirty     = "dirty rate"      // memory is dirtied at least as fast as it is sent, and the migration waited for that to change
	BottleneckBandwidth = "bandwidth limit" // the hypervisor used at least 90 % of what it may use
	BottleneckLink      = "link"            // the link carried at least 90 % of what it can
	BottleneckCPU       = "migration thread"
	BottleneckThrottle  = "throttle" // the guest was being slowed down when the migration ended
	BottleneckNone      = "none"     // no rule holds
	BottleneckUnknown   = "unknown"  // no rule holds, and some could not be asked
)

// nearly is the share of what there is from which on it counts as used up.
const nearly = 0.9

// A Finding is one rule: whether it holds, and the figures in words.
type Finding struct {
	Name  string `json:"name"`
	Known bool   `json:"known"`
	Holds bool   `json:"holds"`
	Text  string `json:"text"`
}

func unknown(name, why string) Finding { return Finding{Name: name, Text: "not known: " + why} }

// findings asks all rules.
func (in Input) findings(rounds []Round) []Finding {
	list := []Finding{}
	if len(in.Rounds) > 0 {
		list = append(list, in.dirty(rounds))
	}
	return append(list, in.bandwidth(), in.link(), in.cpu(), in.throttle())
}

// name is the first rule that holds.
func name(findings []Finding) (bottleneck, evidence string) {
	var missing []string
	for _, f := range findings {
		if f.Holds {
			return f.Name, f.Text
		}
		if !f.Known {
			missing = append(missing, f.Name+" "+f.Text)
		}
	}
	if len(missing) > 0 {
		return BottleneckUnknown, strings.Join(missing, "; ")
	}
	return BottleneckNone, "no rule holds: none of the rates came near its limit"
}

// dirty holds where a round did not gain on the guest: of a migration that completed the longest one, else the last of which
// both rates are known; and where one that did not complete hardly gained over its last rounds together.
func (in Input) dirty(rounds []Round) Finding {
	if t, ok := trendOf(rounds); ok && !in.Completed {
		return Finding{Name: BottleneckDirty, Known: true, Holds: t.ratio() >= nearly, Text: t.String()}
	}
	r := decisive(rounds)
	for i := range rounds {
		if in.Completed && r != nil && rounds[i].Ratio.Known && !rounds[i].Ratio.Censored && rounds[i].Duration.Value > r.Duration.Value {
			r = &rounds[i]
		}
	}
	if r == nil {
		why := "there was no round"
		if n := len(rounds); n > 0 {
			why = rounds[n-1].Ratio.Why
		}
		return unknown(BottleneckDirty, why)
	}
	f := Finding{Name: BottleneckDirty, Known: true, Holds: r.outpaced()}
	f.Text = fmt.Sprintf("in round %d the guest dirtied %s and %s were sent: a ratio of %s",
		r.N, quantity.Show(r.DirtyRate), quantity.Show(r.LinkRate), quantity.ShowWithin(r.Ratio))
	return f
}

func (in Input) bandwidth() Finding {
	limit, what := in.Limits.MaxBandwidth, "max-bandwidth"
	if in.Switched && len(in.Rounds) == 0 {
		limit, what = in.Limits.PostCopyBandwidth, "postcopy-bandwidth"
	}
	if limit <= 0 {
		return Finding{Name: BottleneckBandwidth, Known: true, Text: "no " + what + " was set"}
	}
	return in.used(BottleneckBandwidth, what, limit)
}

func (in Input) link() Finding {
	if in.Limits.Link <= 0 {
		return unknown(BottleneckLink, "the link has no rate limit, so that its capacity is that of the machine")
	}
	return in.used(BottleneckLink, "the link", in.Limits.Link*payloadShare)
}

// payloadShare is the TCP payload of what Ethernet carries: 1448 B of a frame of 1514 B, with an MTU of 1500 B and TCP timestamps.
const payloadShare = 1448.0 / 1514

// used holds where the rate came near a limit.
func (in Input) used(name, what string, limit float64) Finding {
	if !in.LinkRate.Known {
		return unknown(name, "the rate at which memory was sent: "+in.LinkRate.Why)
	}
	share := in.LinkRate.Value / limit
	return Finding{
		Name: name, Known: true, Holds: share >= nearly,
		Text: fmt.Sprintf("memory was sent at %s, %.0f %% of the %s that %s allows", quantity.Show(in.LinkRate), 100*share,
			quantity.Scaled(limit, limit/1000, results.BytesPerSecond), what),
	}
}

func (in Input) cpu() Finding {
	best := -1
	for i, t := range in.Threads {
		if t.Share.Known && (best < 0 || t.Share.Value > in.Threads[best].Share.Value) {
			best = i
		}
	}
	if best < 0 {
		why := in.NoThreads
		if len(in.Threads) > 0 {
			why = in.Threads[0].Share.Why
		}
		return unknown(BottleneckCPU, why)
	}
	t := in.Threads[best]
	return Finding{
		Name: BottleneckCPU, Known: true, Holds: t.Share.Value >= nearly,
		Text: fmt.Sprintf("thread %s used %.0f %% of one core while memory was sent", t.Name, 100*t.Share.Value),
	}
}

func (in Input) throttle() Finding {
	applies := in.Algorithm == results.AlgorithmAutoConverge || in.Algorithm == results.AlgorithmDirtyLimit
	switch {
	case in.Throttle.Known && in.Throttle.Value > 0:
		return Finding{Name: BottleneckThrottle, Known: true, Holds: true, Text: fmt.Sprintf("at the end %.0f %% of its CPU time were taken from the guest", 100*in.Throttle.Value)}
	case in.Throttle.Known:
		return Finding{Name: BottleneckThrottle, Known: true, Text: "the guest was not slowed down at the end"}
	case applies:
		return unknown(BottleneckThrottle, in.Throttle.Why)
	}
	return Finding{Name: BottleneckThrottle, Known: true, Text: "this algorithm slows no guest down"}
}
