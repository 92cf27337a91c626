// Package jobs tells how a trace of jobs was served by guests that were started on demand: how long jobs waited, and what the guests
// cost. A job that was not done is censored, never dropped.
package jobs

import (
	"cmp"
	"slices"
	"strconv"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/results"
)

// A Report is all jobs and guests of a trial.
type Report struct {
	Jobs   []Job         `json:"jobs"`
	Guests []Lease       `json:"guests"`
	Starts []start.Start `json:"starts,omitempty"`
	Unused int           `json:"unused,omitempty"` // guests that neither failed nor were given a job: when they were ready nobody knows
	// Alive and Waiting are counts from a time on, in s since the action began.
	Alive   []Point `json:"alive,omitempty"`
	Waiting []Point `json:"waiting,omitempty"`

	action edges.Window
}

// A Point is a count from T s after the action's begin on.
type Point struct {
	T float64 `json:"t"`
	V float64 `json:"v"`
}

// A Job is one of the trace.
type Job struct {
	ID      string      `json:"id"`
	Queue   string      `json:"queue,omitempty"`
	Runtime float64     `json:"runtime_s"` // as the trace says; 0 if it does not
	Arrived edges.Edge  `json:"arrived"`
	Started *edges.Edge `json:"started,omitempty"`
	Ended   *edges.Edge `json:"ended,omitempty"`
	Fresh   bool        `json:"fresh,omitempty"` // the guest was started for it
	Failed  string      `json:"failed,omitempty"`
	Runs    []Run       `json:"runs,omitempty"`
	Worked  float64     `json:"worked_s,omitempty"` // of guest time, by the guest's word
	Notes   []string    `json:"notes,omitempty"`

	Wait     quantity.Quantity `json:"wait"`     // s
	Slowdown quantity.Quantity `json:"slowdown"` // 1
}

// A Run is a stretch in which a guest had the job.
type Run struct {
	Guest     string     `json:"guest"`
	From      edges.Edge `json:"from"`
	To        edges.Edge `json:"to"`
	Preempted bool       `json:"preempted,omitempty"`
}

// A Lease is one guest from when it was started until it was ended.
type Lease struct {
	Guest string     `json:"guest"`
	Host  string     `json:"host,omitempty"`
	From  edges.Edge `json:"from"`
	To    edges.Edge `json:"to"` // the end of the action, if it was not ended
	Why   string     `json:"why,omitempty"`
	Open  bool       `json:"open,omitempty"`
}

// Build finds jobs and guests in the action.
func Build(log *edges.Log, action edges.Window) *Report {
	r := &Report{action: action}
	byJob := map[string][]results.Record{}
	for _, x := range log.All(action, results.JobArrived, results.JobStarted, results.JobResumed, results.JobPreempted, results.JobEnded, results.JobFailed) {
		byJob[x.Attrs["job"]] = append(byJob[x.Attrs["job"]], x)
	}
	for id, list := range byJob {
		if j, ok := read(log, id, list, action); ok {
			r.Jobs = append(r.Jobs, j)
		}
	}
	slices.SortFunc(r.Jobs, func(a, b Job) int {
		x, _ := strconv.Atoi(a.ID)
		y, _ := strconv.Atoi(b.ID)
		return cmp.Or(cmp.Compare(a.Arrived.Time, b.Arrived.Time), cmp.Compare(x, y), cmp.Compare(a.ID, b.ID))
	})
	r.leases(log, action)
	r.Alive, r.Waiting = counts(log, results.GuestsAlive, action), counts(log, results.JobsWaiting, action)
	return r
}

