package runner

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
)

func TestCheckpoint(t *testing.T) {
	for _, c := range []struct {
		name    string
		ask     func(*spec.Checkpoint)
		script  lifeScript
		verdict results.Verdict
		says    string
		started int // instances
		host    string
		events  []string // after the checkpoints
	}{
		{
			"restored", func(*spec.Checkpoint) {},
			lifeScript{},
			results.Completed, "", 2, "src",
			[]string{results.CheckpointVerified, results.Fault, results.RestartBegin, results.RestartEnd},
		},
		{
			"restored elsewhere", func(c *spec.Checkpoint) { c.Restore = "other" },
			lifeScript{},
			results.Completed, "", 2, "dst",
			[]string{results.CheckpointVerified, results.Fault, results.RestartBegin, results.RestartEnd},
		},
		{"not restored", func(c *spec.Checkpoint) { c.Restore = "none" }, lifeScript{}, results.Completed, "", 1, "src", nil},
		{
			"damaged", func(c *spec.Checkpoint) { c.Damage = "flip" },
			lifeScript{},
			results.Completed, "", 1, "src",
			[]string{results.CheckpointDamaged, results.CheckpointRefused},
		},
		{
			"damaged and accepted", func(c *spec.Checkpoint) { c.Damage = "truncate" },
			lifeScript{careless: true},
			results.Failed, "a damaged checkpoint was accepted", 2, "",
			[]string{results.CheckpointDamaged},
		},
		{
			"damaged, and not restored for another reason", func(c *spec.Checkpoint) { c.Damage = "truncate" },
			lifeScript{careless: true, restore: errOurs},
			results.Invalid, "our fault", 1, "",
			[]string{results.CheckpointDamaged},
		},
		{
			"cannot be restored", func(*spec.Checkpoint) {},
			lifeScript{restore: &guest.OutcomeError{Reason: "no such device"}},
			results.Failed, "the restore: no such device", 1, "",
			[]string{results.CheckpointVerified, results.Fault, results.RestartBegin},
		},
		{
			"takes too long", func(c *spec.Checkpoint) { c.Timeout = spec.Duration(20 * time.Millisecond) },
			lifeScript{saveTakes: time.Minute},
			results.Failed, "checkpoint 1 was not done within 20ms", 1, "", nil,
		},
		{"dies when it is saved", func(*spec.Checkpoint) {}, lifeScript{dies: true}, results.Failed, "the guest ended by itself", 1, "", nil},
		{"cannot be saved", func(*spec.Checkpoint) {}, lifeScript{saveFails: errors.New("no space")}, results.Invalid, "no space", 1, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := spec.Checkpoint{Count: 3, Interval: spec.Duration(20 * time.Millisecond), Restore: "same", Damage: "none", Timeout: spec.Duration(10 * time.Second)}
			c.ask(&ask)
			l := &lifeLab{script: c.script}
			o, records := lives(t, l, spec.Action{Checkpoint: &ask})
			if o.Verdict != c.verdict || !strings.Contains(o.Reason, c.says) {
				t.Errorf("%s: %q, want %s: %q", o.Verdict, o.Reason, c.verdict, c.says)
			}
			if l.site.started != c.started || c.host != "" && l.site.now.host != c.host {
				t.Errorf("%d guests, the last on %s; want %d, on %s", l.site.started, l.site.now.host, c.started, c.host)
			}
			var events []string
			for _, r := range records {
				switch r.Name {
				case results.CheckpointVerified, results.Fault, results.RestartBegin, results.RestartEnd, results.CheckpointDamaged, results.CheckpointRefused:
					events = append(events, r.Name)
				case results.CheckpointFreeze:
					if r.Attrs[results.AttrCheckpoint] == "" {
						t.Error("what the driver recorded names no checkpoint")
					}
				}
			}
			if !slices.Equal(events, c.events) {
				t.Errorf("events %v, want %v", events, c.events)
			}
			if c.verdict == results.Completed {
				checkTimes(t, records, ask)
			}
			if c.started == 2 && c.verdict == results.Completed {
				checkRestored(t, records, l.site)
			}
		})
	}
}

// checkTimes wants as many checkpoints as were asked for, none before its time.
func checkTimes(t *testing.T, records []results.Record, ask spec.Checkpoint) {
	t.Helper()
	var begins []int64
	for _, r := range records {
		if r.Name == results.CheckpointBegin {
			begins = append(begins, r.Time)
		}
	}
	if len(begins) != ask.Count {
		t.Fatalf("%d checkpoints", len(begins))
	}
	for i, at := range begins {
		// The first begins a moment after the interval has begun to count.
		if since := time.Duration(at - begins[0]); since < time.Duration(i)*time.Duration(ask.Interval)-10*time.Millisecond {
			t.Errorf("checkpoint %d begins after %s", i+1, since)
		}
	}
}

// checkRestored wants each restored guest to speak first with what its checkpoint held.
func checkRestored(t *testing.T, records []results.Record, site *lifeSite) {
	t.Helper()
	var from string
	var restored, begun int
	for _, r := range records {
		switch r.Name {
		case results.RestartBegin:
			from = r.Attrs[results.AttrCheckpoint]
			begun++
		case results.GuestRestored:
			restored++
			if want := formatInt(site.saved[from]); r.Attrs["work"] != want || r.Attrs["mono"] != want || r.Attrs["unit"] != "B" || r.Attrs[results.AttrCheckpoint] != from {
				t.Errorf("restored from %s: %v, want work %s", from, r.Attrs, want)
			}
		}
	}
	if restored != begun {
		t.Errorf("%d guests spoke of %d that were restored", restored, begun)
	}
}
