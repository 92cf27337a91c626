//go:build e2e

package main

import (
	"testing"
	"virtscope/analysis/metric"
	"virtscope/analysis/recovery"
	"virtscope/results"
)

// Failures of each kind, with what detects it.
const threeFailures = `virtscope: 1
name: failures
testbed: {link: {rate: 1Gbit/s}, migration-link: {rate: 1Gbit/s}}
guest: {memory: 160MiB, start: warm}
workload: {kind: dirty, rate: 2MiB/s, working-set: 8MiB}
action:
  recover:
    save: {format: stream, to: other}
    period: 2s
    failures: 3
    every: 3s
    arrivals: fixed
    detect-after: 2s
    restart: other
    timeout: 90s
factors:
  action.recover.failure: [kill-guest, kill-host, cut-link]
  action.recover.detect: [process, heartbeat, echo]
exclude:
  - {action.recover.failure: kill-guest, action.recover.detect: [heartbeat, echo]}
  - {action.recover.failure: kill-host, action.recover.detect: [process, echo]}
  - {action.recover.failure: cut-link, action.recover.detect: [process, heartbeat]}
replicates: 1
warmup: 500ms
baseline: 1s
quiesce: 1s
retries: 3
timeout: 10m
`

const failuresOfEach = 3

// TestRecover injects failures, all of which must be recovered from, with no more lost than is made since a checkpoint.
func TestRecover(t *testing.T) {
	r := runs(t, experiment(t, threeFailures))
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := completed(t, r, p)
			is(t, tl, metric.RecoveryFailures, failuresOfEach)
			is(t, tl, metric.RecoveryRecovered, failuresOfEach)
			is(t, tl, metric.RecoveryExceeded, 0)
			known(t, tl, metric.RecoveryDetection, metric.RecoveryRestart, metric.RecoveryTime, metric.RecoveryOutage, metric.RecoveryAvailability)
			for _, f := range tl.Recovery.Failures {
				recovered(t, p, f)
				withinPeriod(t, tl.Recovery, f)
			}
		})
	}
}

// recovered wants a failure detected by what should, after it took effect, and the guest to answer again after that.
func recovered(t *testing.T, p results.Trial, f recovery.Failure) {
	t.Helper()
	if f.Kind != level(p, "recover.failure") || f.By != level(p, "recover.detect") {
		t.Errorf("failure %d is %s, detected by %s", f.N, f.Kind, f.By)
	}
	if f.Detected == nil || f.Begin == nil || f.Resumed == nil || f.End == nil {
		t.Fatalf("failure %d was not recovered from: %+v", f.N, f)
	}
	if f.Detected.Time < f.Injected.Time || f.Begin.Time < f.Detected.Time || f.Resumed.Time < f.Begin.Time || f.End.Time < f.Resumed.Time {
		t.Errorf("failure %d: its edges are out of order: %+v", f.N, f)
	}
	// Nobody was answered between the failure and the restart.
	if f.Outage.Known && f.Outage.High < f.Restart.Low {
		t.Errorf("failure %d: a client missed answers for at most %g s, and the restart alone took %g s", f.N, f.Outage.High, f.Restart.Low)
	}
}

// withinPeriod wants no more lost than a period and the time that a checkpoint takes: what was being saved is lost, too. Periods
// that had no checkpoint, as the one before was under way, count.
func withinPeriod(t *testing.T, r *recovery.Report, f recovery.Failure) {
	t.Helper()
	if !f.Lost.Known {
		t.Errorf("failure %d: what was lost is %+v", f.N, f.Lost)
		return
	}
	longest := 0.0
	for _, c := range r.Saving.Checkpoints {
		longest = max(longest, c.Total.High)
	}
	most := r.Period.Value*float64(1+r.Saving.Skipped) + longest
	if f.Lost.Low > most {
		t.Errorf("failure %d: %g s were lost, of at most %g s", f.N, f.Lost.Low, most)
	}
	t.Logf("failure %d: detected after %.2f s, back after %.2f s, %.2f s lost of at most %.2f s", f.N, f.Detection.Value, f.Recovery.Value, f.Lost.Value, most)
}
