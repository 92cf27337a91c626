// Package recovery tells what failures cost a guest that is saved periodically: how long until each was noticed and the guest was
// back, and how much of its own time and work it had to do again.
//
// What was lost is by the guest's own clock, which stands still with it and is taken back with it: what it showed when the guest was
// lost, less what it shows when the guest runs again. Both are read from the messages of the run before and after (edges.GuestClock).
package recovery

import (
	"fmt"
	"strconv"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/analysis/saving"
	"virtscope/results"
)

// A Report is all failures of a trial, and the checkpoints that they were recovered from.
type Report struct {
	Failures []Failure      `json:"failures"`
	Saving   *saving.Report `json:"saving"`
	Alarms   int            `json:"false_alarms"`

	Period       quantity.Quantity `json:"period"`       // s: between the begins of checkpoints, as it was asked for
	MTBF         quantity.Quantity `json:"mtbf"`         // s: from when the guest was back, or the action began, to the next failure, the mean
	Availability quantity.Quantity `json:"availability"` // 1: share of the action in which the guest was there
	Baseline     quantity.Quantity `json:"work_baseline"`
	Working      quantity.Quantity `json:"work"`     // the workload's rate while the guest was there, in Baseline's unit
	Overhead     quantity.Quantity `json:"overhead"` // 1: by which share the checkpoints slowed the workload
	Optimum      Optimum           `json:"optimum"`
	Notes        []string          `json:"notes,omitempty"`
	Warnings     []string          `json:"warnings,omitempty"`
}

// A Failure is one that was injected.
type Failure struct {
	N    int    `json:"n"`
	Kind string `json:"kind"`
	Host string `json:"host"`
	By   string `json:"by,omitempty"` // what detected it

	Injected  edges.Edge  `json:"injected"`
	Effective edges.Edge  `json:"effective"`
	Detected  *edges.Edge `json:"detected,omitempty"`
	Begin     *edges.Edge `json:"begin,omitempty"`   // of the restart
	Resumed   *edges.Edge `json:"resumed,omitempty"` // the guest runs again
	End       *edges.Edge `json:"end,omitempty"`     // the guest answers
	From      string      `json:"from,omitempty"`    // the checkpoint

	Detection quantity.Quantity `json:"detection"` // s: from its effect
	Silent    quantity.Quantity `json:"silent"`    // s: since the last sign of life, as the detector says
	Restart   quantity.Quantity `json:"restart"`   // s: from the restart's begin until the guest answers
	Recovery  quantity.Quantity `json:"recovery"`  // s: from its effect until the guest answers
	Outage    quantity.Quantity `json:"outage"`    // s: as a client sees it
	Lost      quantity.Quantity `json:"lost"`      // s of the guest's own time
	LostWork  quantity.Quantity `json:"lost_work"` // of its own counter, B or 1
	Age       quantity.Quantity `json:"age"`       // s: of the checkpoint when the failure took effect
	Exceeds   bool              `json:"exceeds,omitempty"`
}

// Build finds the failures of the action, whose begin carries attr "period" (s). baseline is the undisturbed guest; its length is 0 if
// there was none.
func Build(log *edges.Log, action, baseline edges.Window, begin results.Record) *Report {
	r := &Report{Saving: saving.Build(log, action)}
	g := newGuest(log, action)
	for i, x := range log.In(results.FailureInjected, action) {
		r.Failures = append(r.Failures, r.failure(log, g, x, i, action))
	}
	for _, d := range log.In(results.FailureDetected, action) {
		if !r.injected(d) {
			r.Alarms++
		}
	}
	r.Period = r.period(begin)
	r.check()
	r.MTBF = r.between(log, action)
	r.Availability = r.there(action)
	r.work(log, action, baseline)
	r.Optimum = r.optimum(action)
	return r
}

// injected reports whether a detection is of a failure that had been injected by then.
func (r *Report) injected(d results.Record) bool {
	n, err := strconv.Atoi(d.Attrs["n"])
	if err != nil || d.Attrs["false"] == "true" {
		return false
	}
	for _, f := range r.Failures {
		if f.N == n && f.Injected.Time <= d.Time {
			return true
		}
	}
	return false
}

// failure reads the i-th failure.
func (r *Report) failure(log *edges.Log, g *guest, x results.Record, i int, w edges.Window) Failure {
	n, err := strconv.Atoi(x.Attrs["n"])
	if err != nil {
		n = i + 1
	}
	f := Failure{N: n, Kind: x.Attrs["kind"], Host: x.Attrs["host"], Injected: log.Edge(x), Silent: quantity.Unknown(results.Seconds, "the detector did not say")}
	f.Effective = saving.Struck(f.Injected)
	number := func(record results.Record) bool {
		m, err := strconv.Atoi(record.Attrs["n"])
		return err == nil && m == n && record.Attrs["false"] != "true"
	}
	find := func(name string) *edges.Edge {
		for _, record := range log.In(name, edges.Window{From: x.Time, To: w.To}) {
			if number(record) || name == results.LinkDown && f.Kind == results.FaultCutLink {
				e := log.Edge(record)
				return &e
			}
		}
		return nil
	}
	for _, name := range []string{results.FailureEffective, results.LinkDown} {
		if e := find(name); e != nil {
			f.Effective = *e
			f.Effective.Early = time.Duration(e.Time - x.Time)
			break
		}
	}
	f.Injected.Early = 0
	f.Detected = find(results.FailureDetected)
	for _, d := range log.In(results.FailureDetected, edges.Window{From: x.Time, To: w.To}) {
		if number(d) {
			f.By = d.Attrs["by"]
			if v, ok := edges.Seconds(d, "silent"); ok {
				f.Silent = quantity.Exactly(v, results.Seconds)
			}
			break
		}
	}
	for _, back := range r.Saving.Restores {
		if back.N == n && back.Begin.Time >= x.Time {
			f.Begin, f.Resumed, f.End, f.From = &back.Begin, back.Resumed, back.End, back.From
			f.Restart = back.Total
			break
		}
	}
	f.times(w)
	f.lose(log, g, r.Saving)
	return f
}

