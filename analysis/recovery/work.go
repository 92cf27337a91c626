package recovery

import (
	"virtscope/analysis/edges"
	"virtscope/analysis/model"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// work compares the workload's rate while the guest was there, checkpoints included, with that of the baseline.
func (r *Report) work(log *edges.Log, action, baseline edges.Window) {
	name, unit := results.GuestDirtied, results.BytesPerSecond
	if list := log.In(name, action); len(list) == 0 || list[len(list)-1].Value == 0 {
		name, unit = results.GuestWork, results.Unit("1/s")
	}
	r.Baseline = quantity.Unknown(unit, "there was no baseline")
	if baseline.Seconds() > 0 {
		r.Baseline = grows(log, name, []edges.Window{baseline}, unit)
	}
	r.Working = grows(log, name, r.alive(action), unit)
	r.Overhead = quantity.Unknown(results.One, "the workload's rate is not known: "+orElse(r.Baseline.Why, r.Working.Why))
	if r.Baseline.Known && r.Working.Known && r.Baseline.Low > 0 {
		less := func(now, then float64) float64 { return 1 - now/then }
		r.Overhead = quantity.Within(less(r.Working.Value, r.Baseline.Value), less(r.Working.High, r.Baseline.Low), less(r.Working.Low, r.Baseline.High), results.One)
	}
}

// alive are the stretches of the action in which the guest was there.
func (r *Report) alive(action edges.Window) []edges.Window {
	var list []edges.Window
	from := action.From
	for _, b := range r.Saving.Restores {
		to := b.Begin.Time
		if b.Lost != nil {
			to = b.Lost.Time
		}
		if to > from {
			list = append(list, edges.Window{From: from, To: to})
		}
		if b.Resumed == nil {
			return list
		}
		from = b.Resumed.Time
	}
	if action.To > from {
		list = append(list, edges.Window{From: from, To: action.To})
	}
	return list
}

// grows is by how much a counter grew per second of the stretches, each from its first report to its last. An end may be off by a
// report's interval.
func grows(log *edges.Log, name string, stretches []edges.Window, u results.Unit) quantity.Quantity {
	var grew, took, slack float64
	for _, w := range stretches {
		list := log.In(name, w)
		if name == results.GuestWork {
			list = oneKind(list)
		}
		if len(list) < 3 {
			continue
		}
		first, last := list[0], list[len(list)-1]
		d := float64(last.Time-first.Time) / 1e9
		if last.Value < first.Value || d <= 0 {
			return quantity.Unknown(u, "the workload's counter ran backwards while the guest was there")
		}
		grew, took, slack = grew+last.Value-first.Value, took+d, slack+d/float64(len(list)-1)
	}
	if took <= 0 {
		return quantity.Unknown(u, "fewer than three reports of the workload arrived")
	}
	if slack >= took {
		return quantity.Unknown(u, "the workload's reports are too far apart")
	}
	return quantity.Within(grew/took, grew/(took+slack), grew/(took-slack), u)
}

// oneKind are the reports of the kind of work that is told first: counters of several kinds are not one.
func oneKind(list []results.Record) []results.Record {
	var kept []results.Record
	for _, r := range list {
		if r.Attrs["kind"] == list[0].Attrs["kind"] {
			kept = append(kept, r)
		}
	}
	return kept
}

// An Optimum is what models say of the period, from what this trial's checkpoints cost and how often it failed.
type Optimum struct {
	Cost      quantity.Quantity `json:"cost"`      // s that a checkpoint delays the work
	Young     quantity.Quantity `json:"young"`     // s: period
	Daly      quantity.Quantity `json:"daly"`      // s: period
	Measured  quantity.Quantity `json:"measured"`  // 1: what checkpoints, lost work and recoveries took, over the time that was left for work
	Predicted quantity.Quantity `json:"predicted"` // 1: the same by Daly's complete model, for the period that was set
	Notes     []string          `json:"notes,omitempty"`
}

// optimum asks the models. They take failures to come as a Poisson process.
func (r *Report) optimum(action edges.Window) Optimum {
	o := Optimum{Cost: r.cost()}
	o.Measured = r.waste(action)
	unknown := func(u results.Unit, why string) quantity.Quantity { return quantity.Unknown(u, why) }
	o.Young, o.Daly, o.Predicted = unknown(results.Seconds, ""), unknown(results.Seconds, ""), unknown(results.One, "")
	why := ""
	switch {
	case !o.Cost.Known:
		why = "the cost of a checkpoint is not known: " + o.Cost.Why
	case !r.MTBF.Known:
		why = r.MTBF.Why
	case o.Cost.Value <= 0:
		why = "a checkpoint costs nothing that was seen"
	}
	if why != "" {
		o.Young.Why, o.Daly.Why, o.Predicted.Why = why, why, why
		return o
	}
	c := model.Checkpointing{Cost: o.Cost.Value, MTBF: r.MTBF.Value}
	ask := func(q *quantity.Quantity, name string, by func() (model.Interval, error)) {
		i, err := by()
		if err != nil {
			q.Why = err.Error()
			return
		}
		*q = quantity.Exactly(i.Period, results.Seconds)
		if !i.Holds {
			o.Notes = append(o.Notes, name+": "+i.Why)
		}
	}
	ask(&o.Young, "Young", c.Young)
	ask(&o.Daly, "Daly", c.Daly)
	restart := quantity.Median(each(r.Failures, func(f *Failure) quantity.Quantity { return f.Recovery }), results.Seconds, "no failure was injected")
	switch {
	case !restart.Known:
		o.Predicted.Why = restart.Why
	case !r.Period.Known:
		o.Predicted.Why = r.Period.Why
	case r.Period.Value <= o.Cost.Value:
		o.Predicted.Why = "a checkpoint takes as long as the period"
	default:
		c.Restart = restart.Value
		v, err := c.Overhead(r.Period.Value - o.Cost.Value)
		if err != nil {
			o.Predicted.Why = err.Error()
			return o
		}
		o.Predicted = quantity.Within(v, v, v, results.One)
		if !o.Predicted.Known {
			o.Predicted.Why = "the model's prediction is beyond what a number holds"
		}
	}
	return o
}

// cost is what a checkpoint delays the work: the guest's stop. Of a live one, which slows the guest while it runs, it is the share
// by which the workload was slowed, of a period.
func (r *Report) cost() quantity.Quantity {
	kept := r.Saving.Kept()
	if len(kept) > 0 && kept[0].Mode == "live" && r.Period.Known {
		if !r.Overhead.Known || r.Overhead.Value <= 0 {
			return quantity.Unknown(results.Seconds, "what live checkpoints slow the workload is not known, or not above its error")
		}
		share := r.Overhead
		return quantity.Within(share.Value*r.Period.Value, share.Low*r.Period.Low, share.High*r.Period.High, results.Seconds)
	}
	var all []quantity.Quantity
	for _, c := range kept {
		all = append(all, c.Downtime)
	}
	return quantity.Median(all, results.Seconds, "no checkpoint was kept")
}

// waste is what was not work, over what was.
func (r *Report) waste(action edges.Window) quantity.Quantity {
	var list []quantity.Quantity
	for _, f := range r.Failures {
		list = append(list, f.Lost, f.Recovery)
	}
	cost := r.cost()
	if !cost.Known {
		return quantity.Unknown(results.One, cost.Why)
	}
	for range r.Saving.Kept() {
		list = append(list, cost)
	}
	sum := quantity.Sum(list, results.Seconds, "nothing was saved, and nothing failed")
	whole := action.Seconds()
	switch {
	case !sum.Known || sum.Censored:
		return quantity.Unknown(results.One, sum.Why)
	case sum.High >= whole:
		return quantity.Unknown(results.One, "all of the action may have been waste")
	}
	over := func(s float64) float64 { return max(0, s) / (whole - max(0, s)) }
	return quantity.Within(over(sum.Value), over(sum.Low), over(sum.High), results.One)
}

func each(list []Failure, of func(*Failure) quantity.Quantity) []quantity.Quantity {
	var all []quantity.Quantity
	for i := range list {
		all = append(all, of(&list[i]))
	}
	return all
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
