//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/edges"
	"virtscope/analysis/start"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

// One built-in guest, by both machine types and both kernels.
const oneBoot = `virtscope: 1
name: boots
guest: {memory: 192MiB}
action: {boot: {guests: 1, ready: echo, timeout: 3m}}
factors:
  guest.qemu.machine: [q35, microvm]
  guest.boot: [kernel, pvh]
replicates: 1
warmup: 100ms
baseline: 200ms
quiesce: 500ms
retries: 3
timeout: 6m
`

// edgeSources are the edges of a cold start in their order, and who must have seen each: sources begin so.
var edgeSources = []struct{ name, source string }{
	{start.EdgeSpawn, results.SourceQMP},
	{"firmware", results.SourceConsole},
	{"kernel", results.SourceConsole},
	{"kernel end", results.SourceGuest},
	{"init", results.SourceGuest},
	{"modules", results.SourceGuest},
	{"answer", results.SourceReady},
}

// freeEdges may come in any place before the answer.
var freeEdges = []struct{ name, source string }{
	{"network", results.SourceGuest},
	{"frame", results.SourceCapturePrefix},
}

// TestBoot boots a real guest each way, and wants its start told from the spawn to the answer without a gap.
func TestBoot(t *testing.T) {
	r := runs(t, experiment(t, oneBoot))
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := accounted(t, r, p)
			if len(tl.Deployment.Starts) != 1 {
				t.Fatalf("%d starts", len(tl.Deployment.Starts))
			}
			s := tl.Deployment.Starts[0]
			wholeStart(t, &s, start.Cold)
			inOrder(t, &s)
			consoleSays(t, r, p, &s)
		})
	}
}

// wholeStart wants a start's phases to add up from its spawn to its answer, nothing of it unattributed.
func wholeStart(t *testing.T, s *start.Start, kind string) {
	t.Helper()
	if s.Kind != kind || s.Ready == nil || s.Failed != "" {
		t.Fatalf("%s: a %s start, ready %v, failed %q", s.Guest, s.Kind, s.Ready, s.Failed)
	}
	spawn := seen(s, start.EdgeSpawn)
	if spawn == nil {
		t.Fatalf("%s: nobody saw its spawn: %+v", s.Guest, s.Missing)
	}
	sumUp(t, s.Phases, s.Ready.Time-spawn.Edge.Time)
	for _, p := range s.Phases {
		if p.Name == edges.Unattributed {
			t.Errorf("%s: %s of its start belong to no phase: %+v, %q", s.Guest, p.Duration(), s.Missing, s.Warnings)
		}
	}
	if q := s.Total; !q.Known || q.Censored {
		t.Errorf("%s: its time from spawn to ready is %+v", s.Guest, q)
	}
}

// inOrder wants each edge from its own source, and none before the one that comes before it by nature.
func inOrder(t *testing.T, s *start.Start) {
	t.Helper()
	var before *start.Seen
	for _, want := range edgeSources {
		e := seen(s, want.name)
		if e == nil || !strings.HasPrefix(e.Source, want.source) {
			t.Fatalf("%s is %+v, want it from %s; missing: %+v", want.name, e, want.source, s.Missing)
		}
		if before != nil && e.Edge.Time < before.Edge.Time {
			t.Errorf("%s was %d ns before %s", e.Name, before.Edge.Time-e.Edge.Time, before.Name)
		}
		before = e
	}
	for _, want := range freeEdges {
		e := seen(s, want.name)
		if e == nil || !strings.HasPrefix(e.Source, want.source) {
			t.Fatalf("%s is %+v, want it from %s; missing: %+v", want.name, e, want.source, s.Missing)
		}
	}
	if frame := seen(s, "frame"); frame.Edge.Time > before.Edge.Time {
		t.Errorf("the first frame came %d ns after the first answer", frame.Edge.Time-before.Edge.Time)
	}
}

func seen(s *start.Start, name string) *start.Seen {
	i := slices.IndexFunc(s.Seen, func(e start.Seen) bool { return e.Name == name && !e.Aside })
	if i < 0 {
		return nil
	}
	return &s.Seen[i]
}

// consoleSays holds the edges against the console that the hypervisor itself kept: the kernel's first line is the one at whose
// begin the kernel's edge was stamped, and PID 1's mark bears the guest's clock that the agent told for its begin.
func consoleSays(t *testing.T, r *results.Run, p results.Trial, s *start.Start) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.TrialDir(p.ID), s.Guest, "console-*.log"))
	if err != nil || len(found) != 1 {
		t.Fatalf("consoles %v, %v", found, err)
	}
	console, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if kernel := seen(s, "kernel"); kernel.Text == "" || !strings.HasPrefix(strings.TrimSpace(string(console)), kernel.Text) {
		t.Errorf("the kernel's first line is %q, and the console begins with %.80q", kernel.Text, console)
	}
	records, err := r.Records(p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		if rec.Name == results.BootInit && rec.Source == results.SourceGuest && !strings.Contains(string(console), agent.ConsoleMark+" "+rec.Attrs["mono"]) {
			t.Errorf("PID 1 began at %s ns by the guest's agent; the console says otherwise: %.400q", rec.Attrs["mono"], console)
		}
	}
}
