package timeline

import (
	"slices"
	"time"
	"virtscope/analysis/deploy"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/analysis/text"
	"virtscope/results"
)

// The actions, as attr "action" of ActionBegin names them.
const (
	ActionMigrate    = "migrate"
	ActionBoot       = "boot"
	ActionCheckpoint = "checkpoint"
	ActionRecover    = "recover"
	ActionJobs       = "jobs"
)

// others are what is derived of an action that is no migration. What has no entry is taken for one.
var others = map[string]func(*Timeline, *index, results.Outcome, observation){
	ActionBoot: (*Timeline).boot, ActionCheckpoint: (*Timeline).checkpoint, ActionRecover: (*Timeline).recover, ActionJobs: (*Timeline).jobs,
}

// Migrates reports whether the trial is told as a migration is.
func (t *Timeline) Migrates() bool { return others[t.Action] == nil }

// Sections are what is to be read of an action that is no migration; none of one that is.
func (t *Timeline) Sections() []text.Section {
	switch {
	case t.Deployment != nil:
		return t.Deployment.Sections()
	case t.Checkpoints != nil:
		return t.Checkpoints.Sections()
	case t.Recovery != nil:
		return t.Recovery.Sections()
	case t.Jobs != nil:
		return t.Jobs.Sections()
	}
	return nil
}

// Names of the phases of actions that are no migration, beside those of starts.
const (
	PhaseHeldBack = "held back" // the one guest waited for its turn
	PhaseStarting = "starting"  // from the first guest's arrival until the last one is ready
)

// log is the records for the packages that do not know an index.
func (x *index) log() *edges.Log {
	bounds := map[string]time.Duration{}
	for host, c := range x.clocks {
		bounds[host] = c.Bound
	}
	return edges.NewLog(x.byName, bounds)
}

func (t *Timeline) action() edges.Window {
	return edges.Window{From: t.ActionBegin.Time, To: t.ActionEnd.Time}
}

// rest is from the action's begin to the end of all records: guests tell late how they started.
func (t *Timeline) rest() edges.Window {
	return edges.Window{From: t.ActionBegin.Time, To: max(t.ActionEnd.Time, maxTime)}
}

// take appends metrics.
func (t *Timeline) take(list []metric.Metric) {
	for _, m := range list {
		t.Metrics = append(t.Metrics, Metric{m.Name, m.Quantity})
	}
}

// boot is the action that starts guests.
func (t *Timeline) boot(x *index, o results.Outcome, obs observation) {
	log := x.log()
	starts := start.Build(log, t.rest(), t.ActionEnd.Time)
	t.Deployment = deploy.Build(log, starts, t.action())
	t.Phases = t.startPhases(starts)
	t.warnStarts(starts)
	t.take(t.Deployment.Metrics())
	t.finish(x, o, obs)
}

// finish adds what every trial has.
func (t *Timeline) finish(x *index, o results.Outcome, obs observation) {
	add := func(name string, q quantity.Quantity) { t.Metrics = append(t.Metrics, Metric{name, q}) }
	x.measureDiskVerified(add)
	x.measureTrial(o, add)
	t.measureNoise(x, obs)
	shown := window{max(t.Begin.Time, t.ActionBegin.Time-int64(1e9)), obs.span.to}
	t.CPU = x.cpuSeries(t.ActionBegin.Time, shown, drawnStep(shown))
}

// warnStarts takes over what the starts warn of.
func (t *Timeline) warnStarts(starts []start.Start) {
	for i := range starts {
		for _, w := range starts[i].Warnings {
			if g := starts[i].Guest; g != "" {
				w = "guest " + g + ": " + w
			}
			t.Warnings = append(t.Warnings, w)
		}
	}
}

// startPhases cuts the action: of one guest into the phases of its start, of several into what is before and after all are ready.
func (t *Timeline) startPhases(starts []start.Start) []Span {
	var spans []Span
	var last *Edge
	if len(starts) == 1 {
		s := &starts[0]
		if s.Asked != nil && s.Begin != nil && s.Begin.Time > s.Asked.Time {
			spans = append(spans, Span{Name: PhaseHeldBack, Start: *s.Asked, End: *s.Begin})
		}
		if s.Provision != nil {
			spans = append(spans, *s.Provision)
		}
		spans = append(spans, s.Phases...)
		last = s.Ready
	} else {
		var first *Edge
		for i := range starts {
			if a := starts[i].Asked; a != nil && (first == nil || a.Time < first.Time) {
				first = a
			}
			if r := starts[i].Ready; r != nil && (last == nil || r.Time > last.Time) {
				last = r
			}
		}
		if slices.ContainsFunc(starts, func(s start.Start) bool { return s.Ready == nil }) {
			last = &t.ActionEnd
		}
		if first != nil && last != nil {
			spans = append(spans, Span{Name: PhaseStarting, Start: *first, End: *last})
		}
	}
	if last != nil && last.Time < t.ActionEnd.Time {
		spans = append(spans, Span{Name: PhaseCompletion, Start: *last, End: t.ActionEnd})
	}
	all, _ := attribute(t.ActionBegin, t.ActionEnd, spans)
	return all
}
