package main

import (
	"context"
	"strings"
	"testing"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A trial of the treatment whose metric is known ends it; builds of one treatment end together, and other treatments go on.
func TestEnoughTrials(t *testing.T) {
	level := func(build, rate string) []results.Level {
		return []results.Level{{Factor: "rate", Value: rate}, {Factor: "build", Value: build}}
	}
	e := &enoughTrials{run: &results.Run{}, rule: results.StopRule{Metric: "total", Within: 0.05, Confidence: 0.95, AtLeast: 6, AtMost: 10}}
	for _, rate := range []string{"slow", "fast"} {
		for _, build := range []string{"old", "new"} {
			for replicate := range 10 {
				e.run.Plan = append(e.run.Plan, results.Trial{Replicate: replicate + 1, ID: strings.Join([]string{rate, build, string(rune('a' + len(e.run.Plan)))}, "-"), Treatment: rate + build, Levels: level(build, rate)})
			}
		}
	}
	values := func(n int, treatment string, spread float64) {
		for i, trial := range e.run.Plan {
			if trial.Treatment == treatment && n > 0 {
				n--
				e.known[trial.ID] = stats.Datum{Trial: trial.ID, Value: 1 + spread*float64(i%3), Known: true}
			}
		}
	}
	fresh := func() {
		var err error
		if e.sequence, err = newSequence(e.rule); err != nil {
			t.Fatal(err)
		}
		e.known = map[string]stats.Datum{}
	}
	asked := 10
	ask := func(treatment string) string {
		why, err := e.ask(context.Background(), results.Trial{Treatment: treatment, Replicate: asked, Levels: level(treatment[4:], treatment[:4])})
		if err != nil {
			t.Fatal(err)
		}
		return why
	}
	fresh()
	if why := ask("slowold"); why != "" {
		t.Errorf("nothing is known: %s", why)
	}
	values(6, "slowold", 0.001)
	if why := ask("slowold"); why != "" {
		t.Errorf("the other build is not known: %s", why)
	}
	values(8, "slownew", 0.001)
	if why := ask("slowold"); !strings.Contains(why, "after 6 trials") || !strings.Contains(why, "after 8 trials") {
		t.Errorf("both are known: %q", why)
	}
	asked = 7 // of which there is one of the other build
	if why := ask("slowold"); why != "" {
		t.Errorf("a replicate is left with one build: %q", why)
	}
	asked = 10
	if why := ask("fastold"); why != "" {
		t.Errorf("another treatment: %s", why)
	}
	fresh()
	values(8, "slowold", 0.3)
	values(8, "slownew", 0.001)
	if why := ask("slownew"); why != "" {
		t.Errorf("one is wide: %s", why)
	}
}
