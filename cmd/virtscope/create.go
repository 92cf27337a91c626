package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
	"virtscope/testbed/host"
)

// A runID names a run: its folder, and the short form that namespaces carry.
type runID struct{ name, short string }

func newRunID(experiment string) runID {
	name := experiment + "-" + time.Now().UTC().Format("20060102T150405.000Z")
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, os.Getpid()))
	return runID{name: name, short: hex.EncodeToString(sum[:4])}
}

func createRun(ctx context.Context, dir string, lab *lab, p *plan.Plan) (*results.Run, error) {
	text, err := p.Experiment.Resolved()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	m := results.Manifest{
		Format: results.ManifestFormat, Run: lab.id.name, Short: lab.id.short,
		Name: p.Experiment.Name, Question: p.Experiment.Question,
		Created: time.Now().UTC(), Tool: tool(),
		SpecHash: hex.EncodeToString(sum[:]), Seed: p.Experiment.Order.Seed,
		Facts: slices.Concat(host.Facts(ctx), lab.facts, lab.measured),
	}
	m.Stop = stopRule(p.Experiment)
	if err := ctx.Err(); err != nil {
		return nil, err // the facts are not whole
	}
	for _, s := range p.Experiment.Sources() {
		m.Sources = append(m.Sources, results.Source{Path: s.Path, SHA256: s.SHA256})
	}
	for _, f := range p.Experiment.Varied() {
		m.Factors = append(m.Factors, results.Factor{Path: f.Path, Levels: f.Levels})
	}
	trials := make([]results.Trial, 0, len(p.Trials))
	for _, t := range p.Trials {
		trials = append(trials, t.Trial)
	}
	m.MoreOf = p.MoreOf
	return results.Create(dir, m, text, trials)
}

func tool() results.Tool {
	t := results.Tool{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			t.Revision = s.Value + t.Revision
		case s.Key == "vcs.modified" && s.Value == "true":
			t.Revision += "+dirty"
		}
	}
	return t
}
