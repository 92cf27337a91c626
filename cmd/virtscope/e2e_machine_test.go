//go:build e2e

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

const (
	diskSize  = 64 << 20
	linkDelay = 5 * time.Millisecond
)

// A guest with a disk that it writes, over delayed links; asked once from a third host, once from its source's host.
const wholeMachine = `virtscope: 1
name: machine
extends: quickstart.yaml
testbed:
  link: {rate: 1Gbit/s, delay: 5ms}
  migration-link: {rate: 100Mbit/s, delay: 10ms, queue: 200ms}
guest: {start: cold, memory: 192MiB, disk: {size: 64MiB}}
workload: {kind: disk, disk: {rate: 512KiB/s, block: 64KiB, area: 16MiB}}
action: {migrate: {max-bandwidth: 0, max-rounds: 200, timeout: 2m}}
factors: {action.migrate.disk-copy: [mirror, incremental], testbed.client: [third, source]}
exclude:
  - {action.migrate.disk-copy: mirror, testbed.client: source}
  - {action.migrate.disk-copy: incremental, testbed.client: third}
replicates: 1
retries: 3
timeout: 6m
`

// TestWholeMachine moves a machine with its disk over a long link, by both copies of a disk.
func TestWholeMachine(t *testing.T) {
	dir := experiment(t, wholeMachine)
	r := runs(t, dir)
	emulated(t, r)
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := completed(t, r, p)
			movedDisk(t, p.Levels[0].Value, tl)
			seenFrom(t, p.Levels[1].Value, tl, r)
		})
	}
}

// emulated wants the manifest to say how well each link is emulated.
func emulated(t *testing.T, r *results.Run) {
	t.Helper()
	for _, link := range []string{"link", "migration-link"} {
		for _, name := range []string{"emulator", "emulator.delay.mean", "emulator.delay.error.median", "emulator.delay.error.p99"} {
			i := slices.IndexFunc(r.Manifest.Facts, func(f results.Fact) bool { return strings.HasPrefix(f.Subject, link+" ") && f.Name == name })
			if i < 0 || r.Manifest.Facts[i].Value == "" || strings.HasPrefix(r.Manifest.Facts[i].Value, "unknown") {
				t.Errorf("the manifest does not say %s of the %s", name, link)
			}
		}
	}
}

// movedDisk wants the bytes of disk and memory told apart, and the disk that arrived compared with the one that was sent.
func movedDisk(t *testing.T, copied string, tl *timeline.Timeline) {
	t.Helper()
	known(t, tl, timeline.BytesDisk, timeline.BytesMemory, timeline.DiskCopyTime, timeline.DiskReadyTime, "work.disk.throughput.baseline", "work.disk.write.max.action")
	disk, memory := tl.Metric(timeline.BytesDisk).Value, tl.Metric(timeline.BytesMemory).Value
	// Random data cannot be sent as zeroes: a mirror sends all of it, and again what is written meanwhile. An incremental copy
	// sends what was written since the boot, which lies within 16 MiB, in some passes.
	least, most := float64(diskSize), 1.5*diskSize
	if copied == "incremental" {
		least, most = 64<<10, 0.75*diskSize
	}
	if disk < least || disk > most {
		t.Errorf("%s: the disk took %.0f B, want %.0f to %.0f", copied, disk, least, most)
	}
	if memory < 20<<20 || memory > 300<<20 {
		t.Errorf("a guest of 192 MiB took %.0f B", memory)
	}
	if m := tl.Metric(timeline.DiskComparedBytes); !m.Known || m.Value != diskSize {
		t.Errorf("of the disk, was compared: %+v", m)
	}
	differs, written := tl.Metric(timeline.DiskDiffering), tl.Metric(timeline.DiskWrittenAfter)
	if !differs.Known || !written.Known || differs.Value > written.Value {
		t.Errorf("the disk differs by %+v, and the guest wrote %+v at the destination", differs, written)
	}
}

// seenFrom wants what the client sees to fit its place. Between a third host and the guest lie two delayed links; between
// the source's host and its own guest none, and no frame that the switch could see.
func seenFrom(t *testing.T, client string, tl *timeline.Timeline, r *results.Run) {
	t.Helper()
	known(t, tl, timeline.BlackoutClient)
	trip := baselineTrip(t, r, tl)
	t.Logf("client %s: a round trip takes %s in the baseline", client, trip)
	wire := tl.Outage(timeline.BlackoutWire)
	if client == "third" {
		if trip < 4*linkDelay || trip > 4*linkDelay+5*time.Millisecond {
			t.Errorf("a round trip over two links of %s takes %s", linkDelay, trip)
		}
		if !wire.Known {
			t.Errorf("the wire's view is %+v", wire)
		}
		return
	}
	if trip > 4*linkDelay {
		t.Errorf("a round trip on one host takes %s", trip)
	}
	if wire.Known || wire.Why == "" {
		t.Errorf("the guest's frames did not pass the switch, and the wire's view is %+v", wire)
	}
}

// baselineTrip is the median round trip of the probes that were sent in the baseline.
func baselineTrip(t *testing.T, r *results.Run, tl *timeline.Timeline) time.Duration {
	t.Helper()
	records, err := r.Records(tl.Trial.ID)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(tl.States, func(s timeline.Span) bool { return s.Name == results.StateBaseline })
	if i < 0 {
		t.Fatal(fmt.Errorf("no baseline among %+v", tl.States))
	}
	var trips []float64
	for _, rec := range records {
		if rec.Name == results.EchoRTT && rec.Time >= tl.States[i].Start.Time && rec.Time < tl.States[i].End.Time {
			trips = append(trips, rec.Value)
		}
	}
	if len(trips) < 100 {
		t.Fatalf("%d probes were answered in the baseline", len(trips))
	}
	slices.Sort(trips)
	return time.Duration(trips[len(trips)/2] * 1e9)
}
