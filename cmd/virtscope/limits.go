package main

import (
	"virtscope/analysis/convergence"
	"virtscope/experiments/spec"
)

// limitsOf is what an experiment allowed its migration; nothing of one that is nil.
func limitsOf(s *spec.Experiment) convergence.Limits {
	if s == nil || s.Action.Migrate == nil {
		return convergence.Limits{}
	}
	m := s.Action.Migrate
	l := convergence.Limits{
		DowntimeLimit: timeSeconds(m.DowntimeLimit), MaxBandwidth: float64(m.MaxBandwidth), PostCopyBandwidth: float64(m.PostcopyBandwidth),
		Compressed: m.Algorithm == "multifd" && m.Compression != "none" && m.Compression != "",
	}
	if s.Workload.Has("dirty") || s.Workload.Has("replay") {
		l.WorkingSet = float64(s.Workload.WorkingSet)
	}
	l.Link = capacity(s.Testbed.OfMigration())
	return l
}

// capacity is the rate in B/s that a link allows from one host to another, which goes up one link and down the next; 0 is no
// limit.
func capacity(l spec.Link) float64 {
	up, down := float64(l.Sends()), float64(l.Effective().Rate)
	if down == 0 || up > 0 && up < down {
		return up
	}
	return down
}
