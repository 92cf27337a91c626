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
	if s.Workload.Kind == "dirty" || s.Workload.Kind == "replay" {
		l.WorkingSet = float64(s.Workload.WorkingSet)
	}
	link := s.Testbed.Link
	if s.Testbed.MigrationLink != nil {
		link = *s.Testbed.MigrationLink
	}
	l.Link = capacity(link)
	return l
}

// capacity is the rate in B/s that a link allows from one host to another, which goes up one link and down the next; 0 is no
// limit.
func capacity(l spec.Link) float64 {
	rate := float64(l.Rate)
	if rate == 0 {
		rate = map[string]float64{"lan-1g": 1e9 / 8, "lan-10g": 1e10 / 8, "wan": 1e8 / 8}[l.Profile]
	}
	if up := float64(l.Upload); up > 0 && (rate == 0 || up < rate) {
		return up
	}
	return rate
}
