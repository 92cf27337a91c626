package plan

import (
	"fmt"
	"slices"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// Make plans every trial of e: its treatments (first factor slowest) × its replicates, in the order that e asks
// for. The experiment is validated as the text that its run folder will keep, so that what is planned can be
// planned again from there; the error is spec.Problems if it is not valid.
func Make(e *spec.Experiment) (*Plan, error) {
	text, err := e.Resolved()
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", e.Name, err)
	}
	if _, err := spec.Parse(e.Name+" (resolved)", text); err != nil {
		return nil, err
	}
	p := &Plan{Experiment: e.Clone()}
	n := newNamer(e.Varied())
	for _, r := range arrange(e) {
		t, err := n.trial(e, r, len(p.Trials)+1)
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", e.Name, err)
		}
		p.Trials = append(p.Trials, t)
	}
	n.identify(p.Trials)
	saveOnes(p.Trials)
	return p, nil
}

// Estimate is how long the run will take, roughly: the sum over its trials, none of them repeated.
func (p *Plan) Estimate() time.Duration {
	var sum time.Duration
	for _, t := range p.Trials {
		sum += t.Estimate
	}
	return sum
}

// Saved is how much sooner the run ends, roughly, because its guests start warm.
func (p *Plan) Saved() time.Duration {
	var sum time.Duration
	for _, t := range p.Trials {
		if t.Spec.Guest.Start != "warm" {
			continue
		}
		cold := t.Spec.Clone()
		cold.Guest.Start = "cold"
		sum += estimate(cold) - t.Estimate
	}
	return sum
}

// saveOnes adds, to the first trial of each configuration that starts warm, the boot from whose state all of them start.
func saveOnes(trials []Trial) {
	saved := map[string]bool{}
	for i := range trials {
		e := trials[i].Spec
		if e.Guest.Start != "warm" || saved[e.Configuration()] {
			continue
		}
		saved[e.Configuration()] = true
		trials[i].Estimate = estimateAfter(e, boot(e)+saveOnce)
	}
}

// Treatments are the plan's treatments in the order of the experiment's factors, whatever the order of the
// trials.
func (p *Plan) Treatments() []string {
	n := newNamer(p.Experiment.Varied())
	var names []string
	for _, levels := range p.Experiment.Treatments() {
		names = append(names, n.treatment(levels))
	}
	return names
}

// A replicate of a treatment, before it has a place in the order.
type replicate struct {
	levels []results.Level
	number int // from 1
	block  string
}

// trial sets r's levels and names it, all but its ID.
func (n *namer) trial(e *spec.Experiment, r replicate, order int) (Trial, error) {
	with, err := e.With(r.levels)
	if err != nil {
		return Trial{}, err
	}
	return Trial{
		Trial: results.Trial{
			Order:     order,
			Treatment: n.treatment(r.levels),
			Levels:    slices.Clone(r.levels),
			Replicate: r.number,
			Block:     r.block,
		},
		Spec:     with,
		Estimate: estimate(with),
	}, nil
}
