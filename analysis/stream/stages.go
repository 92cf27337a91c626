package stream

import (
	"cmp"
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Unattributed names the time that no stage explains.
const Unattributed = "unattributed"

// A Stage is when a stage began.
type Stage struct {
	Name  string `json:"name"` // one of results.Stage…
	Begin Moment `json:"begin"`
	// From says what showed it, where it was no byte of the stream.
	From string `json:"from,omitempty"`
}

// A Phase is a stage as long as it lasted, or unattributed time. Phases follow one another without a gap.
type Phase struct {
	Name     string            `json:"name"`
	Begin    Moment            `json:"begin"`
	End      Moment            `json:"end"`
	Duration quantity.Quantity `json:"duration"` // s
}

// order is that of the stages of a pre-copy migration.
var order = []string{
	results.StageSetup, results.StagePreCopy, results.StageStopCopy, results.StageDeviceState, results.StagePostCopy,
	results.StageSwitchOver, results.StageRunning, results.StageDone,
}

// stages lists the stages by their begin. Of one that was recorded more than once, the first counts.
func (l *log) stages() []Stage {
	var list []Stage
	seen := map[string]int{}
	for _, r := range l.byName[results.WireStage] {
		name := r.Attrs["stage"]
		if seen[name]++; seen[name] > 1 {
			continue
		}
		list = append(list, Stage{Name: name, Begin: momentOf(r), From: r.Attrs["from"]})
	}
	for _, s := range list {
		if n := seen[s.Name]; n > 1 {
			l.note("stage %q began %d times: the first counts", s.Name, n)
		}
	}
	slices.SortStableFunc(list, func(a, b Stage) int {
		return cmp.Or(cmp.Compare(a.Begin.Time, b.Begin.Time), cmp.Compare(slices.Index(order, a.Name), slices.Index(order, b.Name)))
	})
	return list
}

func (m *Migration) stage(name string) *Moment {
	for _, s := range m.Stages {
		if s.Name == name {
			return &s.Begin
		}
	}
	return nil
}

// phases lays the stages between begin and end; they add up to that time. In post-copy pages go on to pass after the guest
// runs at the destination, so that its start cuts no phase.
func (m *Migration) phases() []Phase {
	posted := false
	list := []Phase{{Name: Unattributed, Begin: m.Begin}}
	for _, s := range m.Stages {
		posted = posted || s.Name == results.StagePostCopy
		if s.Name == results.StageDone || s.Name == results.StageRunning && posted {
			continue
		}
		list[len(list)-1].End = s.Begin
		list = append(list, Phase{Name: s.Name, Begin: s.Begin})
	}
	list[len(list)-1].End = m.End
	var kept []Phase
	for _, p := range list {
		if p.Begin.Time == p.End.Time && p.Name == Unattributed {
			continue
		}
		p.Duration = p.End.Since(p.Begin)
		kept = append(kept, p)
	}
	return kept
}

// Total adds up phases, in ns. Those of a migration add up to its End − Begin.
func Total(phases []Phase) int64 {
	var sum int64
	for _, p := range phases {
		sum += p.End.Time - p.Begin.Time
	}
	return sum
}

// downtime is from the stop to the start of the guest, as the stream and what follows it show them.
func (m *Migration) downtime() quantity.Quantity {
	stop, run := m.stage(results.StageStopCopy), m.stage(results.StageRunning)
	switch {
	case stop == nil:
		return quantity.Unknown(results.Seconds, "no packet shows when the guest stopped at the source")
	case run != nil && run.Latest < stop.Earliest:
		return quantity.Unknown(results.Seconds, "the guest ran at the destination before it stopped at the source: packets contradict each other")
	case run != nil:
		return run.Since(*stop)
	}
	why := "no packet shows when the guest ran at the destination"
	// The destination cannot resume before it was told to, or before the last byte that it needs.
	for _, name := range []string{results.StagePostCopy, results.StageSwitchOver} {
		if sent := m.stage(name); sent != nil && m.How == HowComplete && sent.Earliest > stop.Latest {
			return quantity.AtLeast(seconds(sent.Earliest-stop.Latest), results.Seconds, why+fmt.Sprintf("; it cannot before %s begins", name))
		}
	}
	return quantity.Unknown(results.Seconds, why)
}
