//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// Every algorithm on the same guest, which writes its memory and serves a key-value load.
const everyAlgorithm = `virtscope: 1
name: every
extends: quickstart.yaml
testbed: {migration-link: {rate: 40MiB/s}}
guest: {memory: 192MiB}
workload: {kind: mix, mix: dirty+kv, rate: 8MiB/s, kv: {requests: 250, keys: 1000}}
action: {migrate: {max-bandwidth: 0, max-rounds: 200, timeout: 2m}}
factors: {action.migrate.algorithm: [precopy, postcopy, hybrid, xbzrle, multifd, auto-converge, stop-and-copy]}
replicates: 1
retries: 3
quiesce: 4s # after a stop of 3 s, TCP tries again up to 3 s later
timeout: 6m
`

// TestAlgorithms migrates a real guest by every algorithm and holds each trial's figures against what the algorithm is.
func TestAlgorithms(t *testing.T) {
	dir := experiment(t, everyAlgorithm)
	r := runs(t, dir)
	for _, p := range r.Plan {
		t.Run(p.Levels[0].Value, func(t *testing.T) {
			tl := completed(t, r, p)
			byAlgorithm(t, p.Levels[0].Value, tl)
			servedLoad(t, tl)
		})
	}
	wholeReport(t, r)
	replayed(t, dir)
}

// replayed wants the trace of a recorded trial to be one that an experiment can replay.
func replayed(t *testing.T, dir string) {
	t.Helper()
	trace, stderr, err := virtscope(t, dir, "trace", "latest", "1")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	text := "virtscope: 1\nname: replay\nworkload: {kind: replay, trace: '" + strings.TrimSpace(trace) + "'}\naction: {migrate: {}}\n"
	if err := os.WriteFile(filepath.Join(dir, "replay.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, err := virtscope(t, dir, "validate", "replay.yaml"); err != nil {
		t.Errorf("%v\n%s\n%s\n%s", err, trace, stdout, stderr)
	}
}

// byAlgorithm wants what sets an algorithm apart from the others.
func byAlgorithm(t *testing.T, algorithm string, tl *timeline.Timeline) {
	t.Helper()
	known(t, tl, timeline.TotalTime, timeline.Downtime, timeline.BytesTransferred, timeline.BytesWire, timeline.CPUSource)
	rounds := tl.Metric(timeline.RoundCount)
	switch algorithm {
	case guest.PostCopy, guest.Hybrid:
		if !hasPhase(tl, timeline.PhasePostCopy) {
			t.Errorf("no post-copy among the phases %+v", tl.Phases)
		}
		known(t, tl, timeline.PostCopyTime, timeline.BytesPostCopy, timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest)
	case guest.StopAndCopy:
		if !rounds.Known || rounds.Value != 0 {
			t.Errorf("a guest that is stopped has rounds: %+v", rounds)
		}
		// All of its memory crosses the link while it is stopped.
		if down, total := tl.Metric(timeline.Downtime).Value, tl.Metric(timeline.TotalTime).Value; down < total/2 {
			t.Errorf("stopped for %g s of %g s", down, total)
		}
	case guest.XBZRLE:
		known(t, tl, timeline.XBZRLEMisses)
	case guest.Multifd:
		known(t, tl, timeline.BytesMultifd)
	}
	if algorithm != guest.StopAndCopy && algorithm != guest.PostCopy && (!rounds.Known || rounds.Value < 1) {
		t.Errorf("rounds are %+v", rounds)
	}
	if algorithm != guest.PostCopy && algorithm != guest.Hybrid && hasPhase(tl, timeline.PhasePostCopy) {
		t.Errorf("post-copy among the phases %+v", tl.Phases)
	}
}

// servedLoad wants the client's view of the key-value server to fit what was asked for and the guest's stop.
func servedLoad(t *testing.T, tl *timeline.Timeline) {
	t.Helper()
	known(t, tl, "load.throughput.baseline", "load.p50.baseline", "load.p99.action", "load.max.action", "load.kept-up", timeline.DirtyAsked, timeline.DirtyShare)
	// Nothing may be answered in the second after a long stop: TCP sends again at twice the interval each time.
	if m := tl.Metric("load.throughput.after"); !m.Known {
		t.Errorf("what was answered afterwards is %+v", m)
	}
	// What it lost is told unless the machine is so busy that the baseline itself has no steady rate.
	for _, name := range []string{"load.lost", "load.below50"} {
		if m := tl.Metric(name); !m.Known && !strings.Contains(m.Why, "the baseline is too noisy") {
			t.Errorf("%s is %+v", name, m)
		}
	}
	if m := tl.Metric("load.failed"); !m.Known || m.Value != 0 {
		t.Errorf("requests failed: %+v", m)
	}
	// After a long silence TCP tries again so late that the second that is observed may end before: no answer came yet.
	silent := tl.Outage(timeline.BlackoutClient)
	if m := tl.Metric("load.pending"); !m.Known || m.Value != 0 && silent.High < 0.5 {
		t.Errorf("after a silence of %+v, requests are pending: %+v", silent.Quantity, m)
	}
	// A request that was due as the guest stopped waited for as long as that lasted, less the time until the next one was due.
	// What is still pending waited for longer, and is told of as pending.
	const gap = 0.1 // s: the chance that none of 250 requests/s (Poisson) is due in it is e⁻²⁵
	if longest, stop := tl.Metric("load.max.action").Value, tl.Outage(timeline.Downtime); longest < stop.Low-gap && tl.Metric("load.pending").Value == 0 {
		t.Errorf("the longest request took %g s, and the guest was stopped for %g s", longest, stop.Low)
	}
}

// runs runs the experiment in dir and returns its one run, with nothing left behind.
func runs(t *testing.T, dir string) *results.Run {
	t.Helper()
	stdout, stderr, err := virtscope(t, dir, "run", "e.yaml")
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	return r
}

// accounted wants a trial to be completed, with its time accounted for.
func accounted(t *testing.T, r *results.Run, p results.Trial) *timeline.Timeline {
	t.Helper()
	o, tl := build(t, r, p.ID)
	if o.Verdict != results.Completed {
		t.Fatalf("%s: %s", o.Verdict, o.Reason)
	}
	sumUp(t, tl.States, tl.End.Time-tl.Begin.Time)
	sumUp(t, tl.Phases, tl.ActionEnd.Time-tl.ActionBegin.Time)
	return tl
}

// completed wants a trial's memory verified, too.
func completed(t *testing.T, r *results.Run, p results.Trial) *timeline.Timeline {
	t.Helper()
	tl := accounted(t, r, p)
	known(t, tl, timeline.MemoryVerified)
	if m := tl.Metric(timeline.MemoryCorrupt); m.Known && m.Value != 0 {
		t.Errorf("corrupt pages: %+v", m)
	}
	return tl
}

// known wants metrics to be there and above 0.
func known(t *testing.T, tl *timeline.Timeline, names ...string) {
	t.Helper()
	for _, name := range names {
		if m := tl.Metric(name); !m.Known || m.Value <= 0 {
			t.Errorf("%s is %+v", name, m)
		}
	}
}

func hasPhase(tl *timeline.Timeline, name string) bool {
	return slices.ContainsFunc(tl.Phases, func(s timeline.Span) bool { return s.Name == name && s.Duration() > 0 })
}
