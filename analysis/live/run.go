package live

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Link is what the experiment allows a trial's migration, in B/s; 0 is no limit.
type Link struct {
	Rate float64 // of the link
	Most float64 // that the hypervisor may use
}

// least is the limit that holds; 0 is none.
func (l Link) least() float64 {
	if l.Rate == 0 || l.Most != 0 && l.Most < l.Rate {
		return l.Most
	}
	return l.Rate
}

// A Process is what is known of the process that works on a run.
type Process string

// Unknown: the file system cannot tell.
const (
	Working Process = "working"
	Gone    Process = "gone"
	Unsure  Process = "unknown"
)

// maxWarnings is how many warnings are kept.
const maxWarnings = 50

// A Run folds a run: its journal's entries in order, the records of each attempt between its begin and its end, and its
// outcome. It is not safe for concurrent use.
type Run struct {
	manifest results.Manifest
	plan     []results.Trial
	links    map[string]Link // by trial
	process  Process
	unsure   string // why the process is Unsure
	folder   string
	replay   bool
	only     int // the trial that alone is shown; 0 is all

	begin, end time.Time // end: of the last run.end; zero while there is none after the last run.begin
	attempts   int
	ended      map[string]results.Verdict // by trial, the last attempt's
	skipped    map[string]bool            // trials that were not needed
	took       map[string][]float64       // s, by treatment: of attempts that ended
	figures    map[string][]quantity.Quantity
	stopped    bool // some trial's guest was stopped: downtimes are the figure
	actions    map[string][]quantity.Quantity
	now        *trial
	warnings   []warning
	missing    int // attempts without records
	lines      []Line
}

// A warning is of an attempt at a trial, or of the run if trial is "".
type warning struct{ trial, text string }

// A Line is something that happened.
type Line struct {
	Time time.Time // zero is not known
	Text string
}

// NewRun begins to fold a run. Links holds what each trial's migration may use, by the trial's id, where it is known.
func NewRun(m results.Manifest, plan []results.Trial, links map[string]Link) *Run {
	return &Run{
		manifest: m, folder: m.Run, plan: plan, links: links, process: Unsure,
		ended: map[string]results.Verdict{}, skipped: map[string]bool{}, took: map[string][]float64{},
		figures: map[string][]quantity.Quantity{}, actions: map[string][]quantity.Quantity{},
	}
}

// Folder says where the run stands, for advice that names it.
func (r *Run) Folder(dir string) { r.folder = dir }

// Replay says whether the run is shown again as it happened.
func (r *Run) Replay(on bool) { r.replay = on }

// Only says that the records of the trial of that order alone are taken in.
func (r *Run) Only(order int) { r.only = order }

// Process takes in what is known of the process that works on the run; why is the reason for which it is Unsure.
func (r *Run) Process(p Process, why string) {
	if p == Unsure && r.process == Working {
		r.say(time.Time{}, "! "+unsureText+because(why))
	}
	r.process, r.unsure = p, why
}

// Over reports whether the journal says that nothing more comes: the run has ended, or it was imported with all its trials.
func (r *Run) Over() bool {
	return !r.end.IsZero() || r.begin.IsZero() && len(r.ended) > 0 && len(r.ended) >= r.planned()
}

// Entry takes in the next entry of the journal.
func (r *Run) Entry(e results.Entry) {
	switch e.Event {
	case results.RunBegin:
		if r.begin.IsZero() {
			r.begin = e.Time
		}
		r.end = time.Time{}
		r.say(e.Time, "the run begins")
		if e.Reason != "" {
			r.warn(e.Time, e.Reason)
		}
	case results.RunEnd:
		r.end = e.Time
		r.say(e.Time, "the run has ended")
	case results.TrialBegin:
		r.beginTrial(e)
	case results.TrialDone:
		r.endTrial(e)
	case results.TrialSkip:
		r.skipped[e.Trial] = true
		r.say(e.Time, "trial "+e.Trial+" is not needed: "+e.Reason)
	}
}

