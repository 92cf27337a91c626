package saving

import (
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// The phases of a restore.
const (
	Verify = "verify" // from its begin until the hypervisor is spawned: the checkpoint is read back
	Spawn  = "spawn"  // until the hypervisor begins to read the state
	Load   = "load"
	Resume = "resume" // until the guest runs
	Ready  = "ready"  // until it answers
)

// RestorePhases are all, in their order.
var RestorePhases = []string{Verify, Spawn, Load, Resume, Ready, edges.Unattributed}

// A Restore is a guest that came back from a checkpoint, or did not.
type Restore struct {
	N    int    `json:"n"` // of the failure before it; 0 if it is none's
	From string `json:"from"`
	Host string `json:"host"`
	// Lost is when the guest was there no longer; nil if nobody recorded that.
	Lost    *edges.Edge  `json:"lost,omitempty"`
	Begin   edges.Edge   `json:"begin"`
	Resumed *edges.Edge  `json:"resumed,omitempty"`
	End     *edges.Edge  `json:"end,omitempty"` // the guest answers
	Phases  []edges.Span `json:"phases"`
	Notes   []string     `json:"notes,omitempty"`

	Total    quantity.Quantity `json:"total"`    // s
	Downtime quantity.Quantity `json:"downtime"` // s: from when it was lost until it runs
	Outage   quantity.Quantity `json:"outage"`   // s: from when it was lost until it answers
	Bytes    quantity.Quantity `json:"bytes"`    // B that were read
	Rate     quantity.Quantity `json:"rate"`     // B/s, while loading
}

// restores finds them: each from where it began until the next one does.
func restores(log *edges.Log, w edges.Window) []Restore {
	begins := log.In(results.RestartBegin, w)
	var list []Restore
	from := w.From
	for i, b := range begins {
		until := w.To
		if i+1 < len(begins) {
			until = begins[i+1].Time
		}
		list = append(list, restore(log, b, from, edges.Window{From: b.Time, To: until}))
		from = b.Time
	}
	return list
}

func restore(log *edges.Log, b results.Record, since int64, w edges.Window) Restore {
	n, _ := edges.Number(b, "n")
	r := Restore{N: int(min(n, 1e9)), From: b.Attrs["checkpoint"], Host: b.Attrs["host"], Begin: log.Edge(b)}
	edge := func(names ...string) *edges.Edge {
		for _, name := range names {
			if list := log.In(name, w); len(list) > 0 {
				e := log.Edge(list[0])
				return &e
			}
		}
		return nil
	}
	r.End = edge(results.RestartEnd, results.BootAnswer)
	spawn, load, loaded := edge(results.BootSpawn), edge(results.RestoreBegin), edge(results.RestoreEnd)
	for _, x := range log.In(results.VMResume, w) {
		if loaded == nil || x.Time >= loaded.Time {
			e := log.Edge(x)
			r.Resumed = &e
			break
		}
	}
	r.Lost = lost(log, edges.Window{From: since, To: b.Time})
	r.Phases, r.Notes = edges.Chain([]edges.Step{
		{Name: "begin", Edge: &r.Begin},
		{Name: "spawn", Phase: Verify, Edge: spawn},
		{Name: "begin of loading", Phase: Spawn, Edge: load},
		{Name: "end of loading", Phase: Load, Edge: loaded},
		{Name: "resume", Phase: Resume, Edge: r.Resumed},
		{Name: "answer", Phase: Ready, Edge: r.End},
	})
	end := edges.Edge{Time: w.To, Host: b.Host, What: "the observation's end"}
	until := func(from, to *edges.Edge, none string) quantity.Quantity {
		switch {
		case from == nil:
			return quantity.Unknown(results.Seconds, none)
		case to == nil:
			return quantity.AtLeast(edges.Between(*from, end).Value, results.Seconds, "the guest did not come back while it was observed")
		}
		return edges.Between(*from, *to)
	}
	const noLoss = "nobody recorded when the guest was lost"
	r.Total = until(&r.Begin, r.End, "")
	r.Downtime, r.Outage = until(r.Lost, r.Resumed, noLoss), until(r.Lost, r.End, noLoss)
	r.Bytes = quantity.Unknown(results.Bytes, "nobody said how much of the state was read")
	for _, x := range log.In(results.RestoreEnd, w) {
		if v, ok := edges.Number(x, "bytes"); ok {
			r.Bytes = quantity.Exactly(v, results.Bytes)
			break
		}
	}
	r.Rate = quantity.Unknown(results.BytesPerSecond, "nobody recorded when loading began and ended")
	if load != nil && loaded != nil {
		r.Rate = quantity.Rate(r.Bytes, edges.Between(*load, *loaded), results.BytesPerSecond)
	}
	return r
}

// lost is when the guest was there no longer: its process's end, the cut of its link, or the kill itself, which took effect within
// its bound after it. What was seen of it may have happened from the injection on. It is the last one within w.
func lost(log *edges.Log, w edges.Window) *edges.Edge {
	var found, injected *edges.Edge
	for _, r := range log.All(w, results.Fault, results.FailureInjected, results.FailureEffective, results.LinkDown) {
		e := log.Edge(r)
		switch {
		case r.Name == results.Fault && r.Attrs["kind"] != results.FaultKillGuest:
			continue
		case r.Name == results.FailureEffective, r.Name == results.LinkDown:
			e.Early = 0
			if injected != nil {
				e.Early = time.Duration(e.Time - injected.Time)
			}
		default:
			injected = &edges.Edge{Time: e.Time}
			e = Struck(e)
		}
		found = &e
	}
	return found
}

// Struck is when a failure took effect that was injected at e, of which the bound says by how much later that may have been.
func Struck(e edges.Edge) edges.Edge {
	e.Time += int64(e.Early)
	return e
}
