package timeline

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// Names of the comparisons.
const (
	CompareNormal   = "pages sent whole"
	CompareZero     = "zero pages"
	ComparePages    = "pages"
	CompareSyncs    = "bitmap synchronisations"
	CompareRounds   = "rounds"
	CompareBytes    = "bytes"
	CompareStop     = "stop"
	CompareResume   = "resume"
	CompareDowntime = "downtime"
	CompareRequests = "page requests" // only of a migration in which pages were asked for
)

// A Comparison holds what the packets show against what the hypervisor says.
type Comparison struct {
	Name       string            `json:"name"`
	Wire       quantity.Quantity `json:"wire"`
	Hypervisor quantity.Quantity `json:"hypervisor"`
	Difference quantity.Quantity `json:"difference"` // wire − hypervisor
	// Judged: both are known and mean the same, so that the difference should be 0 within its bounds. Agrees says whether it is.
	Judged bool   `json:"judged"`
	Agrees bool   `json:"agrees"`
	Note   string `json:"note,omitempty"` // what must be known to read it
}

// compare is a comparison of two quantities that mean the same.
func compare(name string, wire, hypervisor quantity.Quantity) Comparison {
	c := Comparison{Name: name, Wire: wire, Hypervisor: hypervisor, Difference: less(wire, hypervisor)}
	c.Judged = c.Difference.Known
	c.Agrees = c.Judged && c.Difference.Low <= 0 && (c.Difference.Censored || c.Difference.High >= 0)
	return c
}

// less is a − b, with the bounds of both. Where a is a lower bound, so is the difference.
func less(a, b quantity.Quantity) quantity.Quantity {
	switch {
	case !a.Known:
		return quantity.Unknown(a.Unit, a.Why)
	case !b.Known:
		return quantity.Unknown(a.Unit, b.Why)
	case b.Censored:
		return quantity.Unknown(a.Unit, b.Why)
	case a.Censored:
		return quantity.AtLeast(a.Value-b.High, a.Unit, a.Why)
	}
	return quantity.Within(a.Value-b.Value, a.Low-b.High, a.High-b.Low, a.Unit)
}

// comparisons hold the decoded migration against the hypervisor's counters and events; none if there is no such migration.
func (t *Timeline) comparisons(x *index, m *migration) []Comparison {
	w := t.Wire
	if w == nil {
		return nil
	}
	normal := x.final(results.MigrationPages, results.One, "kind", "normal")
	zero := x.final(results.MigrationPages, results.One, "kind", "zero")
	list := []Comparison{
		compare(CompareNormal, sentWhole(w.Pages), normal),
		compare(CompareZero, w.Pages.Of(results.PageZero), zero),
		pagesCompared(w.Pages, plus(normal, zero)),
		syncsCompared(w, x.final(results.MigrationSyncCount, results.One)),
		roundsCompared(w, roundCount(m)),
		bytesCompared(w.Bytes, x.final(results.MigrationTransferred, results.Bytes)),
	}
	list = append(list,
		x.edgeCompared(CompareStop, t.ActionBegin, stageOf(w, results.StageStopCopy), m.stop),
		x.edgeCompared(CompareResume, t.ActionBegin, stageOf(w, results.StageRunning), m.resume),
		compare(CompareDowntime, w.Downtime, t.Outage(Downtime).Quantity),
	)
	if w.PostCopy != nil {
		list = append(list, compare(CompareRequests, w.PostCopy.Requests, x.final(results.MigrationPageRequests, results.One)))
	}
	for i := range list {
		c := &list[i]
		if why := m.unseenStop(); why != "" && (c.Name == CompareStop || c.Name == CompareDowntime || c.Name == CompareRounds) {
			none := quantity.Unknown(c.Wire.Unit, why)
			*c = Comparison{Name: c.Name, Wire: none, Hypervisor: c.Hypervisor, Difference: none}
			continue
		}
		if c.Name == CompareResume && c.Judged && (m.stoppedFirst() || m.held != nil) {
			c.Judged, c.Agrees, c.Note = false, false, announcedEarly
			continue
		}
		if why := m.unjudged(w); why != "" && c.Judged && c.Wire.Unit == results.One {
			c.Judged, c.Agrees, c.Note = false, false, why
		}
	}
	return list
}

// announcedEarly is why the packets' resume of a guest that was stopped on purpose is not the hypervisor's: it is announced once
// it is loaded, and runs when it is told to.
const announcedEarly = "a guest that was stopped on purpose is announced before it is told to run"

// unseenStop is why packets tell no stop, and no rounds: the guest was stopped from without, before its migration began or in the
// middle of a round; "" if the hypervisor stopped it by itself.
func (m *migration) unseenStop() string {
	switch {
	case m.stoppedFirst():
		return "the guest was stopped before anything was sent, which no packet shows: what the stream calls pre-copy is a stopped guest's memory"
	case m.held != nil:
		return "the guest was stopped on purpose in the middle of a round, of which the hypervisor sends the rest as if it ran: no packet shows that stop"
	}
	return ""
}