// read is one job; ok is false if nobody recorded its arrival.
func read(log *edges.Log, id string, list []results.Record, w edges.Window) (j Job, ok bool) {
	j.ID = id
	var run *Run
	leave := func(e edges.Edge, preempted bool) {
		if run != nil {
			run.To, run.Preempted = e, preempted
			j.Runs = append(j.Runs, *run)
			run = nil
		}
	}
	for _, x := range list {
		e := log.Edge(x)
		switch x.Name {
		case results.JobArrived:
			if !ok {
				j.Arrived, j.Queue, ok = e, x.Attrs["queue"], true
				j.Runtime, _ = edges.Seconds(x, "runtime")
			}
		case results.JobStarted:
			if j.Started == nil {
				j.Started, j.Fresh = &e, x.Attrs["fresh"] == "true"
			}
			leave(e, false)
			run = &Run{Guest: x.Attrs[results.AttrGuest], From: e}
		case results.JobResumed:
			leave(e, false)
			run = &Run{Guest: x.Attrs[results.AttrGuest], From: e}
		case results.JobPreempted:
			leave(e, true)
		case results.JobEnded:
			if j.Ended == nil {
				j.Ended = &e
				j.Worked, _ = edges.Seconds(x, "worked")
			}
			leave(e, false)
		case results.JobFailed:
			j.Failed = x.Attrs["error"]
			if j.Failed == "" {
				j.Failed = "no reason was given"
			}
			leave(e, false)
		}
	}
	leave(edges.Edge{Time: w.To, What: "the action's end"}, false)
	j.measure(w)
	return j, ok
}

func (j *Job) measure(w edges.Window) {
	open := float64(max(0, w.To-j.Arrived.Time)) / 1e9
	why := "the job was not started while it was observed"
	if j.Failed != "" {
		why = "the job failed: " + j.Failed
	}
	j.Wait = quantity.AtLeast(open, results.Seconds, why)
	if j.Started != nil {
		j.Wait = edges.Between(j.Arrived, *j.Started)
		if j.Failed == "" {
			why = "the job was not done while it was observed"
		}
	}
	switch {
	case j.Runtime <= 0:
		j.Slowdown = quantity.Unknown(results.One, "the trace says no run time of the job")
	case j.Ended == nil:
		j.Slowdown = quantity.AtLeast(open/j.Runtime, results.One, why)
	default:
		whole := edges.Between(j.Arrived, *j.Ended)
		j.Slowdown = quantity.Rate(whole, quantity.Exactly(j.Runtime, results.Seconds), results.One)
	}
}

// leases pairs the starts and ends of guests.
func (r *Report) leases(log *edges.Log, w edges.Window) {
	open := map[string]int{}
	for _, x := range log.All(w, results.GuestLeased, results.GuestEnded) {
		name, e := x.Attrs[results.AttrGuest], log.Edge(x)
		i, alive := open[name]
		switch {
		case x.Name == results.GuestEnded && alive:
			r.Guests[i].To, r.Guests[i].Why, r.Guests[i].Open = e, x.Attrs["why"], false
			delete(open, name)
		case x.Name == results.GuestLeased && !alive:
			open[name] = len(r.Guests)
			r.Guests = append(r.Guests, Lease{Guest: name, Host: x.Attrs["host"], From: e, To: edges.Edge{Time: w.To, What: "the action's end"}, Open: true})
		}
	}
}

func counts(log *edges.Log, name string, w edges.Window) []Point {
	var list []Point
	for _, x := range log.In(name, w) {
		list = append(list, Point{float64(x.Time-w.From) / 1e9, x.Value})
	}
	return list
}

