package live

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// maxEdges bounds how many stops and resumes are kept of a trial; a guest that stops more often is no migration.
const maxEdges = 1000

type edge struct {
	host string
	at   int64
}

// switches are the guest's stops and resumes since the action was asked for.
type switches struct {
	source         string // who synchronised or stopped first
	stops, resumes []edge
}

func (s *switches) stop(host string, at int64) {
	s.source = first(s.source, host)
	if len(s.stops) < maxEdges {
		s.stops = append(s.stops, edge{host, at})
	}
}

func (s *switches) resume(host string, at int64) {
	if len(s.resumes) < maxEdges {
		s.resumes = append(s.resumes, edge{host, at})
	}
}

// last is the last stop at the source that no resume there follows; 0 if there is none.
func (s *switches) last() int64 {
	stop, _, ok := s.pair()
	if !ok {
		return 0
	}
	return stop
}

// pair finds the stop that counts, as a timeline does: the source's last before the guest ran at the destination, or else its
// last one, with the resume at the source after it. Resume is 0 if the guest has not run again; ok is false without a stop.
func (s *switches) pair() (stop, resume int64, ok bool) {
	var there int64 // the first resume at the destination
	for _, r := range s.resumes {
		if s.source != "" && r.host != s.source && there == 0 {
			there = r.at
		}
	}
	for _, e := range s.stops {
		if e.host != s.source {
			continue
		}
		if !ok || there == 0 || e.at <= there {
			stop, ok = e.at, true
		}
	}
	if there != 0 || !ok {
		return stop, there, ok
	}
	for _, r := range s.resumes {
		if r.host == s.source && r.at >= stop {
			return stop, r.at, true
		}
	}
	return stop, 0, true
}

// downtime is the hypervisors' view: of an outage that goes on, what the records cover of it.
func (t *trial) downtime() quantity.Quantity {
	stop, resume, ok := t.switches.pair()
	until := t.latest
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
	case !ok && t.closed():
		return quantity.Unknown(results.Seconds, "no hypervisor reported that the guest stopped")
	case !ok:
		return quantity.Unknown(results.Seconds, "the guest has not stopped")
	case resume == 0:
		return quantity.AtLeast(seconds(max(0, until-stop)), results.Seconds, "the guest has not run again")
	}
	return quantity.Exactly(seconds(max(0, resume-stop)), results.Seconds)
}

// closed reports whether nothing more is to come of the trial's observation.
func (t *trial) closed() bool { return t.ended || t.collected != 0 || t.cut != "" || t.missing }

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
