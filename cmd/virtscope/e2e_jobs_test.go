//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"virtscope/analysis/jobs"
	"virtscope/analysis/metric"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// Jobs that are served by clones of a substrate: a trace that ships, and one in which the last job must wait for two long ones,
// or take the guest of one.
const someJobs = `virtscope: 1
name: jobs
guest: {start: substrate, memory: 192MiB, substrate: {memory: 96MiB}}
action: {jobs: {first: 6, cap: 2, keep-alive: 3s, timeout: 5m}}
factors:
  action.jobs.trace: [small, ./urgent.swf]
  action.jobs.preempt: [none, checkpoint]
exclude:
  - {action.jobs.trace: small, action.jobs.preempt: checkpoint}
  - {action.jobs.trace: ./urgent.swf, action.jobs.preempt: none}
replicates: 1
warmup: 100ms
baseline: 200ms
quiesce: 500ms
retries: 3
timeout: 8m
`

// Two jobs of 9 s, of queue 2, and after 6 s one of queue 1, which goes first.
const urgentTrace = `; MaxJobs: 3
1 0.00 -1 9.00 1 -1 32768 1 -1 -1 -1 -1 -1 -1 2 -1 -1 -1
2 0.10 -1 9.00 1 -1 24576 1 -1 -1 -1 -1 -1 -1 2 -1 -1 -1
3 6.00 -1 0.50 1 -1 16384 1 -1 -1 -1 -1 -1 -1 1 -1 -1 -1
`

// TestJobs serves jobs on demand: all end, with what they wrote intact, preempted or not.
func TestJobs(t *testing.T) {
	dir := experiment(t, someJobs)
	if err := os.WriteFile(filepath.Join(dir, "urgent.swf"), []byte(urgentTrace), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runs(t, dir)
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := accounted(t, r, p)
			if level(p, "preempt") == "none" {
				served(t, tl, 6)
				is(t, tl, metric.JobsPreemptions, 0)
				return
			}
			served(t, tl, 3)
			wentFirst(t, tl)
		})
	}
}

// served wants all jobs done. One whose memory was not intact at its end has failed.
func served(t *testing.T, tl *timeline.Timeline, n int) {
	t.Helper()
	is(t, tl, metric.JobsCount, float64(n))
	is(t, tl, metric.JobsDone, float64(n))
	known(t, tl, metric.JobsMakespan, metric.JobsGuestTime, metric.JobsUtilisation, metric.JobsPeak, metric.JobsGuests)
	if m := tl.Metric(metric.JobsPeak); m.Value > 2 {
		t.Errorf("%.0f guests at once, of at most 2", m.Value)
	}
	for _, j := range tl.Jobs.Jobs {
		if j.Failed != "" || j.Started == nil || j.Ended == nil {
			t.Errorf("job %s: started %v, ended %v, failed %q", j.ID, j.Started, j.Ended, j.Failed)
			continue
		}
		// Work is CPU time of the guest's: it does all of it, wherever it was in between.
		if j.Worked < j.Runtime {
			t.Errorf("job %s worked for %g s of %g s", j.ID, j.Worked, j.Runtime)
		}
	}
	for _, g := range tl.Jobs.Guests {
		if g.Open {
			t.Errorf("guest %s was not ended", g.Guest)
		}
	}
}

// wentFirst wants the urgent job to have taken the guest of one of the others, which went on from where it was.
func wentFirst(t *testing.T, tl *timeline.Timeline) {
	t.Helper()
	known(t, tl, metric.JobsPreemptions)
	i := slices.IndexFunc(tl.Jobs.Jobs, func(j jobs.Job) bool {
		return slices.ContainsFunc(j.Runs, func(r jobs.Run) bool { return r.Preempted })
	})
	if i < 0 {
		t.Fatal("no job was preempted")
	}
	j := tl.Jobs.Jobs[i]
	if len(j.Runs) < 2 || j.Runs[len(j.Runs)-1].Preempted {
		t.Errorf("job %s was preempted and did not go on: %+v", j.ID, j.Runs)
	}
	urgent := slices.IndexFunc(tl.Jobs.Jobs, func(j jobs.Job) bool { return j.ID == "3" })
	if urgent < 0 || tl.Jobs.Jobs[urgent].Ended == nil || j.Ended == nil || tl.Jobs.Jobs[urgent].Ended.Time > j.Ended.Time {
		t.Errorf("the urgent job did not end before job %s, whose guest it took", j.ID)
	}
	if j.ID == "3" {
		t.Errorf("the urgent job itself was preempted, %s", results.JobPreempted)
	}
}
