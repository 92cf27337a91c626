//go:build e2e

package main

import (
	"fmt"
	"strings"
	"testing"
	"virtscope/analysis/metric"
	"virtscope/analysis/start"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

const fleetOf = 50

// Fifty guests that are cloned from one that is docked in memory.
const manyClones = `virtscope: 1
name: clones
guest:
  start: substrate
  memory: 160MiB
  substrate: {memory: 96MiB}
action: {boot: {guests: 50, arrivals: at-once, concurrency: 8, ready: echo, timeout: 8m}}
replicates: 1
warmup: 100ms
baseline: 200ms
quiesce: 500ms
retries: 3
timeout: 12m
`

// TestFleet activates many guests from one substrate: all answer, and no two are one.
func TestFleet(t *testing.T) {
	r := runs(t, experiment(t, manyClones))
	tl := accounted(t, r, r.Plan[0])
	if n := len(tl.Deployment.Starts); n != fleetOf {
		t.Fatalf("%d starts", n)
	}
	for i := range tl.Deployment.Starts {
		wholeStart(t, &tl.Deployment.Starts[i], start.Substrate)
	}
	is(t, tl, metric.DeployGuests, fleetOf)
	is(t, tl, metric.DeployFailed, 0)
	is(t, tl, metric.IdentityChecked, fleetOf)
	is(t, tl, metric.IdentityConflict, 0)
	known(t, tl, metric.SubstrateDocked, metric.SubstrateMade, metric.GuestPrivate, metric.DeployMakespan, metric.HostBusy)
	// What is docked is less than a guest has when it is activated: it was made smaller, and its free pages are in no file.
	if m := tl.Metric(metric.SubstrateDocked); m.Value > 128<<20 {
		t.Errorf("a docked substrate of 96 MiB takes %.0f B", m.Value)
	}
	allDiffer(t, r)
}

// allDiffer counts who was seen, by each guest's own word and on the wire, without the program's own comparison.
func allDiffer(t *testing.T, r *results.Run) {
	t.Helper()
	records, err := r.Records(r.Plan[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]map[string]bool{}
	note := func(kind, value string) {
		if who[kind] == nil {
			who[kind] = map[string]bool{}
		}
		who[kind][value] = true
	}
	for _, rec := range records {
		switch rec.Name {
		case results.GuestIdentified:
			for _, kind := range []string{"name", "address", "mac"} {
				note(kind, rec.Attrs[kind])
			}
		case results.BootAnswer:
			note("answer", rec.Attrs[results.AttrGuest])
		case results.BootFrame:
			note("frame", rec.Attrs[results.AttrGuest])
		case results.GuestPrivate:
			note("memory", rec.Attrs[results.AttrGuest])
		}
	}
	for _, kind := range []string{"name", "address", "mac", "answer", "frame", "memory"} {
		if n := len(who[kind]); n != fleetOf {
			t.Errorf("%d guests by their %s", n, kind)
		}
	}
}

// is wants a metric to be known and to have a value.
func is(t *testing.T, tl *timeline.Timeline, name string, want float64) {
	t.Helper()
	if m := tl.Metric(name); !m.Known || m.Censored || m.Value != want {
		t.Errorf("%s is %+v, want %g", name, m, want)
	}
}

// level is what a trial has of a factor.
func level(p results.Trial, path string) string {
	for _, l := range p.Levels {
		if l.Factor == path || strings.HasSuffix(l.Factor, "."+path) {
			return l.Value
		}
	}
	panic(fmt.Sprintf("%s has no factor %s", p.ID, path))
}
