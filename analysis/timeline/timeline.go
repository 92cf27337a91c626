package timeline

import (
	"fmt"
	"slices"
	"virtscope/analysis/convergence"
	"virtscope/analysis/degradation"
	"virtscope/analysis/deploy"
	"virtscope/analysis/jobs"
	"virtscope/analysis/quantity"
	"virtscope/analysis/recovery"
	"virtscope/analysis/saving"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// A Timeline is what happened in one attempt at a trial. All times are on the controller's clock.
type Timeline struct {
	Trial       results.Trial   `json:"trial"`
	Verdict     results.Verdict `json:"verdict"`
	Reason      string          `json:"reason,omitempty"`
	Source      string          `json:"source,omitempty"`      // host; "" if not known
	Destination string          `json:"destination,omitempty"` // host; "" if not known
	Clocks      []Clock         `json:"clocks"`

	Begin  Edge   `json:"begin"`
	End    Edge   `json:"end"`
	States []Span `json:"states"` // add up to End − Begin

	Action      string   `json:"action,omitempty"`    // "" if it never began
	Algorithm   string   `json:"algorithm,omitempty"` // of a migration; "" if it was not recorded
	Client      string   `json:"client,omitempty"`    // where the client ran: third, source or destination; "" if it was not recorded
	ActionBegin Edge     `json:"action_begin"`
	ActionEnd   Edge     `json:"action_end"`
	Phases      []Span   `json:"phases"` // add up to ActionEnd − ActionBegin
	Missing     []string `json:"missing,omitempty"`
	Marks       []Mark   `json:"marks,omitempty"`      // what the hypervisors said and what was done beside the migration, in order
	LinkDowns   []Down   `json:"link_downs,omitempty"` // when links were cut

	Rounds []Round `json:"rounds,omitempty"`
	// Convergence says why the migration did, or did not, converge; nil if the action did not begin.
	Convergence *convergence.Analysis `json:"convergence,omitempty"`
	Outages     []Outage              `json:"outages"`
	Memory      quantity.Quantity     `json:"memory"` // B, the guest memory that was migrated
	Metrics     []Metric              `json:"metrics"`
	// Wire is the migration as its decoded packets show it; nil if there is none, and WireMissing says why.
	Wire        *stream.Migration `json:"wire,omitempty"`
	WireMissing string            `json:"wire_missing,omitempty"`
	// Comparisons hold it against what the hypervisors say, and RoundComparisons each of its rounds.
	Comparisons      []Comparison      `json:"comparisons,omitempty"`
	RoundComparisons []RoundComparison `json:"round_comparisons,omitempty"`

	// Services are what the guest served and did by itself; their figures are among the metrics too.
	Services []degradation.Service `json:"services,omitempty"`

	// What another action than a migration has; nil of the others.
	Deployment  *deploy.Deployment `json:"deployment,omitempty"`
	Checkpoints *saving.Report     `json:"checkpoints,omitempty"`
	Recovery    *recovery.Report   `json:"recovery,omitempty"`
	Jobs        *jobs.Report       `json:"jobs,omitempty"`

	Throughput Series   `json:"throughput"`
	CPU        []Series `json:"cpu,omitempty"`
	Warnings   []string `json:"warnings,omitempty"` // what a reader must know beside the numbers
	// Disagreements are the pairs of views of the outage that differ by more than bounds and noise explain.
	Disagreements []Disagreement `json:"disagreements,omitempty"`
	Notes         []string       `json:"notes,omitempty"`     // what was assumed
	Unsettled     []string       `json:"unsettled,omitempty"` // what still rose or fell when the action began
}

// A Mark is an event of a hypervisor, or something that was done on purpose.
type Mark struct {
	Edge Edge   `json:"edge"`
	Text string `json:"text"`
}

// An observation is the windows over which the outages are looked for.
type observation struct {
	action   int64   // when the action began
	span     window  // from then to the end of the quiet time after it
	baseline window  // the undisturbed guest; empty if there was none
	stopped  *window // from the guest's stop to its resume, if known
	moved    bool    // the guest ran at the destination
	client   string  // where the client ran
}

// Build makes the timeline of a trial from its records, which may come in any order and are not changed. Records that
// cannot be, such as a time before 1970 or a value that is not a number, are an error.
func Build(o results.Outcome, records []results.Record) (*Timeline, error) {
	return BuildWithin(o, records, convergence.Limits{})
}

// BuildWithin is Build with what the experiment set: without it, no limit can be named that the migration came near to.
func BuildWithin(o results.Outcome, records []results.Record, limits convergence.Limits) (*Timeline, error) {
	t, _, err := build(o, records, limits)
	return t, err
}

func build(o results.Outcome, records []results.Record, limits convergence.Limits) (*Timeline, *index, error) {
	x, err := newIndex(records)
	if err != nil {
		return nil, nil, fmt.Errorf("build timeline of trial %s: %w", o.Trial.ID, err)
	}
	t := &Timeline{Trial: o.Trial, Verdict: o.Verdict, Reason: o.Reason, Clocks: sortedClocks(x.clocks)}
	t.Notes, t.Warnings = clockNotes(t.Clocks, x.controller)
	t.Warnings = append(slices.Clone(o.Warnings), t.Warnings...)
	t.Begin, t.End, t.States = x.states(o)

	obs, ok := t.frame(x)
	if !ok {
		t.Outages = nothingSeen("the action did not begin")
		t.Memory = quantity.Unknown(results.Bytes, "the action did not begin")
		t.WireMissing = "the action did not begin"
		t.measure(x, o, nil, obs)
		return t, x, nil
	}
	if act := others[t.Action]; act != nil {
		t.Memory = quantity.Unknown(results.Bytes, "the action migrates no memory")
		t.WireMissing = "the action is no migration"
		act(t, x, o, obs)
		return t, x, nil
	}
	m := x.observe(obs.span, t.Algorithm, t.ActionBegin, t.ActionEnd)
	obs.moved, obs.client = m.resume != nil && !m.rolledBack && !m.snapshot(), t.Client
	t.Source, t.Destination = m.source, m.destination
	t.Phases = m.phases()
	t.Missing = m.missing
	t.Notes = append(t.Notes, m.notes...)
	if m.kill != nil && obs.moved && m.kill.Time >= m.resume.Time {
		t.Warnings = append(t.Warnings, "the destination was killed after the guest ran there: the guest is gone, and its downtime is only that of the switch-over before")
	}
	t.Marks = x.marks(obs.span)
	t.LinkDowns = x.linkDowns(obs.span)
	if m.stop != nil && m.resume != nil && m.stop.Time <= m.resume.Time {
		obs.stopped = &window{m.stop.Time, m.resume.Time}
	}
	payload := x.readFlow(results.FlowPayload, "forward")
	t.Rounds = x.rounds(m, t.Phases, payload)
	t.Outages = []Outage{m.downtime(obs.span.to), x.reported(), x.wire(obs), x.client(obs), x.guest(obs)}
	for _, out := range t.Outages {
		if out.warning != "" {
			t.Warnings = append(t.Warnings, out.warning)
		}
		if out.Before > 0 {
			t.Warnings = append(t.Warnings, fmt.Sprintf("%s: the silence began %s before the request: the action did not cause that part, and may not have caused the rest", out.Name, quantity.Duration(out.Before)))
		}
	}
	t.Disagreements = disagreements(t.Outages)
	t.Memory = x.final(results.MigrationTotal, results.Bytes)
	t.observeWire(x, m, obs, payload)
	t.measure(x, o, m, obs)
	t.serve(x, obs)
	t.Convergence = convergence.Analyse(t.converging(x, m, payload, limits))
	t.measureAccuracy()

	shown := window{max(t.Begin.Time, t.ActionBegin.Time-int64(1e9)), obs.span.to}
	t.Throughput = throughput(payload, t.ActionBegin.Time, shown)
	t.CPU = x.cpuSeries(t.ActionBegin.Time, shown, drawnStep(shown))
	return t, x, nil
}

// frame finds the action and the windows around it; ok is false if the action did not begin.
func (t *Timeline) frame(x *index) (o observation, ok bool) {
	begins := x.byName[results.ActionBegin]
	if base, found := state(t.States, results.StateBaseline); found {
		o.baseline = base
	}
	if len(begins) == 0 {
		return o, false
	}
	t.Action = begins[0].Attrs["action"]
	t.Algorithm, t.Client = begins[0].Attrs[results.AttrAlgorithm], begins[0].Attrs[results.AttrClient]
	t.ActionBegin = x.edge(begins[0])
	o.action = t.ActionBegin.Time
	t.ActionEnd = t.End
	for _, r := range slices.Backward(x.byName[results.ActionEnd]) {
		if r.Time >= t.ActionBegin.Time {
			t.ActionEnd = x.edge(r)
			break
		}
	}
	if t.ActionEnd.What != results.ActionEnd {
		t.Missing = append(t.Missing, "end of the action: it was cut off")
		t.Warnings = append(t.Warnings, "the action did not return: its phases are counted to the end of the trial")
	}
	if t.ActionEnd.Time < t.ActionBegin.Time {
		t.ActionEnd = t.ActionBegin
	}
	o.span = window{t.ActionBegin.Time, t.ActionEnd.Time}
	if quiet, found := state(t.States, results.StateQuiesce); found {
		o.span.to = max(o.span.to, quiet.to)
	}
	// The baseline ends where the action begins, whatever the states say.
	o.baseline.to = min(o.baseline.to, o.span.from)
	if o.baseline.from >= o.baseline.to {
		o.baseline = window{}
		if t.Action == ActionBoot || t.Action == ActionJobs {
			return o, true // there is no guest that would have one
		}
		t.Notes = append(t.Notes, "there was no baseline: noise floors are not known")
	}
	return o, true
}

func nothingSeen(why string) []Outage {
	var list []Outage
	for _, name := range []string{Downtime, DowntimeReported, BlackoutWire, BlackoutClient, BlackoutGuest} {
		list = append(list, noView(name, why))
	}
	return list
}

// Outage returns a view by name; an unknown one if there is no such view.
func (t *Timeline) Outage(name string) Outage {
	for _, o := range t.Outages {
		if o.Name == name {
			return o
		}
	}
	return noView(name, "there is no such view")
}
