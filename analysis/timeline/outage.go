package timeline

import (
	"fmt"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Names of the views of the outage. Each is reported by itself.
const (
	Downtime         = "downtime"          // the hypervisors' events: from the source's stop to the destination's resume
	DowntimeReported = "downtime.reported" // the source's own figure, in whole ms
	BlackoutWire     = "blackout.wire"     // the guest's frames at the switch
	BlackoutClient   = "blackout.client"   // probes of a third host
	BlackoutGuest    = "blackout.guest"    // the guest's own ticker
)

// An Outage is one view of how long the guest did not serve.
type Outage struct {
	Name              string `json:"name"`
	quantity.Quantity        // s
	// From and To are the last sign of life before and the first after, in ns; both 0 if not known. They enclose the
	// outage, so they are further apart than it is long.
	From int64 `json:"from,omitempty"`
	To   int64 `json:"to,omitempty"`
	// Before is how long before the request the silence began, in s; 0 if the bounds allow that it did not. The value is
	// then the part from the request on, because no action causes what came before it; the upper bound is the whole.
	Before float64 `json:"before_s,omitempty"`
	// Raw is To − From, in s.
	Raw quantity.Quantity `json:"raw"`
	// Floor is the same estimate on the undisturbed baseline, which lasted FloorLength s: what is not above it may be noise.
	// Of a silence that reaches over an edge of the baseline, the part inside counts.
	Floor       quantity.Quantity `json:"floor"`
	FloorLength float64           `json:"floor_length_s"`
	// Switchover is the view's outage that spans the guest's stop, where that is not its longest.
	Switchover *quantity.Quantity `json:"switchover,omitempty"`
	Detail     []string           `json:"detail,omitempty"`

	warning string // what a reader of the whole trial must know; "" is nothing
}

// downtime is the hypervisors' view.
func (m *migration) downtime(observed int64) Outage {
	o := Outage{Name: Downtime, Floor: quantity.Unknown(results.Seconds, "events have no noise floor: their error is in the bounds")}
	o.Raw = quantity.Unknown(results.Seconds, "events bound it exactly")
	switch {
	case m.stop == nil && m.failed != nil:
		o.Quantity = quantity.Unknown(results.Seconds, "the migration ended ("+m.failed.What+") before the guest was stopped")
	case m.stop == nil:
		o.Quantity = quantity.Unknown(results.Seconds, "no hypervisor reported that the guest stopped at the source")
	case m.resume == nil && observed > m.stop.Time:
		o.Quantity = quantity.AtLeast(seconds(observed-m.stop.Time), results.Seconds, "the guest did not run again while it was observed")
	case m.resume == nil:
		o.Quantity = quantity.Unknown(results.Seconds, "no hypervisor reported that the guest ran again")
	default:
		o.Quantity = between(*m.stop, *m.resume)
		o.From, o.To = m.stop.Time, m.resume.Time
		if m.rolledBack {
			o.Detail = append(o.Detail, "the guest ran again at the source: the migration was rolled back")
		}
	}
	return o
}

// reported is the hypervisor's own figure. QEMU counts whole ms on the source alone: from before it stops the guest until
// it has sent everything. What the destination needs to load and start is not in it.
func (x *index) reported() Outage {
	q := x.final(results.ReportedDowntime, results.Seconds)
	if q.Known {
		q = quantity.Within(q.Value, max(0, q.Value-0.001), q.Value+0.001, results.Seconds)
	}
	none := quantity.Unknown(results.Seconds, "the hypervisor reports a figure, not edges")
	return Outage{Name: DowntimeReported, Quantity: q, Raw: none, Floor: none}
}

// view fills in an outage from its gaps.
func view(name string, gaps []gap, o observation) Outage {
	out := Outage{Name: name, Floor: floor(gaps, o.baseline), FloorLength: seconds(o.baseline.length())}
	gaps = since(gaps, o.action)
	g, ok := longest(gaps, o.span)
	if !ok {
		out.Quantity = quantity.Unknown(results.Seconds, "no two signs of life enclose the action")
		out.Raw = out.Quantity
		return out
	}
	out.take(g)
	out.Raw = quantity.Exactly(seconds(g.to-g.from), results.Seconds)
	if g.open {
		out.Raw = quantity.AtLeast(seconds(g.to-g.from), results.Seconds, g.outage.Why)
	}
	if o.stopped == nil {
		return out
	}
	if s, found := spanning(gaps, *o.stopped); found && (s.from != g.from || s.to != g.to) {
		out.Switchover = &s.outage
		out.Detail = append(out.Detail, fmt.Sprintf("the longest gap began %v %s the guest's stop and does not span it; the one that does shows %s",
			time.Duration(abs(g.from-o.stopped.from)).Round(time.Microsecond*100), beforeAfter(g.from, o.stopped.from), quantity.ShowWithin(s.outage)))
	}
	return out
}

// take makes a gap the view's outage.
func (o *Outage) take(g gap) {
	o.Quantity, o.From, o.To, o.Before = g.outage, g.from, g.to, g.before
	if g.before > 0 {
		o.Detail = append(o.Detail, fmt.Sprintf("the silence began %s before the request: the value is its part from the request on, the upper bound the whole", quantity.Duration(g.before)))
	}
}

func abs(n int64) int64 { return max(n, -n) }

func beforeAfter(t, ref int64) string {
	if t < ref {
		return "before"
	}
	return "after"
}
