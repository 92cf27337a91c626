//go:build e2e

package main

import (
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/testbed"
)

// TestPostCopyCut cuts the migration's link in post-copy for longer than post-copy is given to move: it is paused, and goes
// on when the link is back.
func TestPostCopyCut(t *testing.T) {
	dir := experiment(t, `virtscope: 1
name: cut
extends: quickstart.yaml
testbed: {migration-link: {rate: 100Mbit/s, down-when: postcopy, down-after: 500ms, down-for: 4s}}
guest: {memory: 192MiB}
action: {migrate: {algorithm: postcopy, max-bandwidth: 0, postcopy-recovery: 1.5s, timeout: 2m}}
factors: {workload.rate: [4MiB/s]}
replicates: 1
retries: 3
timeout: 6m
`)
	r := runs(t, dir)
	tl := completed(t, r, r.Plan[0])
	known(t, tl, timeline.PostCopyTime, timeline.PostCopyPaused, timeline.Downtime)
	if !hasPhase(tl, timeline.PhasePaused) || !hasPhase(tl, timeline.PhasePostCopy) {
		t.Errorf("phases %+v", tl.Phases)
	}
	if len(tl.LinkDowns) != 1 || tl.LinkDowns[0].Open {
		t.Fatalf("the link was down: %+v", tl.LinkDowns)
	}
	down := tl.LinkDowns[0]
	if s := float64(down.To-down.From) / 1e9; s < 4 {
		t.Errorf("the link was down for %g s, want 4", s)
	}
	// It is stuck for 1.5 s before it is paused, and cannot go on before the link is back.
	if paused := tl.Metric(timeline.PostCopyPaused).Value; paused < 0.5 || paused > tl.Metric(timeline.PostCopyTime).Value {
		t.Errorf("post-copy was paused for %g s of %+v", paused, tl.Metric(timeline.PostCopyTime))
	}
}

// TestGivenUp cancels a migration and kills the destination of another, both in pre-copy and beside cross-traffic: the guest
// lives on where it was.
func TestGivenUp(t *testing.T) {
	dir := experiment(t, `virtscope: 1
name: given-up
extends: quickstart.yaml
testbed: {migration-link: {rate: 100Mbit/s}, cross-traffic: {kind: udp, rate: 20Mbit/s}}
guest: {memory: 192MiB}
workload: {rate: 8MiB/s}
action: {migrate: {max-bandwidth: 0, qemu: {capabilities: {x-ignore-shared: false}}}}
factors: {action.migrate.cancel-after: [0s, 1500ms], action.migrate.kill-destination-after: [0s, 1500ms]}
exclude:
  - {action.migrate.cancel-after: 0s, action.migrate.kill-destination-after: 0s}
  - {action.migrate.cancel-after: 1500ms, action.migrate.kill-destination-after: 1500ms}
replicates: 1
retries: 3
timeout: 6m
`)
	r := runs(t, dir)
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := completed(t, r, p)
			if p.Levels[0].Value != "0s" {
				known(t, tl, timeline.CancelTime)
				if m := tl.Metric(timeline.CancelStopped); !m.Known || m.Value != 0 {
					t.Errorf("the guest was cancelled in the first round, and stopped: %+v", m)
				}
			} else {
				known(t, tl, timeline.FailureDetection)
			}
			if m := tl.Metric(timeline.Downtime); m.Known {
				t.Errorf("the guest was never stopped, and its downtime is %+v", m)
			}
			records, err := r.Records(p.ID)
			if err != nil {
				t.Fatal(err)
			}
			stayed(t, records)
			shared(t, records)
			if !slices.ContainsFunc(tl.Warnings, func(s string) bool {
				return strings.Contains(s, "x-ignore-shared is passed through to qemu as it stands")
			}) {
				t.Errorf("the warnings do not name what was passed through: %q", tl.Warnings)
			}
		})
	}
}

// stayed wants all of the guest's frames to come from the source, the last of them after the migration was given up.
func stayed(t *testing.T, records []results.Record) {
	t.Helper()
	var end, last int64
	for _, r := range records {
		switch {
		case r.Name == results.ActionEnd:
			end = r.Time
		case r.Name == results.GuestFrame && r.Attrs["port"] != testbed.Source:
			t.Fatalf("a frame of the guest came from %q", r.Attrs["port"])
		case r.Name == results.GuestFrame:
			last = max(last, r.Time)
		}
	}
	if end == 0 || last < end {
		t.Errorf("the guest's last frame at %d, and the action ended at %d", last, end)
	}
}

// shared wants cross-traffic that came to be no more than what was sent.
func shared(t *testing.T, records []results.Record) {
	t.Helper()
	var sent, received float64
	for _, r := range records {
		switch r.Name {
		case results.TrafficSent:
			sent = max(sent, r.Value)
		case results.TrafficReceived:
			received = max(received, r.Value)
		}
	}
	if received <= 0 || received > sent {
		t.Errorf("of %.0f B of cross-traffic, %.0f B came", sent, received)
	}
}