// Elsewhere takes in an entry of a trial whose records are not taken in: it counts, and no more.
func (r *Run) Elsewhere(e results.Entry) {
	switch e.Event {
	case results.TrialBegin:
		delete(r.ended, e.Trial)
		delete(r.skipped, e.Trial)
	case results.TrialDone:
		r.ended[e.Trial] = e.Verdict
	case results.TrialSkip:
		r.skipped[e.Trial] = true
	}
}

// planned is how many trials are needed, as far as that is known.
func (r *Run) planned() int { return len(r.plan) - len(r.skipped) }

func (r *Run) beginTrial(e results.Entry) {
	r.attempts++
	if r.now != nil && r.now.cut != "" {
		r.doubt(r.now.plan.ID, r.heading()+": "+r.now.cut)
	}
	for _, t := range r.plan {
		if t.ID == e.Trial {
			var link *Link
			if l, ok := r.links[t.ID]; ok {
				link = &l
			}
			r.now = newTrial(t, e.Attempt, e.Time, link)
			delete(r.ended, t.ID)
			delete(r.skipped, t.ID)
			r.say(e.Time, r.heading()+": begins")
			return
		}
	}
	r.now = nil
	r.warn(e.Time, fmt.Sprintf("the journal names trial %s, which the plan has not", e.Trial))
}

