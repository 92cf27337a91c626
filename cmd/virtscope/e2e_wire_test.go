//go:build e2e

package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"
	"virtscope/analysis/stream"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// wireAgrees wants what packets show and what the hypervisor says to be the same, wherever they mean the same.
func wireAgrees(t *testing.T, tl *timeline.Timeline) {
	t.Helper()
	if tl.Wire == nil {
		t.Fatalf("the stream was not decoded: %s", tl.WireMissing)
	}
	judged := map[string]bool{}
	for _, c := range tl.Comparisons {
		if c.Judged && !c.Agrees {
			t.Errorf("%s: on the wire %+v, the hypervisor says %+v", c.Name, c.Wire, c.Hypervisor)
		}
		judged[c.Name] = c.Judged
	}
	for _, name := range []string{"pages sent whole", "zero pages", "pages", "stop", "resume", "downtime"} {
		if !judged[name] {
			t.Errorf("%s was not held against the hypervisor: %v", name, judged)
		}
	}
}

// A link that is not the bottleneck: nothing waits in the source's socket buffer, so that the edges are sharp.
const openLink = `virtscope: 1
name: open-link
extends: quickstart.yaml
replicates: 3
retries: 3
testbed: {migration-link: {rate: 0}}
action: {migrate: {max-bandwidth: 60MB/s}}
probes: {capture: {keep: whole}}
factors: {workload.rate: [8MiB/s]}
`

// TestDecode reads a real migration from packets as it passes, and again from the capture that was kept, and holds both
// against QEMU's own counters and events.
func TestDecode(t *testing.T) {
	dir := experiment(t, openLink)
	if stdout, stderr, err := virtscope(t, dir, "run", "e.yaml"); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	sharp := 0
	for _, p := range r.Plan {
		o, tl := build(t, r, p.ID)
		if o.Verdict != results.Completed {
			t.Fatalf("%s: %s", o.Verdict, o.Reason)
		}
		wireAgrees(t, tl)
		readAgain(t, dir, r, tl)
		stop, resume := edgeError(t, tl, "stop"), edgeError(t, tl, "resume")
		t.Logf("stop %+.3f ms, resume %+.3f ms of QEMU's events", stop*1e3, resume*1e3)
		if math.Abs(stop) < 1e-3 && math.Abs(resume) < 1e-3 {
			sharp++
		}
	}
	// A machine that stalls between an event and its packet moves an edge; its bounds still hold, as wireAgrees wants.
	if sharp == 0 {
		t.Errorf("in none of %d trials are both edges within 1 ms of QEMU's events", len(r.Plan))
	}
}

func edgeError(t *testing.T, tl *timeline.Timeline, name string) float64 {
	t.Helper()
	for _, c := range tl.Comparisons {
		if c.Name == name && c.Difference.Known {
			return c.Difference.Value
		}
	}
	t.Fatalf("no %s on the wire", name)
	return 0
}

// readAgain reads the capture that a trial kept, by itself.
func readAgain(t *testing.T, dir string, r *results.Run, tl *timeline.Timeline) {
	t.Helper()
	file := filepath.Join(r.TrialDir(tl.Trial.ID), captureFile)
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := virtscope(t, dir, "pcap", "--json", file)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var c stream.Capture
	if err := json.Unmarshal([]byte(stdout), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Migrations) != 1 {
		t.Fatalf("%d migrations in %s", len(c.Migrations), file)
	}
	for kind, want := range tl.Wire.Pages {
		if got := c.Migrations[0].Pages[kind]; got.Value != want.Value || !got.Known {
			t.Errorf("%s pages: live %v, from the capture %v", kind, want.Value, got)
		}
	}
}
