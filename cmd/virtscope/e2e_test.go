//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"virtscope/analysis/accuracy"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// These tests run the built program (make build) on real guests, as root. They look at the machine from outside: with
// tshark, /run/netns and /proc.

// virtscope runs the program in dir and returns what it printed.
func virtscope(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := command(ctx, t, dir, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

// experiment writes a file that extends one of the catalogue, and returns the folder for its runs.
func experiment(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"quickstart", "accuracy"} {
		data, err := os.ReadFile("../../experiments/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "e.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// open opens the one run in dir.
func open(t *testing.T, dir string) *results.Run {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "runs", "*", "manifest.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("runs %v, %v", found, err)
	}
	r, err := results.Open(filepath.Dir(found[0]))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func build(t *testing.T, r *results.Run, id string) (results.Outcome, *timeline.Timeline) {
	t.Helper()
	o, ok, err := r.Outcome(id)
	if err != nil || !ok {
		t.Fatalf("outcome of %s: %v, %v", id, ok, err)
	}
	records, err := r.Records(id)
	if err != nil {
		t.Fatal(err)
	}
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	return o, tl
}

// nothingLeft looks for what the run may have left: namespaces, processes, its folders for sockets, disks and memory.
func nothingLeft(t *testing.T, r *results.Run) {
	t.Helper()
	id := r.Manifest.Short
	if left, _ := filepath.Glob("/run/netns/vs-" + id + "-*"); len(left) > 0 {
		t.Errorf("namespaces left behind: %v", left)
	}
	for _, dir := range []string{"/run/virtscope/", "/var/tmp/virtscope/", "/dev/shm/virtscope/"} {
		if left, _ := filepath.Glob(dir + id); len(left) > 0 {
			t.Errorf("folder left behind: %v", left)
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range processes {
		line, _ := os.ReadFile(p)
		if bytes.Contains(line, []byte("/run/virtscope/"+id)) {
			t.Errorf("process left behind: %s: %s", p, bytes.ReplaceAll(line, []byte{0}, []byte(" ")))
		}
	}
}

const oneMigration = `virtscope: 1
name: one
extends: quickstart.yaml
replicates: 1
retries: 3
factors: {workload.rate: [8MiB/s]}
`

// TestMigration migrates a real guest and holds the figures against each other and against tshark.
func TestMigration(t *testing.T) {
	dir := experiment(t, oneMigration)
	stdout, stderr, err := virtscope(t, dir, "run", "e.yaml")
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	o, tl := build(t, r, r.Plan[0].ID)
	if o.Verdict != results.Completed {
		t.Fatalf("%s: %s", o.Verdict, o.Reason)
	}
	sumUp(t, tl.States, tl.End.Time-tl.Begin.Time)
	sumUp(t, tl.Phases, tl.ActionEnd.Time-tl.ActionBegin.Time)
	for _, name := range []string{
		timeline.TotalTime, timeline.Downtime, timeline.DowntimeReported, timeline.BlackoutWire, timeline.BlackoutClient,
		timeline.BlackoutGuest, timeline.RoundCount, timeline.BytesWire, timeline.BytesTransferred, timeline.CPUSource,
		timeline.CPUDestination, timeline.MemoryVerified, timeline.DirtyRateBaseline,
	} {
		if m := tl.Metric(name); !m.Known || m.Value <= 0 {
			t.Errorf("%s is %+v", name, m)
		}
	}
	// A guest cannot have answered while it was stopped: no outer view may be shorter than the stop.
	stop := tl.Outage(timeline.Downtime)
	for _, name := range []string{timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest} {
		if view := tl.Outage(name); view.High < stop.Low {
			t.Errorf("%s is at most %g s, and the guest was stopped for %g s", name, view.High, stop.Low)
		}
	}
	// What QEMU says it sent is what crossed the wire, but for retransmissions.
	sent, wire := tl.Metric(timeline.BytesTransferred).Value, tl.Metric(timeline.BytesPayload).Value
	if math.Abs(sent-wire) > 0.01*sent {
		t.Errorf("QEMU sent %.0f B, the wire carried %.0f B", sent, wire)
	}
	if bytes := tsharkBytes(t, filepath.Join(r.TrialDir(o.Trial.ID), captureFile)); bytes != int64(tl.Metric(timeline.BytesWire).Value) {
		t.Errorf("tshark counts %d B in the kept capture, virtscope %.0f B", bytes, tl.Metric(timeline.BytesWire).Value)
	}
	wireAgrees(t, tl)
	wholeReport(t, r)
	rebuilt(t, dir, r)
}

func sumUp(t *testing.T, spans []timeline.Span, wall int64) {
	t.Helper()
	if sum := int64(timeline.Total(spans)); sum != wall {
		t.Errorf("spans add up to %d ns, the wall time is %d ns", sum, wall)
	}
}

// tsharkBytes counts the frames of the migration's forward direction by an independent tool.
func tsharkBytes(t *testing.T, file string) int64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "tshark", "-r", file, "-Y", "tcp.dstport=="+strconv.Itoa(migrationPort), "-T", "fields", "-e", "frame.len").Output()
	if err != nil {
		t.Fatalf("tshark: %v (make deps-test installs it)", err)
	}
	var sum int64
	for line := range strings.Lines(string(out)) {
		n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// wholeReport checks that the report stands alone and that every figure is there.
func wholeReport(t *testing.T, r *results.Run) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(r.Dir, reportFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, outside := range []string{"src=\"http", "href=\"http", "url(http", "@import"} {
		if bytes.Contains(page, []byte(outside)) {
			t.Errorf("the report refers to something outside: %s", outside)
		}
	}
	if !bytes.Contains(page, []byte("<svg")) {
		t.Error("the report holds no figure")
	}
	for _, format := range []string{"png", "svg"} {
		if found, _ := filepath.Glob(filepath.Join(r.Dir, figuresDir, "*."+format)); len(found) < 4 {
			t.Errorf("figures: %v", found)
		}
	}
}

// rebuilt checks that all that is derived comes out the same from the raw records.
func rebuilt(t *testing.T, dir string, r *results.Run) {
	t.Helper()
	before, err := os.ReadFile(filepath.Join(r.Dir, csvFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, derived := range []string{csvFile, reportFile, figuresDir} {
		if err := os.RemoveAll(filepath.Join(r.Dir, derived)); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, err := virtscope(t, dir, "analyze", "latest"); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	after, err := os.ReadFile(filepath.Join(r.Dir, csvFile))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("trials.csv differs after analyze: %v", err)
	}
	wholeReport(t, r)
}

// TestOldQEMU runs QEMU 7.2. Under emulation it corrupts a guest that dirties memory, in most runs; virtscope must
// either verify the memory or say what went wrong: never a completed trial without verified memory.
func TestOldQEMU(t *testing.T) {
	old, err := filepath.Abs("../../.cache/qemu-7.2/usr/bin/qemu-system-x86_64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err != nil {
		t.Skipf("needs QEMU 7.2: %v (make deps-test unpacks it)", err)
	}
	dir := experiment(t, `virtscope: 1
name: old
extends: quickstart.yaml
workload: {rate: 8MiB/s}
replicates: 1
retries: 3
factors: {action.migrate.algorithm: [precopy, postcopy]}
guest: {start: cold, qemu: {binary: `+old+`}}
`)
	r := runs(t, dir)
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			o, tl := build(t, r, p.ID)
			verifiedOrFailed(t, o, tl)
			if m := tl.Metric(timeline.Downtime); !m.Known {
				t.Errorf("the migration itself was not seen: %+v; %s", m, o.Reason)
			}
			if tl.Algorithm == guest.PreCopy {
				wireAgrees(t, tl) // whatever became of the guest afterwards
			}
			if onKVM(t) {
				return
			}
			if !slices.ContainsFunc(tl.Warnings, func(s string) bool { return strings.Contains(s, "install QEMU 8 or newer") }) {
				t.Errorf("the warnings do not say what is known of this QEMU: %q", tl.Warnings)
			}
		})
	}
	stdout, _, _ := virtscope(t, dir, "doctor", "--qemu", old)
	if !onKVM(t) && !strings.Contains(stdout, "install QEMU 8 or newer") {
		t.Errorf("the doctor does not advise a newer QEMU:\n%s", stdout)
	}
}

// verifiedOrFailed wants a completed trial to have its memory verified, and a failed one to say why.
func verifiedOrFailed(t *testing.T, o results.Outcome, tl *timeline.Timeline) {
	t.Helper()
	switch o.Verdict {
	case results.Completed:
		if m := tl.Metric(timeline.MemoryVerified); !m.Known || m.Value <= 0 {
			t.Errorf("completed, and memory verified is %+v", m)
		}
	case results.Failed:
		if o.Reason == "" {
			t.Error("failed without a reason")
		}
	default:
		t.Errorf("%s: %s", o.Verdict, o.Reason)
	}
	t.Logf("%s %s", o.Verdict, o.Reason)
}

// TestDoesNotConverge gives a real migration more dirty memory than its link carries: a failed trial, which is data.
func TestDoesNotConverge(t *testing.T) {
	dir := experiment(t, `virtscope: 1
name: diverges
extends: quickstart.yaml
replicates: 1
retries: 3
factors: {workload.rate: [100MiB/s]}
action: {migrate: {max-rounds: 3, downtime-limit: 20ms}}
`)
	if stdout, stderr, err := virtscope(t, dir, "run", "e.yaml"); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	o, tl := build(t, r, r.Plan[0].ID)
	if o.Verdict != results.Failed || !strings.Contains(o.Reason, "did not converge") {
		t.Errorf("%s: %s", o.Verdict, o.Reason)
	}
	if m := tl.Metric(timeline.Downtime); m.Known {
		t.Errorf("the guest was never stopped, and its downtime is %+v", m)
	}
	if m := tl.Metric(timeline.TotalTime); !m.Censored {
		t.Errorf("the migration never ended, and its total time is %+v", m)
	}
	if _, stderr, err := virtscope(t, dir, "run", "--resume", "latest"); err != nil {
		t.Errorf("resume: %v\n%s", err, stderr)
	}
	if _, stderr, err := virtscope(t, dir, "run", "--resume", "--strict", "latest"); err == nil || !strings.Contains(stderr, "trial 1 is failed") {
		t.Errorf("strict: %v\n%s", err, stderr)
	}
	if _, err := os.Stat(r.TrialDir(o.Trial.ID) + ".attempt-" + strconv.Itoa(o.Attempt)); err == nil {
		t.Error("resume ran a failed trial again")
	}
}

// launch runs the program until the journal holds n entries of an event, and returns it running.
func launch(t *testing.T, dir, event string, n int) (c *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	c, stderr = command(t.Context(), t, dir, "run", "e.yaml"), new(bytes.Buffer)
	c.Stderr = stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1200 {
		time.Sleep(100 * time.Millisecond)
		found, _ := filepath.Glob(filepath.Join(dir, "runs", "*", "journal.ndjson"))
		if len(found) == 0 {
			continue
		}
		data, _ := os.ReadFile(found[0])
		if strings.Count(string(data), `"`+event+`"`) >= n {
			return c, stderr
		}
	}
	_ = c.Process.Kill()
	t.Fatalf("no %d × %s: %s", n, event, stderr)
	return nil, nil
}

const threeShort = `virtscope: 1
name: three
extends: accuracy.yaml
replicates: 3
factors: {action.migrate.outage: [50ms]}
warmup: 100ms
baseline: 500ms
quiesce: 200ms
`

// TestInterrupt stops a run in its second trial, then resumes it.
func TestInterrupt(t *testing.T) {
	dir := experiment(t, threeShort)
	c, stderr := launch(t, dir, results.TrialBegin, 2)
	time.Sleep(500 * time.Millisecond) // into the trial
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "run --resume") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	first, _ := build(t, r, r.Plan[0].ID)
	if first.Verdict != results.Completed {
		t.Errorf("first trial: %s", first.Verdict)
	}
	resumes(t, dir, r, first)
	areJSON(t, r)
}

// TestKill kills a run at once in its second trial; clean finds what is left, and resume completes the plan.
func TestKill(t *testing.T) {
	dir := experiment(t, threeShort)
	c, _ := launch(t, dir, results.TrialBegin, 2)
	time.Sleep(500 * time.Millisecond)
	if err := c.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if stdout, _, err := virtscope(t, dir, "clean", "--check"); err == nil || !strings.Contains(stdout, "namespace vs-") {
		t.Errorf("clean --check found: %s, %v", stdout, err)
	}
	if stdout, stderr, err := virtscope(t, dir, "clean"); err != nil {
		t.Errorf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	first, _ := build(t, r, r.Plan[0].ID)
	resumes(t, dir, r, first)
}

// resumes completes the plan without touching what ended.
func resumes(t *testing.T, dir string, r *results.Run, first results.Outcome) {
	t.Helper()
	if _, stderr, err := virtscope(t, dir, "run", "--resume", "latest"); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	nothingLeft(t, r)
	for i, planned := range r.Plan {
		o, ok, err := r.Outcome(planned.ID)
		if err != nil || !ok || o.Verdict != results.Completed {
			t.Errorf("%s: %+v, %v, %v", planned.ID, o, ok, err)
		}
		if i == 0 && !o.Begin.Equal(first.Begin) {
			t.Error("a finished trial was run again")
		}
	}
}

const accuracyReplicates = 4

// TestAccuracy scripts outages and holds each view against the truth. A machine that others use may itself stall for some ms
// in a trial, client and guest alike; an instrument that is wrong is wrong in all of an outage's replicates. make accuracy
// holds every trial against its limit.
func TestAccuracy(t *testing.T) {
	dir := experiment(t, `virtscope: 1
name: some
extends: accuracy.yaml
replicates: 4
factors: {action.migrate.outage: [5ms, 50ms, 1s]}
warmup: 200ms
baseline: 500ms
quiesce: 400ms
`)
	if stdout, stderr, err := virtscope(t, dir, "run", "e.yaml"); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
	r := open(t, dir)
	nothingLeft(t, r)
	var trials []*timeline.Timeline
	for _, planned := range r.Plan {
		_, tl := build(t, r, planned.ID)
		trials = append(trials, tl)
	}
	limits, err := accuracyLimits(r)
	if err != nil {
		t.Fatal(err)
	}
	rows := accuracy.Rows(trials)
	for group := range slices.Chunk(rows, accuracyReplicates) {
		for _, limit := range limits {
			if misses := accuracy.Misses(group, []accuracy.Limit{limit}); len(misses) == len(group) {
				t.Errorf("every replicate of an outage is off: %q", misses)
			}
		}
	}
	var table strings.Builder
	if err := accuracy.Write(&table, rows); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
}

// areJSON guards the format that other tools read, of a plan and of a journal with whatever happened to its run.
func areJSON(t *testing.T, r *results.Run) {
	t.Helper()
	for _, name := range []string{"plan.ndjson", "journal.ndjson"} {
		data, err := os.ReadFile(filepath.Join(r.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			if !json.Valid(line) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}
