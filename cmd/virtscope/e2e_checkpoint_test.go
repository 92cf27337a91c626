//go:build e2e

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	phases "virtscope/analysis/saving"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/testbed"
)

// A guest that writes its memory and its disk while it is saved three times. It starts warm.
const savedGuest = `virtscope: 1
name: saved
testbed: {link: {rate: 1Gbit/s}, migration-link: {rate: 1Gbit/s}}
guest: {memory: 192MiB, start: warm, disk: {size: 32MiB, format: qcow2, storage: local}}
workload:
  kind: mix
  mix: dirty+disk
  rate: 8MiB/s
  working-set: 16MiB
  compressibility: 0.5
  disk: {rate: 512KiB/s, block: 64KiB, area: 8MiB}
replicates: 1
warmup: 500ms
baseline: 1s
quiesce: 1s
retries: 3
timeout: 15m
`

// By format, and whether it runs on.
const byFormat = savedGuest + `
action: {checkpoint: {save: {disk: incremental, keep: 5}, count: 3, interval: 2s, restore: same, timeout: 90s}}
factors:
  action.checkpoint.save.format: [stream, mapped-ram, memory-file]
  action.checkpoint.save.compression: [none, zstd]
  action.checkpoint.save.mode: [stop, live]
exclude:
  - {action.checkpoint.save.format: stream, action.checkpoint.save.compression: none}
  - {action.checkpoint.save.format: [mapped-ram, memory-file], action.checkpoint.save.compression: zstd}
  - {action.checkpoint.save.format: [mapped-ram, memory-file], action.checkpoint.save.mode: live}
`

// By where it is kept; restored on the other host.
const byPlace = savedGuest + `
action: {checkpoint: {save: {disk: incremental, keep: 5}, count: 3, interval: 2s, restore: other, timeout: 90s}}
factors:
  action.checkpoint.save.to: [memory, other]
`

// Damaged on purpose.
const byDamage = savedGuest + `
action: {checkpoint: {count: 1, restore: same, timeout: 90s}}
factors:
  action.checkpoint.damage: [truncate, flip]
`

// TestCheckpoint saves and restores a real guest in every format, with its memory and its disk verified.
func TestCheckpoint(t *testing.T) {
	dir := experiment(t, byFormat)
	stdout, stderr, err := virtscope(t, dir, "run", "e.yaml")
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := completed(t, r, p)
			chained(t, tl)
			cameBack(t, tl, testbed.Source)
			byKind(t, p, tl)
		})
	}
	warmedUp(t, stdout+stderr, len(r.Plan))
}

// TestCheckpointElsewhere keeps checkpoints in memory and on the other host, where the guest then goes on.
func TestCheckpointElsewhere(t *testing.T) {
	r := runs(t, experiment(t, byPlace))
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := completed(t, r, p)
			chained(t, tl)
			cameBack(t, tl, testbed.Destination)
			if level(p, "save.to") == "other" {
				crossed(t, tl)
			}
		})
	}
}

// chained wants three checkpoints that were kept, each told whole, whose disks are one full copy and what was written since.
func chained(t *testing.T, tl *timeline.Timeline) {
	t.Helper()
	list := tl.Checkpoints.Checkpoints
	if len(list) != 3 {
		t.Fatalf("%d checkpoints", len(list))
	}
	for i, c := range list {
		if c.Open || c.Failed != "" {
			t.Fatalf("checkpoint %d was not kept: %q", c.N, c.Failed)
		}
		sumUp(t, c.Phases, c.End.Time-c.Begin.Time)
		if want := []string{"full", "incremental", "incremental"}[i]; c.DiskKind != want {
			t.Errorf("the disk of checkpoint %d is %s, want %s", c.N, c.DiskKind, want)
		}
		for what, q := range map[string]quantity.Quantity{"stop": c.Downtime, "bytes": c.Written, "raw": c.Raw, "total": c.Total, "disk": c.DiskSize} {
			if !q.Known || q.Censored || q.Value <= 0 {
				t.Errorf("the %s of checkpoint %d is %+v", what, c.N, q)
			}
		}
	}
	is(t, tl, metric.CheckpointCount, 3)
	is(t, tl, metric.CheckpointFailed, 0)
	known(t, tl, metric.CheckpointDowntime, metric.CheckpointWire, metric.CheckpointClient, metric.CheckpointGuest,
		metric.DiskFull, metric.DiskIncrement, metric.DiskChain, timeline.DiskVerifiedBytes)
	if m := tl.Metric(timeline.DiskCorruptPages); m.Known && m.Value != 0 {
		t.Errorf("corrupt pages on the disk: %+v", m)
	}
	full, part := tl.Metric(metric.DiskFull).Value, tl.Metric(metric.DiskIncrement).Value
	if part >= full {
		t.Errorf("an increment of the disk takes %.0f B, the full copy %.0f B", part, full)
	}
}