// Metrics lists the figures of the trial; package metric names them.
func (r *Report) Metrics() []metric.Metric {
	var list []metric.Metric
	add := func(name string, q quantity.Quantity) { list = append(list, metric.Metric{Name: name, Quantity: q}) }
	count := func(is func(*Job) bool) float64 {
		n := 0.0
		for i := range r.Jobs {
			if is(&r.Jobs[i]) {
				n++
			}
		}
		return n
	}
	const none = "no job arrived"
	at := func(name string, p float64, u results.Unit, of func(*Job) quantity.Quantity) {
		var all []quantity.Quantity
		for i := range r.Jobs {
			all = append(all, of(&r.Jobs[i]))
		}
		add(name, quantity.Quantile(all, p, u, none))
	}
	started := count(func(j *Job) bool { return j.Started != nil })
	add(metric.JobsCount, quantity.Exactly(float64(len(r.Jobs)), results.One))
	add(metric.JobsDone, quantity.Exactly(count(func(j *Job) bool { return j.Ended != nil && j.Failed == "" }), results.One))
	add(metric.JobsMakespan, r.makespan())
	wait := func(j *Job) quantity.Quantity { return j.Wait }
	at(metric.JobsWait50, 0.5, results.Seconds, wait)
	at(metric.JobsWait90, 0.9, results.Seconds, wait)
	at(metric.JobsWaitMax, 1, results.Seconds, wait)
	slow := func(j *Job) quantity.Quantity { return j.Slowdown }
	at(metric.JobsSlowdown50, 0.5, results.One, slow)
	at(metric.JobsSlowdown90, 0.9, results.One, slow)
	fresh := quantity.Unknown(results.One, "no job was started")
	if started > 0 {
		fresh = quantity.Exactly(count(func(j *Job) bool { return j.Fresh })/started, results.One)
	}
	add(metric.JobsFresh, fresh)
	preempted := 0.0
	for _, j := range r.Jobs {
		for _, run := range j.Runs {
			if run.Preempted {
				preempted++
			}
		}
	}
	add(metric.JobsPreemptions, quantity.Exactly(preempted, results.One))
	paid := r.paid()
	add(metric.JobsGuestTime, paid)
	add(metric.JobsUtilisation, r.used(paid))
	add(metric.JobsPeak, r.peak())
	add(metric.JobsGuests, quantity.Exactly(float64(len(r.Guests)), results.One))
	return list
}

// makespan is from the first arrival to the last end.
func (r *Report) makespan() quantity.Quantity {
	if len(r.Jobs) == 0 {
		return quantity.Unknown(results.Seconds, "no job arrived")
	}
	first := r.Jobs[0].Arrived
	var last *edges.Edge
	for i := range r.Jobs {
		j := &r.Jobs[i]
		if j.Ended == nil {
			return quantity.AtLeast(float64(max(0, r.action.To-first.Time))/1e9, results.Seconds, "some jobs were not done")
		}
		if last == nil || j.Ended.Time > last.Time {
			last = j.Ended
		}
	}
	return edges.Between(first, *last)
}

// paid is the time of all guests. One that was not ended is counted to the action's end, where it is no longer needed.
func (r *Report) paid() quantity.Quantity {
	var all []quantity.Quantity
	for _, g := range r.Guests {
		if g.Open {
			all = append(all, quantity.Exactly(float64(max(0, g.To.Time-g.From.Time))/1e9, results.Seconds))
			continue
		}
		all = append(all, edges.Between(g.From, g.To))
	}
	return quantity.Sum(all, results.Seconds, "no guest was started")
}

// used is the share of the guests' time in which they had a job.
func (r *Report) used(paid quantity.Quantity) quantity.Quantity {
	busy := 0.0
	for _, j := range r.Jobs {
		for _, run := range j.Runs {
			busy += float64(max(0, run.To.Time-run.From.Time)) / 1e9
		}
	}
	return quantity.Rate(quantity.Exactly(busy, results.Seconds), paid, results.One)
}

// peak is the most guests at once: by the runner's count, or else by their begins and ends.
func (r *Report) peak() quantity.Quantity {
	most := 0.0
	for _, p := range r.Alive {
		most = max(most, p.V)
	}
	if len(r.Alive) > 0 {
		return quantity.Exactly(most, results.One)
	}
	for _, g := range r.Guests {
		n := 0.0
		for _, other := range r.Guests {
			if other.From.Time <= g.From.Time && other.To.Time > g.From.Time {
				n++
			}
		}
		most = max(most, n)
	}
	if len(r.Guests) == 0 {
		return quantity.Unknown(results.One, "no guest was started")
	}
	return quantity.Exactly(most, results.One)
}
