package runner

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

const ms = spec.Duration(time.Millisecond)

// askRecover detects slowly enough for a busy machine not to look dead.
func askRecover() spec.Recover {
	return spec.Recover{
		Period: 20 * ms, Failures: 3, Failure: "kill-guest", Every: 30 * ms, Arrivals: "poisson", Detect: "process", DetectAfter: 400 * ms,
		Restart: "same", Timeout: 10000 * ms, For: 110 * ms,
	}
}

// TestRecover injects failures of each kind, each of which must be detected and recovered from, from the last complete checkpoint.
func TestRecover(t *testing.T) {
	for _, c := range []struct {
		name   string
		ask    func(*spec.Recover)
		script lifeScript
		hosts  string // on which it ran last
	}{
		{"kill-guest, process", func(*spec.Recover) {}, lifeScript{}, "src"},
		{"kill-guest, heartbeat", func(r *spec.Recover) { r.Detect = "heartbeat" }, lifeScript{}, "src"},
		{"kill-guest, echo, elsewhere", func(r *spec.Recover) { r.Detect, r.Restart = "echo", "other" }, lifeScript{}, "dst"},
		{"kill-host, elsewhere", func(r *spec.Recover) { r.Failure, r.Restart = "kill-host", "other" }, lifeScript{}, "dst"},
		{"cut-link, elsewhere", func(r *spec.Recover) { r.Failure, r.Restart, r.Detect = "cut-link", "other", "echo" }, lifeScript{}, "dst"},
		{"cut-link, same", func(r *spec.Recover) { r.Failure, r.Detect = "cut-link", "echo" }, lifeScript{}, "src"},
		{"before the first checkpoint", func(r *spec.Recover) { r.Every, r.Arrivals = 30*ms, "fixed" }, lifeScript{saveTakes: 50 * time.Millisecond}, "src"},
		{"in a checkpoint", func(r *spec.Recover) { r.Arrivals = "fixed" }, lifeScript{saveTakes: 25 * time.Millisecond}, "src"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := askRecover()
			c.ask(&ask)
			l := &lifeLab{script: c.script}
			o, records := lives(t, l, spec.Action{Recover: &ask})
			if o.Verdict != results.Completed {
				t.Fatalf("%s: %s", o.Verdict, o.Reason)
			}
			var want []string
			for n := range ask.Failures {
				number := " " + strconv.Itoa(n+1)
				want = append(want, results.FailureInjected+number, results.FailureDetected+number, results.RestartBegin+number, results.RestartEnd+number)
			}
			inTime := slices.Clone(records)
			slices.SortStableFunc(inTime, func(a, b results.Record) int { return int(a.Time - b.Time) })
			got := order(inTime, results.FailureInjected, results.FailureDetected, results.RestartBegin, results.RestartEnd)
			if !slices.Equal(got, want) {
				t.Errorf("in order of time: %v", got)
			}
			effective, cuts := ask.Failures, 0
			if ask.Failure == "cut-link" {
				effective, cuts = 0, ask.Failures
			}
			if named(records, results.FailureEffective) != effective || named(records, results.LinkDown) != cuts || named(records, results.LinkUp) != cuts {
				t.Errorf("%d took effect, %d cuts, %d mended", named(records, results.FailureEffective), named(records, results.LinkDown), named(records, results.LinkUp))
			}
			if l.site.started != 1+ask.Failures || l.site.now.host != c.hosts {
				t.Errorf("%d guests, the last on %s", l.site.started, l.site.now.host)
			}
			checkRestored(t, records, l.site)
			checkLatest(t, records)
			if len(l.site.cut) > 0 {
				t.Error("links are cut: ", l.site.cut)
			}
		})
	}
}

// checkLatest wants each restart to be from the checkpoint that ended last, no checkpoint to be under way when another begins, and
// none to end well that a failure fell in.
func checkLatest(t *testing.T, records []results.Record) {
	t.Helper()
	last, underWay, void := "", "", ""
	for _, r := range records {
		id := r.Attrs[results.AttrCheckpoint]
		switch r.Name {
		case results.CheckpointBegin:
			if underWay != "" {
				t.Errorf("%s begins in %s", id, underWay)
			}
			underWay = id
		case results.FailureInjected:
			void = underWay
		case results.CheckpointEnd:
			if underWay = ""; r.Attrs["error"] == "" {
				last = id
			}
			if id == void && r.Attrs["error"] == "" {
				t.Errorf("%s ended well, with a failure in it", id)
			}
		case results.RestartBegin:
			if id != last || last == "" {
				t.Errorf("restarted from %q, not from %q", id, last)
			}
		}
	}
}