// cameBack wants one restore, of the last checkpoint, on a host.
func cameBack(t *testing.T, tl *timeline.Timeline, host string) {
	t.Helper()
	if len(tl.Checkpoints.Restores) != 1 {
		t.Fatalf("%d restores", len(tl.Checkpoints.Restores))
	}
	r := tl.Checkpoints.Restores[0]
	list := tl.Checkpoints.Checkpoints
	if last := list[len(list)-1].ID; r.From != last || r.Host != host {
		t.Errorf("the guest came back from %s on %s, want %s on %s", r.From, r.Host, last, host)
	}
	if r.End == nil || r.Resumed == nil || r.Lost == nil {
		t.Fatalf("the restore is not whole: %+v", r)
	}
	sumUp(t, r.Phases, r.End.Time-r.Begin.Time)
	known(t, tl, metric.RestoreTotal, metric.RestoreDowntime, metric.RestoreOutage, metric.RestoreClient, metric.RestoreBytes)
	if tl.Checkpoints.Verified <= 0 {
		t.Error("nothing of the checkpoint was read back")
	}
}

// byKind wants what the formats and modes are.
func byKind(t *testing.T, p results.Trial, tl *timeline.Timeline) {
	t.Helper()
	ratio := tl.Metric(metric.CheckpointRatio)
	switch zstd := level(p, "compression") == "zstd"; {
	case !ratio.Known:
		t.Errorf("the ratio of compression is %+v", ratio)
	case zstd && ratio.Value <= 1, !zstd && ratio.Value != 1:
		t.Errorf("compressed: %v, by a ratio of %g", zstd, ratio.Value)
	}
	for _, c := range tl.Checkpoints.Checkpoints {
		var dump, all int64
		for _, s := range c.Phases {
			if s.Name == phases.Dump {
				dump += int64(s.Duration())
			}
			if s.Name != edges.Unattributed {
				all += int64(s.Duration())
			}
		}
		stood := c.Downtime.Value * 1e9
		if live := level(p, "mode") == "live"; live && stood >= float64(all) || !live && c.Downtime.High*1e9 < float64(dump) {
			t.Errorf("live: %v, and the guest stood still for %.0f ns of %d, of which its memory took %d", live, stood, all, dump)
		}
	}
}

// crossed wants the bytes of checkpoints that were sent to be those that the capture saw between the hosts.
func crossed(t *testing.T, tl *timeline.Timeline) {
	t.Helper()
	known(t, tl, metric.CheckpointLink)
	var written float64
	for _, c := range tl.Checkpoints.Checkpoints {
		written += c.Written.Value
	}
	if wire := tl.Metric(metric.CheckpointLink).Value; wire < 0.95*written || wire > 1.15*written {
		t.Errorf("checkpoints of %.0f B went to the other host, and the wire carried %.0f B", written, wire)
	}
}

var speedUp = regexp.MustCompile(`(\d+) trials began by a restore of .*: ([0-9.]+) times faster`)

// warmedUp wants the run to say what its warm starts saved, and all its trials to have begun by one.
func warmedUp(t *testing.T, said string, trials int) {
	t.Helper()
	began := 0
	for _, m := range speedUp.FindAllStringSubmatch(said, -1) {
		n, _ := strconv.Atoi(m[1])
		began += n
		if factor, err := strconv.ParseFloat(m[2], 64); err != nil || factor <= 1 {
			t.Errorf("a warm start is no faster than a boot: %s", m[0])
		}
	}
	if began < trials {
		t.Errorf("of %d trials %d are said to have begun warm:\n%s", trials, began, said)
	}
}

// TestDamagedCheckpoint wants a checkpoint that was cut short, or has a bit flipped, to be refused by name and place, and the
// guest to run on as if nothing were.
func TestDamagedCheckpoint(t *testing.T) {
	r := runs(t, experiment(t, byDamage))
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := completed(t, r, p)
			is(t, tl, metric.CheckpointRefused, 1)
			if n := len(tl.Checkpoints.Restores); n != 0 {
				t.Errorf("%d restores of a damaged checkpoint", n)
			}
			records, err := r.Records(p.ID)
			if err != nil {
				t.Fatal(err)
			}
			refusedByName(t, records)
			stayed(t, records)
		})
	}
}

// refusedByName wants the refusal to name the file that was damaged, and the offset.
func refusedByName(t *testing.T, records []results.Record) {
	t.Helper()
	find := func(name string) results.Record {
		i := slices.IndexFunc(records, func(r results.Record) bool { return r.Name == name })
		if i < 0 {
			t.Fatalf("no %s", name)
		}
		return records[i]
	}
	damaged, refused := find(results.CheckpointDamaged), find(results.CheckpointRefused)
	t.Logf("%s at %s: %s", damaged.Attrs["kind"], damaged.Attrs["offset"], refused.Attrs["error"])
	said := refused.Attrs["error"]
	if file := damaged.Attrs["file"]; file == "" || !strings.Contains(said, file) {
		t.Errorf("the refusal does not name the file %q: %s", file, said)
	}
	offset, err := strconv.Atoi(damaged.Attrs["offset"])
	if err != nil {
		t.Fatal(err)
	}
	if damaged.Attrs["kind"] == "truncate" {
		if !strings.Contains(said, fmt.Sprintf("it has %d B", offset)) {
			t.Errorf("the refusal does not say where the file ends: %s", said)
		}
		return
	}
	m := damagedRange.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("the refusal does not say where the damage is: %s", said)
	}
	from, _ := strconv.Atoi(m[1])
	to, _ := strconv.Atoi(m[2])
	if offset < from || offset > to {
		t.Errorf("the bit at %d was flipped, and the refusal is of %d to %d", offset, from, to)
	}
}

var damagedRange = regexp.MustCompile(`B (\d+) to (\d+), does not hold`)