func (r *Run) endTrial(e results.Entry) {
	r.ended[e.Trial] = e.Verdict
	t := r.now
	if t == nil || t.plan.ID != e.Trial {
		return
	}
	t.ended = true
	if e.Verdict.Final() {
		r.settle(t)
	}
	s := e.Time.Sub(t.begin).Seconds()
	text := fmt.Sprintf("%s: %s in %.1f s", r.heading(), e.Verdict, s)
	if e.Verdict.Final() {
		r.took[t.plan.Treatment] = append(r.took[t.plan.Treatment], s)
		d := t.downtime()
		r.figures[t.plan.Treatment] = append(r.figures[t.plan.Treatment], d)
		r.actions[t.plan.Treatment] = append(r.actions[t.plan.Treatment], t.acted())
		r.stopped = r.stopped || d.Known
		if d.Known {
			text += ", downtime " + quantity.Show(d)
		}
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	r.say(e.Time, text)
	if e.Verdict != results.Completed && e.Reason != "" {
		r.doubt(e.Trial, fmt.Sprintf("trial %d %s: %s", t.plan.Order, e.Verdict, e.Reason))
	}
}

// settle forgets the warnings of attempts before the one that counts: nothing that is shown is theirs.
func (r *Run) settle(t *trial) {
	kept := t.warnings
	r.warnings = slices.DeleteFunc(r.warnings, func(w warning) bool { return w.trial == t.plan.ID })
	for _, text := range kept {
		r.doubt(t.plan.ID, text)
	}
}

// doubt keeps a warning of a trial.
func (r *Run) doubt(trial, text string) {
	r.warnings = append(r.warnings, warning{trial, text})
	if n := len(r.warnings) - maxWarnings; n > 0 {
		r.warnings = slices.Delete(r.warnings, 0, n)
	}
}

// acted is how long the action took.
func (t *trial) acted() quantity.Quantity {
	switch {
	case t.missing:
		return quantity.Unknown(results.Seconds, noRecords)
	case t.actionBegin == 0:
		return quantity.Unknown(results.Seconds, "the action did not begin")
	case t.actionEnd == 0:
		return quantity.AtLeast(seconds(max(0, t.latest-t.actionBegin)), results.Seconds, "the action did not return")
	}
	return quantity.Exactly(seconds(max(0, t.actionEnd-t.actionBegin)), results.Seconds)
}

// Records takes in records of the attempt that began last. It keeps none of them.
func (r *Run) Records(records []results.Record) {
	if r.now == nil {
		return
	}
	r.now.addAll(records)
	for _, l := range r.now.lines {
		r.say(l.Time, r.heading()+": "+l.Text)
	}
	r.now.lines = r.now.lines[:0]
}

// Cut says that no more records of the attempt can be read, and why.
func (r *Run) Cut(err error) {
	if r.now == nil || err == nil {
		return
	}
	r.now.cut = err.Error()
	r.say(time.Time{}, "! "+r.heading()+": "+err.Error())
}

// noRecords is why nothing is known of a trial whose records are not in the run's folder.
const noRecords = "records are not here"

// Missing says that the attempt that began last has no records.
func (r *Run) Missing() {
	r.missing++
	if r.now != nil {
		r.now.missing = true
	}
}

// Outcome takes in an attempt's outcome, before the journal's entry of its end.
func (r *Run) Outcome(o results.Outcome) {
	var list []string
	for _, w := range o.Warnings {
		list = append(list, fmt.Sprintf("trial %d: %s", o.Trial.Order, w))
	}
	if o.Dropped > 0 {
		list = append(list, fmt.Sprintf("trial %d: %d records were dropped", o.Trial.Order, o.Dropped))
	}
	for _, text := range list {
		r.doubt(o.Trial.ID, text)
	}
	if r.now != nil && r.now.plan.ID == o.Trial.ID {
		r.now.warnings = list
	}
}

func (r *Run) warn(at time.Time, text string) {
	r.say(at, "! "+text)
	r.doubt("", text)
}

func (r *Run) say(at time.Time, text string) { r.lines = append(r.lines, Line{at, text}) }

// Lines are what happened since it was last asked.
func (r *Run) Lines() []Line {
	list := r.lines
	r.lines = nil
	return list
}

// heading names the attempt that began last.
func (r *Run) heading() string {
	if r.now == nil {
		return "a trial"
	}
	p := r.now.plan
	text := fmt.Sprintf("[%d/%d] %s, replicate %d", p.Order, len(r.plan), p.Treatment, p.Replicate)
	if r.now.attempt > 1 {
		text += fmt.Sprintf(", attempt %d", r.now.attempt)
	}
	return text
}

// Newest is the newest time that the run tells of; zero if it tells of none.
func (r *Run) Newest() time.Time {
	newest := r.begin
	if r.end.After(newest) {
		newest = r.end
	}
	if r.now != nil {
		for _, t := range []time.Time{r.now.begin, time.Unix(0, r.now.latest)} {
			if t.After(newest) {
				newest = t
			}
		}
	}
	return newest
}

// left is about how long the run will last from now on, by the trials that ended: each that is to come as long as those of
// its treatment, or as all if none of it has ended.
func (r *Run) left(now time.Time) quantity.Quantity {
	var all []float64
	for _, list := range r.took {
		all = append(all, list...)
	}
	if r.only != 0 {
		return quantity.Unknown(results.Seconds, "one trial alone is shown")
	}
	if len(all) == 0 {
		return quantity.Unknown(results.Seconds, "no trial has ended yet")
	}
	var sum float64
	longer := false
	for _, t := range r.plan {
		if _, ended := r.ended[t.ID]; ended {
			continue
		}
		s := mean(r.took[t.Treatment])
		if len(r.took[t.Treatment]) == 0 {
			s = mean(all)
		}
		if r.now != nil && r.now.plan.ID == t.ID && !r.now.ended {
			s -= now.Sub(r.now.begin).Seconds()
			longer = s < 0
		}
		sum += max(0, s)
	}
	const why = "this trial takes longer than those that ended"
	switch {
	case longer && sum == 0:
		return quantity.Unknown(results.Seconds, why)
	case longer:
		return quantity.AtLeast(sum, results.Seconds, why)
	}
	return quantity.Exactly(sum, results.Seconds)
}

func mean(list []float64) float64 {
	var sum float64
	for _, v := range list {
		sum += v
	}
	return sum / float64(max(1, len(list)))
}

// levels writes a trial's factors in short: the last part of each path.
func levels(t results.Trial) string {
	if len(t.Levels) == 0 {
		return t.Treatment
	}
	var list []string
	for _, l := range t.Levels {
		name := l.Factor[strings.LastIndexByte(l.Factor, '.')+1:]
		list = append(list, name+"="+l.Value)
	}
	return strings.Join(list, ", ")
}