// TestRecoverNothing observes a guest that is saved, and fails in nothing: a period that begins in a checkpoint has none.
func TestRecoverNothing(t *testing.T) {
	for takes, skipped := range map[time.Duration]bool{0: false, 30 * time.Millisecond: true} {
		ask := askRecover()
		ask.Failures = 0
		_, records := lives(t, &lifeLab{script: lifeScript{saveTakes: takes}}, spec.Action{Recover: &ask})
		begun, left := named(records, results.CheckpointBegin), named(records, results.CheckpointSkipped)
		if ends := named(records, results.CheckpointEnd); ends != begun || begun == 0 {
			t.Errorf("%d checkpoints began and %d ended", begun, ends)
		}
		// Periods begin at 0, 20 … 100 ms, and on a busy machine at some after that.
		if most := int(lasted(records)/time.Duration(ask.Period)) + 1; begun+left < 6 || begun+left > most || skipped && left < begun-1 {
			t.Errorf("of 6 to %d periods %d have checkpoints that take %s, and %d have none", most, begun, takes, left)
		}
		if named(records, results.FailureInjected, results.FailureDetected, results.RestartBegin) > 0 {
			t.Error("something failed")
		}
		if o := order(records, results.ActionEnd); len(o) != 1 {
			t.Errorf("%v", o)
		}
	}
}

// lasted is for how long the action went on.
func lasted(records []results.Record) time.Duration {
	var begin, end int64
	for _, r := range records {
		switch r.Name {
		case results.ActionBegin:
			begin = r.Time
		case results.ActionEnd:
			end = r.Time
		}
	}
	return time.Duration(end - begin)
}

// TestFalseAlarm wants a guest that was silent to be ended and restarted, and the failure that was asked for to be injected all
// the same.
func TestFalseAlarm(t *testing.T) {
	ask := askRecover()
	ask.Failures, ask.Detect, ask.Every, ask.Arrivals = 1, "heartbeat", 500*ms, "fixed"
	l := &lifeLab{script: lifeScript{stall: time.Minute}}
	o, records := lives(t, l, spec.Action{Recover: &ask})
	if o.Verdict != results.Completed {
		t.Fatalf("%s: %s", o.Verdict, o.Reason)
	}
	want := []string{
		results.FailureDetected + " ", results.RestartBegin + " ", results.RestartEnd + " ",
		results.FailureInjected + " 1", results.FailureDetected + " 1", results.RestartBegin + " 1", results.RestartEnd + " 1",
	}
	if got := order(records, results.FailureInjected, results.FailureDetected, results.RestartBegin, results.RestartEnd); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for _, r := range records {
		if (r.Name == results.FailureDetected || r.Name == results.RestartEnd) && (r.Attrs["false"] == "true") != (r.Attrs["n"] == "") {
			t.Errorf("%s: %v", r.Name, r.Attrs)
		}
	}
}

// TestNotRecovered wants a failure that is not recovered from to be the trial's outcome, and what is our fault not to be.
func TestNotRecovered(t *testing.T) {
	for _, c := range []struct {
		name    string
		ask     func(*spec.Recover)
		script  lifeScript
		verdict results.Verdict
		says    string
	}{
		{
			"restore fails", func(*spec.Recover) {},
			lifeScript{restore: &guest.OutcomeError{Reason: "no such device"}},
			results.Failed, "the recovery from failure 1: no such device",
		},
		{
			"not detected", func(r *spec.Recover) { r.Detect, r.Timeout = "echo", 300*ms },
			lifeScript{hearAlways: true},
			results.Failed, "failure 1 was not detected by echo within 300ms",
		},
		{
			"nothing to detect by", func(r *spec.Recover) { r.Detect, r.Timeout = "echo", 100*ms },
			lifeScript{deafAlways: true},
			results.Invalid, "nothing has come of it",
		},
		{
			"silent before the first checkpoint", func(r *spec.Recover) { r.Detect, r.DetectAfter = "echo", ms/1000 },
			lifeScript{saveTakes: time.Minute},
			results.Failed, "before its first checkpoint",
		},
		{"cannot be saved", func(r *spec.Recover) { r.Every = 9000 * ms }, lifeScript{saveFails: errors.New("no space")}, results.Invalid, "checkpoint 2: no space"},
		{
			"saved too late", func(r *spec.Recover) { r.Timeout = 30 * ms },
			lifeScript{saveTakes: time.Minute},
			results.Failed, "checkpoint 1 was not done within 30ms",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := askRecover()
			c.ask(&ask)
			o, _ := lives(t, &lifeLab{script: c.script}, spec.Action{Recover: &ask})
			if o.Verdict != c.verdict || !strings.Contains(o.Reason, c.says) {
				t.Errorf("%s: %q, want %s: %q", o.Verdict, o.Reason, c.verdict, c.says)
			}
		})
	}
}

// TestDiesByItself wants a guest that fails without us to be found and brought back, and not to count as one of ours.
func TestDiesByItself(t *testing.T) {
	ask := askRecover()
	ask.Failures, ask.For = 0, 200*ms
	l := &lifeLab{script: lifeScript{dies: true}}
	o, records := lives(t, l, spec.Action{Recover: &ask})
	if o.Verdict != results.Completed || named(records, results.FailureInjected) != 0 || named(records, results.RestartEnd) != 1 {
		t.Errorf("%s: %s: %d injected, %d restarts", o.Verdict, o.Reason, named(records, results.FailureInjected), named(records, results.RestartEnd))
	}
	checkRestored(t, records, l.site)
}
