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
	BottleneckThrottle  = "throttle" // the guest was being slowed down in the last sample that told it
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
	if len(in.Rounds) > 0 && !in.atOnce() { // whose one round is the synchronisation alone
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

// A part of a migration is sent under one limit.
type part struct {
	when  string // for words, after "memory was sent"
	rate  quantity.Quantity
	limit float64 // B/s that the hypervisor may use; 0 is none
	what  string  // the limit's name
}

// parts are all of a migration, or what passed before and after its switch: post-copy has a limit of its own. One that
// turns to post-copy at once sends nothing before.
func (in Input) parts() []part {
	const pre, post = "max-bandwidth", "postcopy-bandwidth"
	if !in.Switched {
		return []part{{"", in.LinkRate, in.Limits.MaxBandwidth, pre}}
	}
	after := part{" in post-copy", in.PostRate, in.Limits.PostCopyBandwidth, post}
	if in.atOnce() {
		return []part{after}
	}
	return []part{{" before post-copy", in.PreRate, in.Limits.MaxBandwidth, pre}, after}
}

// atOnce reports whether hardly anything was sent before the switch to post-copy.
func (in Input) atOnce() bool {
	return in.Switched && in.Switch.Known && in.Switch.Value <= brief
}

func (in Input) bandwidth() Finding {
	var list []Finding
	for _, p := range in.parts() {
		if p.limit <= 0 {
			list = append(list, Finding{Name: BottleneckBandwidth, Known: true, Text: "no " + p.what + " was set"})
			continue
		}
		list = append(list, p.used(BottleneckBandwidth, p.what, p.limit))
	}
	return either(list)
}

func (in Input) link() Finding {
	switch {
	case in.Algorithm == results.AlgorithmMappedRAM, in.Algorithm == results.AlgorithmBackgroundSnapshot:
		return Finding{Name: BottleneckLink, Known: true, Text: "not asked: it goes through a file"}
	case in.Limits.Link <= 0:
		return unknown(BottleneckLink, "the link has no rate limit, so that its capacity is that of the machine")
	}
	var list []Finding
	for _, p := range in.parts() {
		list = append(list, p.used(BottleneckLink, "the link", in.Limits.Link*payloadShare))
	}
	f := either(list)
	if len(in.Beside) == 0 || f.Holds || !f.Known {
		return f
	}
	return unknown(BottleneckLink, f.Text+"; what else passed it ("+strings.Join(in.Beside, ", ")+") is not in that, and may have filled it")
}

// either is a rule that holds if it does of one part, and is known if it is known of all.
func either(parts []Finding) Finding {
	all := Finding{Name: parts[0].Name, Known: true}
	var texts []string
	for _, f := range parts {
		if f.Holds {
			return f
		}
		all.Known = all.Known && f.Known
		texts = append(texts, f.Text)
	}
	all.Text = strings.Join(texts, "; ")
	return all
}

// payloadShare is the TCP payload of what Ethernet carries: 1448 B of a frame of 1514 B, with an MTU of 1500 B and TCP timestamps.
const payloadShare = 1448.0 / 1514

// used holds where the rate came near a limit.
func (p part) used(name, what string, limit float64) Finding {
	if !p.rate.Known {
		return unknown(name, "the rate at which memory was sent"+p.when+": "+p.rate.Why)
	}
	share := p.rate.Value / limit
	return Finding{
		Name: name, Known: true, Holds: share >= nearly,
		Text: fmt.Sprintf("memory was sent%s at %s, %.0f %% of the %s that %s allows", p.when, quantity.Show(p.rate), 100*share,
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
		return Finding{Name: BottleneckThrottle, Known: true, Holds: true, Text: fmt.Sprintf("in the last sample that told it, %.0f %% of its CPU time were taken from the guest", 100*in.Throttle.Value)}
	case in.Throttle.Known:
		return Finding{Name: BottleneckThrottle, Known: true, Text: "the guest was not slowed down in the last sample that told it"}
	case applies:
		return unknown(BottleneckThrottle, in.Throttle.Why)
	}
	return Finding{Name: BottleneckThrottle, Known: true, Text: "this algorithm slows no guest down"}
}
