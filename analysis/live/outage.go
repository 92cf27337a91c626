package live

import (
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// maxEdges bounds how many stops and resumes are kept of a trial; a guest that stops more often is no migration.
const maxEdges = 1000

// switches are the guest's stops and resumes since the action was asked for.
type switches struct {
	source         string // who synchronised or stopped first
	stops, resumes []edges.Edge
}

func (s *switches) stop(e edges.Edge) {
	s.source = first(s.source, e.Host)
	if len(s.stops) < maxEdges {
		s.stops = append(s.stops, e)
	}
}

func (s *switches) resume(e edges.Edge) {
	if len(s.resumes) < maxEdges {
		s.resumes = append(s.resumes, e)
	}
}

// move moves what a host told by d ns: its clock was measured again, and may be wrong by bound.
func (s *switches) move(host string, d int64, bound time.Duration) {
	for _, list := range [][]edges.Edge{s.stops, s.resumes} {
		for i := range list {
			if list[i].Host == host {
				list[i].Time, list[i].Clock = list[i].Time+d, bound
			}
		}
	}
}

// pair finds the stop that counts, as a timeline does: the source's last before the guest ran at the destination, or else its
// last one, with the resume at the source after it. Resume is nil if the guest has not run again, and stop without a stop.
func (s *switches) pair() (stop, resume *edges.Edge) {
	for i := range s.resumes {
		if r := &s.resumes[i]; s.source != "" && r.Host != s.source {
			resume = r // the first one at the destination
			break
		}
	}
	for i := range s.stops {
		e := &s.stops[i]
		if e.Host != s.source {
			continue
		}
		// A stop may seem to follow the resume by as much as the clocks may be wrong.
		if stop == nil || resume == nil || e.Time <= resume.Time+int64(resume.Bound()+e.Bound()) {
			stop = e
		}
	}
	if resume != nil || stop == nil {
		return stop, resume
	}
	for i := range s.resumes {
		if r := &s.resumes[i]; r.Host == s.source && r.Time >= stop.Time {
			return stop, r
		}
	}
	return stop, nil
}

// late is by how much a hypervisor's event may come behind records that are younger, in ns. It is well above what is seen, 0.4 ms,
// for busy machines.
const late = int64(20e6)

// downtime is the hypervisors' view: of an outage that goes on, what the records cover of it.
func (t *trial) downtime() quantity.Quantity {
	stop, resume := t.switches.pair()
	until := t.latest - late
	if t.collected != 0 {
		until = t.collected
	}
	switch {
	case t.missing:
		return quantity.Unknown(results.Seconds, noRecords)
	case t.actionBegin == 0:
		return quantity.Unknown(results.Seconds, "the action has not begun")
	case t.action != "migrate":
		return quantity.Unknown(results.Seconds, "it is told of migrations alone")
	case t.guests > 1:
		return quantity.Unknown(results.Seconds, "there are several guests: see their own figures")
	case stop == nil && t.closed():
		return quantity.Unknown(results.Seconds, "no hypervisor reported that the guest stopped")
	case stop == nil:
		return quantity.Unknown(results.Seconds, "the guest has not stopped")
	case resume == nil && until <= stop.Time:
		return quantity.Unknown(results.Seconds, "the guest has just been stopped")
	case resume == nil:
		return quantity.AtLeast(seconds(until-stop.Time), results.Seconds, "the guest has not run again")
	}
	return edges.Between(*stop, *resume)
}

// closed reports whether nothing more is to come of the trial's observation.
func (t *trial) closed() bool { return t.ended || t.collected != 0 || t.cut != "" || t.missing }

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
