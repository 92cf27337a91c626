package live

import (
	"fmt"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A View is what can be said of a run at one time.
type View struct {
	Run     string    `json:"run"`
	Name    string    `json:"name"`
	Now     time.Time `json:"now"`
	Process Process   `json:"process"`
	Unsure  string    `json:"process_why,omitempty"` // why the process is unknown
	// State: waiting, running, replay, ended, killed (the process is gone and the run has not ended), not begun, or unknown (by its journal it has
	// not ended, and nobody can tell whether a process works on it).
	State      string            `json:"state"`
	Advice     string            `json:"advice,omitempty"`
	Trials     int               `json:"trials"`
	Completed  int               `json:"completed"`
	Failed     int               `json:"failed"`
	Invalid    int               `json:"invalid"`
	Elapsed    quantity.Quantity `json:"elapsed"` // s since the run began
	Left       quantity.Quantity `json:"left"`    // s, about
	Trial      *Trial            `json:"trial,omitempty"`
	Only       int               `json:"only,omitempty"` // the trial that alone is shown: then nothing is said of treatments
	Age        quantity.Quantity `json:"age"`            // s since the run ended, or last told of anything; unknown while it goes on
	Figure     string            `json:"figure"`         // what the treatments' figure is: downtime or action
	Treatments []Treatment       `json:"treatments"`
	Warnings   []string          `json:"warnings"` // the last ones
}

// A Trial is the attempt that began last.
type Trial struct {
	Order     int               `json:"order"`
	ID        string            `json:"id"`
	Treatment string            `json:"treatment"`
	Levels    []results.Level   `json:"levels"`
	Replicate int               `json:"replicate"`
	Attempt   int               `json:"attempt"`
	Elapsed   quantity.Quantity `json:"elapsed"`  // s
	Verdict   results.Verdict   `json:"verdict"`  // "" while it goes on
	State     string            `json:"state"`    // "" is not told
	In        quantity.Quantity `json:"in_state"` // s since the state began
	Action    string            `json:"action,omitempty"`
	Phase     string            `json:"phase,omitempty"`
	Records   int64             `json:"records"`
	Behind    quantity.Quantity `json:"behind"` // s between the newest record and now

	Rounds     []Round             `json:"rounds"`
	Earlier    int                 `json:"rounds_before"` // how many rounds were before, which are not kept
	Throughput quantity.Quantity   `json:"throughput"`    // B/s, of the newest second that the capture told
	Bars       []quantity.Quantity `json:"-"`             // B/s, each BarWidth s long, up to now
	BarWidth   float64             `json:"-"`
	Link       quantity.Quantity   `json:"link"`       // B/s that the migration may use at most
	Dirty      quantity.Quantity   `json:"dirty_rate"` // B/s by the hypervisor's last word
	Converges  string              `json:"converges"`  // yes, no, or unknown
	Why        string              `json:"converges_why"`
	Left       quantity.Quantity   `json:"remaining"` // B
	Total      quantity.Quantity   `json:"total"`     // B

	Downtime quantity.Quantity `json:"downtime"`   // s, the hypervisors' view
	Wire     quantity.Quantity `json:"silence"`    // s: the longest without a frame of the guest at the switch
	Client   quantity.Quantity `json:"unanswered"` // s: the longest without an answer to an echo probe
	RTT50    quantity.Quantity `json:"rtt_p50"`    // s
	RTT99    quantity.Quantity `json:"rtt_p99"`    // s
	RTTMax   quantity.Quantity `json:"rtt_max"`    // s: the longest since the action was asked for
	Troubles []string          `json:"troubles"`
	Cut      string            `json:"cut,omitempty"`
}

// A Treatment is what came of its trials so far.
type Treatment struct {
	Name      string            `json:"name"`
	Trials    int               `json:"trials"` // planned
	Completed int               `json:"completed"`
	Failed    int               `json:"failed"`
	Invalid   int               `json:"invalid"`
	Median    quantity.Quantity `json:"median"` // of Figure, over completed and failed trials
	N         int               `json:"n"`
}

// Bars is how many bars of throughput a view holds.
const Bars = 60

// View is the run at now.
func (r *Run) View(now time.Time) View {
	v := View{
		Run: r.manifest.Run, Name: r.manifest.Name, Now: now, Process: r.process, Unsure: r.unsure, Trials: r.planned(),
		Elapsed: quantity.Unknown(results.Seconds, "the run has not begun"), Left: r.left(now), Warnings: []string{}, Only: r.only, Age: quantity.Unknown(results.Seconds, "it goes on, or is shown as it happened"),
		Figure: "action", Treatments: []Treatment{},
	}
	for _, w := range r.warnings {
		v.Warnings = append(v.Warnings, w.text)
	}
	if r.missing > 0 {
		v.Warnings = append(v.Warnings, fmt.Sprintf("the records of %d attempts are not here: nothing is derived of them", r.missing))
	}
	if r.stopped {
		v.Figure = "downtime"
	}
	until := now
	if !r.end.IsZero() {
		until = r.end
	}
	if !r.begin.IsZero() {
		v.Elapsed = passed(until.Sub(r.begin).Seconds())
	}
	for _, verdict := range r.ended {
		count(verdict, &v.Completed, &v.Failed, &v.Invalid)
	}
	v.State, v.Advice = r.state()
	if r.only == 0 {
		v.Treatments = r.treatments()
	}
	if r.now != nil {
		v.Trial = r.trial(now, v.State)
	}
	return v
}

// Aged says how old the run is by a clock that reads so, if it does not go on. It changes the view.
func (r *Run) Aged(v *View, clock time.Time) {
	last := r.end
	if last.IsZero() {
		last = r.Newest()
	}
	switch age := clock.Sub(last).Seconds(); {
	case v.State != "ended" && v.State != "killed" && v.State != "unknown":
	case last.IsZero():
		v.Age = quantity.Unknown(results.Seconds, "it tells of no time")
	case age < 0:
		v.Age = quantity.Unknown(results.Seconds, "it ended later than it is by this clock")
	default:
		v.Age = quantity.Exactly(age, results.Seconds)
	}
}

func count(v results.Verdict, completed, failed, invalid *int) {
	switch v {
	case results.Completed:
		*completed++
	case results.Failed:
		*failed++
	case results.Invalid:
		*invalid++
	}
}

func (r *Run) state() (state, advice string) {
	open := r.planned() - len(r.ended)
	for _, v := range r.ended {
		if v == results.Interrupted {
			open++
		}
	}
	resume := "go on with virtscope run --resume " + r.folder
	switch {
	case r.replay:
		return "replay", ""
	case r.process == Working && r.begin.IsZero():
		return "waiting", "its process prepares the testbed"
	case r.process == Working:
		return "running", ""
	case !r.end.IsZero() && open > 0:
		return "ended", fmt.Sprintf("%d of %d trials were not run: %s", open, r.planned(), resume)
	case !r.end.IsZero():
		return "ended", ""
	case r.process == Unsure && !r.Over():
		return "unknown", unsureText + because(r.unsure) + ". By its journal it has not ended"
	case r.begin.IsZero() && r.attempts == 0 && len(r.ended) == 0:
		return "not begun", "no process works on it: " + resume
	case r.begin.IsZero():
		return "ended", "" // it was imported: it has no begin and no end
	}
	return "killed", "its process is gone: " + resume
}

const unsureText = "whether a process still works on it is not known"

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func (r *Run) treatments() []Treatment {
	list := []Treatment{}
	at := map[string]int{}
	for _, t := range r.plan {
		i, ok := at[t.Treatment]
		if !ok {
			i = len(list)
			at[t.Treatment] = i
			list = append(list, Treatment{Name: first(levels(t), t.Treatment)})
			f := r.actions[t.Treatment]
			if r.stopped {
				f = r.figures[t.Treatment]
			}
			list[i].N = len(f)
			list[i].Median = quantity.Median(f, results.Seconds, "no trial has ended")
		}
		if r.skipped[t.ID] {
			continue
		}
		list[i].Trials++
		count(r.ended[t.ID], &list[i].Completed, &list[i].Failed, &list[i].Invalid)
	}
	return list
}

func (r *Run) trial(now time.Time, state string) *Trial {
	t := r.now
	if t.ended || state != "running" && state != "replay" && state != "unknown" {
		// Nothing goes on: time stands still at what was told last.
		if t.latest != 0 {
			now = time.Unix(0, t.latest)
		}
	}
	out := &Trial{
		Order: t.plan.Order, ID: t.plan.ID, Treatment: t.plan.Treatment, Levels: t.plan.Levels, Replicate: t.plan.Replicate, Attempt: t.attempt,
		Elapsed: passed(now.Sub(t.begin).Seconds()), Verdict: r.ended[t.plan.ID],
		State: t.state, Action: t.action, Phase: t.phase, Records: t.count, Troubles: append([]string{}, t.troubles...), Cut: t.cut,
		In: quantity.Unknown(results.Seconds, "no record told of a state"), Behind: quantity.Unknown(results.Seconds, "no record was told"),
		Downtime: t.downtime(), Wire: t.silent(), Client: t.unanswered(),
		Throughput: t.flow.throughput(),
	}
	if t.state != "" {
		out.In = passed(seconds(now.UnixNano() - t.since))
	}
	if t.latest != 0 {
		out.Behind = passed(seconds(now.UnixNano() - t.latest))
	}
	out.RTT50, out.RTT99 = t.trips()
	out.RTTMax = t.longestTrip()
	out.Rounds, out.Earlier = t.reader().show(), t.rounds.dropped
	t.bars(out, now)
	t.converges(out)
	return out
}

// passed is s seconds that went by, of clocks that are taken for one: below 0 they are not.
func passed(s float64) quantity.Quantity {
	if s < -1 {
		return quantity.Unknown(results.Seconds, "it began later than it is by the clock")
	}
	return quantity.Exactly(max(0, s), results.Seconds)
}

// bars fit the action into the view, in bars of 0.1 s to 6.4 s.
func (t *trial) bars(out *Trial, now time.Time) {
	end := now.UnixNano()
	if t.actionEnd != 0 {
		end = min(end, t.actionEnd+int64(1e9))
	}
	wide := int64(1)
	for t.actionBegin != 0 && wide < 64 && (end-t.actionBegin)/(wide*slotWidth) > Bars {
		wide *= 2
	}
	out.Bars, out.BarWidth = t.flow.last(Bars, wide, end), seconds(wide*slotWidth)
}

// converges compares what the guest dirties with what the link takes.
func (t *trial) converges(out *Trial) {
	out.Left, out.Total = quantity.Unknown(results.Bytes, "the hypervisor has not told"), quantity.Unknown(results.Bytes, "the hypervisor has not told")
	if t.rounds.leftAt != 0 {
		out.Left = quantity.Exactly(t.rounds.left, results.Bytes)
	}
	if t.rounds.total > 0 {
		out.Total = quantity.Exactly(t.rounds.total, results.Bytes)
	}
	out.Dirty = quantity.Unknown(results.BytesPerSecond, "the hypervisor has not told")
	if t.rounds.now.at != 0 {
		out.Dirty = dirtied(t.rounds.now.dirty)
	}
	out.Link = quantity.Unknown(results.BytesPerSecond, "what the experiment allows is not known")
	switch l := t.link; {
	case l != nil && l.least() > 0:
		out.Link = quantity.Exactly(l.least(), results.BytesPerSecond)
	case l != nil:
		out.Link = quantity.Unknown(results.BytesPerSecond, "the experiment sets no limit")
	}
	against, whose := out.Link, "the link"
	for _, r := range out.Rounds {
		if !out.Link.Known && r.Rate.Known {
			against, whose = r.Rate, "what was sent"
		}
	}
	switch {
	case !out.Dirty.Known:
		out.Converges, out.Why = "unknown", out.Dirty.Why
	case !against.Known || against.Value == 0:
		out.Converges, out.Why = "unknown", "the link's rate is not known"
	case out.Dirty.Value < against.Low:
		out.Converges = "yes"
	case out.Dirty.Value < against.High:
		out.Converges, out.Why = "unknown", "it is about what was sent"
	default:
		out.Converges = "no"
	}
	if out.Why == "" {
		out.Why = fmt.Sprintf("%.0f %% of %s", 100*out.Dirty.Value/against.Value, whose)
	}
}