// times measures from edge to edge.
func (f *Failure) times(w edges.Window) {
	open := func(from edges.Edge, why string) quantity.Quantity {
		return quantity.AtLeast(float64(max(0, w.To-from.Time))/1e9, results.Seconds, why)
	}
	f.Detection = open(f.Effective, "the failure was not detected while the guest was observed")
	if f.Detected != nil {
		f.Detection = edges.Between(f.Effective, *f.Detected)
	}
	if f.Begin == nil {
		f.Restart = quantity.Unknown(results.Seconds, "the guest was not restarted")
	}
	f.Recovery = open(f.Effective, "the guest did not answer again while it was observed")
	if f.End != nil {
		f.Recovery = edges.Between(f.Effective, *f.End)
	}
	f.Outage = quantity.Unknown(results.Seconds, "no client was looked at")
}

// period is that of the checkpoints: as asked for, or else as they began, the median.
func (r *Report) period(begin results.Record) quantity.Quantity {
	if v, ok := edges.Seconds(begin, "period"); ok {
		return quantity.Exactly(v, results.Seconds)
	}
	var steps []quantity.Quantity
	list := r.Saving.Checkpoints
	for i := 1; i < len(list); i++ {
		steps = append(steps, edges.Between(list[i-1].Begin, list[i].Begin))
	}
	q := quantity.Median(steps, results.Seconds, "the period was not recorded, and there were not two checkpoints")
	if q.Known {
		r.Notes = append(r.Notes, "the period was not recorded: it is taken to be the median time between the begins of checkpoints")
	}
	return q
}

// check holds what was lost against what may be: a period, and the time that a checkpoint takes until it can be restored.
func (r *Report) check() {
	longest := 0.0
	for _, c := range r.Saving.Checkpoints {
		if c.Total.Known {
			longest = max(longest, c.Total.High)
		}
	}
	for i := range r.Failures {
		f := &r.Failures[i]
		if !f.Lost.Known || !r.Period.Known {
			continue
		}
		if most := r.Period.High + longest; f.Lost.Low > most {
			f.Exceeds = true
			r.Warnings = append(r.Warnings, fmt.Sprintf("failure %d: the guest lost %s of its own time, more than a period of %s and the %s that a checkpoint took at most",
				f.N, quantity.ShowWithin(f.Lost), quantity.Show(r.Period), quantity.Duration(longest))+skipped(r.Saving.Skipped))
		}
	}
}

func skipped(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d periods of the trial had no checkpoint, because the one before was still under way)", n)
}

// between is the mean time between failures.
func (r *Report) between(log *edges.Log, w edges.Window) quantity.Quantity {
	var list []quantity.Quantity
	since := edges.Edge{Time: w.From, What: results.ActionBegin}
	for _, x := range log.In(results.ActionBegin, w) {
		since = log.Edge(x)
		break
	}
	for _, f := range r.Failures {
		list = append(list, edges.Between(since, f.Effective))
		if f.End == nil {
			break
		}
		since = *f.End
	}
	sum := quantity.Sum(list, results.Seconds, "no failure was injected")
	if !sum.Known {
		return sum
	}
	n := float64(len(list))
	return quantity.Within(sum.Value/n, sum.Low/n, sum.High/n, results.Seconds)
}

// there is the share of the action in which the guest was there: until it was lost, and from when it answered again.
func (r *Report) there(w edges.Window) quantity.Quantity {
	if w.Seconds() <= 0 {
		return quantity.Unknown(results.One, "the action has no duration")
	}
	var away []quantity.Quantity
	for _, f := range r.Failures {
		q := f.Recovery
		q.Censored, q.High = false, max(q.High, q.Value)
		away = append(away, q)
	}
	for _, b := range r.Saving.Restores {
		if b.N == 0 {
			q := b.Total
			q.Censored, q.High = false, max(q.High, q.Value)
			away = append(away, q)
		}
	}
	if len(away) == 0 {
		return quantity.Exactly(1, results.One)
	}
	sum := quantity.Sum(away, results.Seconds, "")
	if !sum.Known {
		return quantity.Unknown(results.One, sum.Why)
	}
	share := func(s float64) float64 { return max(0, 1-s/w.Seconds()) }
	return quantity.Within(share(sum.Value), share(sum.High), share(sum.Low), results.One)
}
