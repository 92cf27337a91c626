package recovery

import (
	"slices"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/analysis/saving"
	"virtscope/results"
)

// A guest is what it said of itself, and when it stood still.
type guest struct {
	messages []edges.Message
	stops    []results.Record // stops and resumes, in order
	ends     []results.Record // what ends a run of its clock
}

func newGuest(log *edges.Log, action edges.Window) *guest {
	g := &guest{stops: log.All(edges.Window{From: 0, To: action.To}, results.VMStop, results.VMResume)}
	g.ends = log.All(edges.Window{From: 0, To: action.To}, results.VMStop, results.RestartBegin, results.FailureInjected)
	for _, list := range log.Messages() {
		if len(list) > len(g.messages) { // the action has one guest
			g.messages = list
		}
	}
	return g
}

// before is the stretch in which the guest ran on last before t: from its last resume, or what is earlier, until it stopped or t.
func (g *guest) before(t int64) edges.Window {
	w := edges.Window{To: t}
	for _, r := range g.stops {
		switch {
		case r.Time > t:
			return w
		case r.Name == results.VMResume:
			w = edges.Window{From: r.Time, To: t}
		case w.To == t:
			w.To = r.Time
		}
	}
	return w
}

// after is the stretch from when the guest ran at t until it stopped, failed or was taken back again, or end.
func (g *guest) after(t, end int64) edges.Window {
	for _, r := range g.ends {
		if r.Time > t {
			return edges.Window{From: t, To: min(end, r.Time)}
		}
	}
	return edges.Window{From: t, To: end}
}

// of are the messages that arrived within w.
func (g *guest) of(w edges.Window) []edges.Message {
	var list []edges.Message
	for _, m := range g.messages {
		if m.At >= w.From && m.At <= w.To {
			list = append(list, m)
		}
	}
	return list
}

// lately is over how long messages tell how the guest's clock stands to the host's, in ns: longer, and drift counts.
const lately = int64(10e9)

// lose finds what the guest lost: by its clock, and by its counter.
func (f *Failure) lose(log *edges.Log, g *guest, s *saving.Report) {
	f.Age = quantity.Unknown(results.Seconds, "the checkpoint is not among those that were recorded")
	for _, c := range s.Checkpoints {
		if c.ID == f.From && c.ID != "" {
			f.Age = edges.Between(c.Begin, f.Effective)
			if c.Stopped != nil {
				f.Age = edges.Between(c.Stopped.Start, f.Effective)
			}
		}
	}
	f.LostWork = quantity.Unknown(results.One, "the restored guest did not say what its counter was")
	if f.Resumed == nil {
		f.Lost = quantity.Unknown(results.Seconds, "no hypervisor reported that the guest ran again")
		f.LostWork = quantity.Unknown(results.One, f.Lost.Why)
		return
	}
	ran := g.before(f.Effective.Time)
	then := g.shown(ran, f.Effective.Time)
	back := g.after(f.Resumed.Time, f.Resumed.Time+lately)
	now := g.at(back, back.From)
	f.Lost = quantity.Less(then, now)
	f.counter(log, ran, back)
}

// shown is what the guest's clock showed when a stretch in which it ran, up to a failure, was over. Where it said nothing in it, as
// it had only just gone on after a checkpoint, its clock went on from where it had stopped.
func (g *guest) shown(ran edges.Window, failed int64) quantity.Quantity {
	then := g.at(edges.Window{From: max(ran.From, ran.To-lately), To: failed}, ran.To)
	if then.Known || ran.From == 0 {
		return then
	}
	last := g.before(ran.From - 1)
	for _, r := range g.ends {
		if r.Name != results.VMStop && r.Time >= last.From && r.Time < ran.From {
			return then // it was another run of its clock
		}
	}
	stood := g.at(edges.Window{From: max(last.From, last.To-lately), To: ran.From}, last.To)
	if !stood.Known {
		return then
	}
	since := float64(ran.To-ran.From) / 1e9
	return quantity.Within(stood.Value+since, stood.Low+since, stood.High+since, results.Seconds)
}

// at is what the guest's clock showed at t, in s, by the messages that arrived within w, in which it ran. It had at least come to
// what it last said by then.
func (g *guest) at(w edges.Window, t int64) quantity.Quantity {
	list := g.of(w)
	if len(list) == 0 {
		return quantity.Unknown(results.Seconds, "the guest said nothing in the run whose clock is asked for")
	}
	clock := edges.NewGuestClock(list, time.Duration(max(0, w.To-w.From)))
	mono, early := clock.At(t)
	value := float64(mono) / 1e9
	low, high := value, value+early.Seconds()
	if last := list[len(list)-1]; last.At <= t {
		low = min(value, float64(last.Mono)/1e9)
	}
	return quantity.Within(value, low, high, results.Seconds)
}

// counter finds what the workload's own counter lost, in the unit that the restored guest names.
func (f *Failure) counter(log *edges.Log, ran, back edges.Window) {
	for _, r := range log.In(results.GuestRestored, edges.Window{From: back.From, To: back.From + lately}) {
		work, ok := edges.Number(r, "work")
		unit := results.Unit(r.Attrs["unit"])
		if !ok || unit != results.Bytes && unit != results.One {
			continue
		}
		name := map[results.Unit]string{results.Bytes: results.GuestDirtied, results.One: results.GuestWork}[unit]
		list := log.In(name, edges.Window{From: max(ran.From, ran.To-lately), To: f.Effective.Time})
		if kind := r.Attrs["kind"]; kind != "" {
			list = slices.DeleteFunc(slices.Clone(list), func(x results.Record) bool { return x.Attrs["kind"] != kind })
		}
		if len(list) < 2 {
			f.LostWork = quantity.Unknown(unit, "fewer than two reports of the workload arrived before the failure, since the last stop")
			return
		}
		first, last := list[0], list[len(list)-1]
		rate := max(0, (last.Value-first.Value)/(float64(last.Time-first.Time)/1e9))
		fast := fastest(list)
		since, until := float64(max(0, ran.To-last.Time))/1e9, float64(max(0, r.Time-back.From))/1e9
		then := quantity.Within(last.Value+rate*since, last.Value, last.Value+fast*(since+reportEvery), unit)
		now := quantity.Within(work-rate*until, work-fast*until, work, unit)
		f.LostWork = quantity.Less(then, now)
		return
	}
}

// reportEvery is between the workload's reports, in s: what the last one says may be as old when it is sent.
const reportEvery = 0.1

// fastest is the most that a counter grew per second between two reports.
func fastest(list []results.Record) (rate float64) {
	for i := 1; i < len(list); i++ {
		if d := float64(list[i].Time-list[i-1].Time) / 1e9; d > 0.01 {
			rate = max(rate, (list[i].Value-list[i-1].Value)/d)
		}
	}
	return rate
}