// unjudged says why counters need not agree: one that is read after a failure may miss what was still sent, and a post-copy
// that was recovered went on over new connections, which are a stream of their own.
func (m *migration) unjudged(w *stream.Migration) string {
	switch {
	case m.failed != nil || w.How != stream.HowComplete:
		return "the migration did not complete, so that the two need not tell of the same instant"
	case m.paused():
		return "post-copy was paused and went on over new connections, which are another stream: the hypervisor counts both"
	}
	return ""
}

// paused reports whether post-copy lost its connection.
func (m *migration) paused() bool {
	for _, p := range m.posts {
		if p.status == "postcopy-paused" {
			return true
		}
	}
	return false
}

// sentWhole counts what QEMU counts as normal (mig_stats.normal_pages): pages sent whole in the main channel, and those of
// multifd channels.
func sentWhole(p stream.Pages) quantity.Quantity {
	return p.Of(results.PageNormal, results.PageMultifd)
}

func pagesCompared(p stream.Pages, hypervisor quantity.Quantity) Comparison {
	c := compare(ComparePages, p.Of(results.PageNormal, results.PageMultifd, results.PageZero, results.PageUnknown), hypervisor)
	if other := p.Of(results.PageXBZRLE, results.PageCompressed); other.Value > 0 {
		c.Note = fmt.Sprintf("%s pages that were sent as differences or compressed are left out: the hypervisor counts them apart", quantity.Count(other))
	}
	return c
}

func plus(a, b quantity.Quantity) quantity.Quantity {
	switch {
	case !a.Known:
		return a
	case !b.Known:
		return b
	}
	return quantity.Within(a.Value+b.Value, a.Low+b.Low, a.High+b.High, a.Unit)
}

func syncsCompared(w *stream.Migration, hypervisor quantity.Quantity) Comparison {
	c := compare(CompareSyncs, w.Syncs, hypervisor)
	if w.Syncs.Censored {
		c.Note = "a synchronisation shows only where pages pass again: the stream tells a lower bound"
	}
	return c
}

// roundsCompared allows for synchronisations after which nothing passes, or nothing that passed in the round before: QEMU
// synchronises whenever what is left seems little enough, and once more before it stops the guest
// (migration_iteration_run). So what it counts may be more than packets can show.
func roundsCompared(w *stream.Migration, hypervisor quantity.Quantity) Comparison {
	c := compare(CompareRounds, w.PreCopyRounds(), hypervisor)
	if c.Difference.Known && c.Difference.Value < 0 {
		c.Note = "the hypervisor also synchronises where no page shows it, such as just before it stops the guest"
		c.Agrees = c.Judged
	}
	return c
}

// bytesCompared is never judged: the two count different things.
func bytesCompared(wire, hypervisor quantity.Quantity) Comparison {
	c := compare(CompareBytes, wire, hypervisor)
	c.Judged, c.Agrees = false, false
	c.Note = "not the same thing: packets carry the device state and all headers, too; what the hypervisor counts depends on its version"
	return c
}

func stageOf(m *stream.Migration, name string) *stream.Moment {
	for _, s := range m.Stages {
		if s.Name == name {
			return &s.Begin
		}
	}
	return nil
}

// edgeCompared holds a moment of the stream against a hypervisor's event, both in s since begin.
func (x *index) edgeCompared(name string, begin Edge, m *stream.Moment, e *Edge) Comparison {
	const u = results.Seconds
	c := Comparison{Name: name, Wire: quantity.Unknown(u, "no packet shows it"), Hypervisor: quantity.Unknown(u, "no hypervisor reported it")}
	if m != nil {
		c.Wire = quantity.Within(seconds(m.Time-begin.Time), seconds(m.Earliest-begin.Time), seconds(m.Latest-begin.Time), u)
	}
	if e != nil {
		at := seconds(e.Time - begin.Time)
		c.Hypervisor = quantity.Within(at, at-e.Bound().Seconds(), at+e.Bound().Seconds(), u)
	}
	if m == nil || e == nil {
		c.Difference = less(c.Wire, c.Hypervisor)
		return c
	}
	c.Difference = x.apart(*m, *e)
	c.Judged = true
	c.Agrees = c.Difference.Low <= 0 && c.Difference.High >= 0
	return c
}

// apart is how much later a moment of the stream is than an edge, in s, with the errors of both clocks.
func (x *index) apart(m stream.Moment, e Edge) quantity.Quantity {
	slack := e.Stamp
	if own := x.wireEdge(); own.Host != e.Host {
		slack += own.Clock + e.Clock
	}
	return quantity.Within(seconds(m.Time-e.Time), seconds(m.Earliest-e.Time)-slack.Seconds(), seconds(m.Latest-e.Time)+slack.Seconds(), results.Seconds)
}

// Differing describes a difference that the bounds do not explain; "" if there is none.
func (c Comparison) Differing() string {
	if !c.Judged || c.Agrees {
		return ""
	}
	if c.Name == CompareStop || c.Name == CompareResume {
		return fmt.Sprintf("%s: the packets show it %s from the hypervisor's event, which their bounds do not explain", c.Name, quantity.Signed(c.Difference))
	}
	return fmt.Sprintf("%s: packets show %s, the hypervisor says %s: a difference of %s", c.Name, quantity.Full(c.Wire), quantity.Full(c.Hypervisor), quantity.Signed(c.Difference))
}
