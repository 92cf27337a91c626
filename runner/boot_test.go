package runner

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// bootOf is a boot of guests at once.
func bootOf(guests int) spec.Boot {
	return spec.Boot{Guests: guests, Hosts: 3, Arrivals: "at-once", Ready: "echo", Timeout: spec.Duration(10 * time.Second)}
}

// runBoot runs a boot with arrivals at the given times; nil is all at once.
func runBoot(t *testing.T, ctx context.Context, b spec.Boot, times []time.Duration, s fleetScript) ranTrial {
	t.Helper()
	if times == nil {
		times = make([]time.Duration, b.Guests)
	}
	original := bootTimes
	bootTimes = func(spec.Boot, uint64) ([]time.Duration, error) { return times, nil }
	defer func() { bootTimes = original }()
	return runTrial(t, ctx, fleetPlan(spec.Action{Boot: &b}), script{fleet: s})
}

func TestBootTimesEveryGuest(t *testing.T) {
	const guests = 40 // more than end in one step
	ran := runBoot(t, t.Context(), bootOf(guests), nil, fleetScript{})
	if ran.outcome.Verdict != results.Completed {
		t.Fatalf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
	for _, name := range []string{results.BootAsked, results.BootBegin, results.BootAnswer} {
		seen := map[string]bool{}
		for _, r := range ran.named(name) {
			seen[r.Attrs[results.AttrGuest]] = true
		}
		if len(seen) != guests || len(ran.named(name)) != guests {
			t.Errorf("%d guests have %s in %d records, want %d", len(seen), name, len(ran.named(name)), guests)
		}
	}
	checked := ran.named(results.IdentityChecked)
	if len(checked) != 1 || checked[0].Value != guests || checked[0].Attrs["conflicts"] != "0" {
		t.Errorf("checked: %+v", checked)
	}
	if n := len(ran.named(results.IdentityConflict)) + len(ran.named(results.BootFailed)); n != 0 {
		t.Errorf("%d conflicts and failures", n)
	}
	for i, r := range ran.named(results.BootAsked) { // on the hosts in turn
		if want := []string{"src", "dst", "host3"}[i%3]; r.Attrs["host"] != want || r.Attrs[results.AttrGuest] != "guest-"+strconv.Itoa(i) {
			t.Errorf("guest %d was asked for as %v, want on %s", i, r.Attrs, want)
		}
	}
}

func TestBootHoldsBack(t *testing.T) {
	var at, most atomic.Int64
	b := bootOf(12)
	b.Concurrency = 3
	ran := runBoot(t, t.Context(), b, nil, fleetScript{
		start: func(context.Context, int) error {
			if n := at.Add(1); n > most.Load() {
				most.Store(n)
			}
			return nil
		},
		await: func(context.Context, int) error {
			time.Sleep(5 * time.Millisecond)
			at.Add(-1)
			return nil
		},
	})
	if ran.outcome.Verdict != results.Completed || most.Load() > 3 || most.Load() < 2 {
		t.Errorf("%d guests were on their way at once, want 3: %s", most.Load(), ran.outcome.Reason)
	}
	asked, begun := ran.named(results.BootAsked), ran.named(results.BootBegin)
	if len(asked) != 12 || len(begun) != 12 {
		t.Fatalf("%d asked for, %d begun", len(asked), len(begun))
	}
	if asked[11].Time >= begun[11].Time {
		t.Error("the last guest was asked for when it began: it was asked for at once, and held back")
	}
	if asked[0].Time != asked[11].Time {
		t.Errorf("guests of one arrival were asked for %d ns apart", asked[11].Time-asked[0].Time)
	}
}

func TestBootArrivals(t *testing.T) {
	times := []time.Duration{0, 30 * time.Millisecond, 30 * time.Millisecond, 90 * time.Millisecond}
	ran := runBoot(t, t.Context(), bootOf(4), times, fleetScript{})
	asked := ran.named(results.BootAsked)
	if len(asked) != 4 {
		t.Fatalf("%d were asked for: %s", len(asked), ran.outcome.Reason)
	}
	for i, r := range asked { // as scheduled, to the ns: an arrival is not late because the runner is
		if got := time.Duration(r.Time - asked[0].Time); got != times[i] {
			t.Errorf("guest %d was asked for after %s, want %s", i, got, times[i])
		}
	}
	for i, r := range ran.named(results.BootBegin) {
		if r.Time < asked[i].Time {
			t.Errorf("guest %d began before it was asked for", i)
		}
	}
}

func TestBootFailures(t *testing.T) {
	one := func(fails int, err error) func(context.Context, int) error {
		return func(_ context.Context, n int) error {
			if n == fails {
				return err
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name   string
		script fleetScript
		limit  time.Duration
		want   string // of the reason
		failed int
	}{
		{name: "one is not started", script: fleetScript{start: one(2, errOurs)}, want: "1 of 5 guests did not get ready: guest-2: our fault", failed: 1},
		{name: "one is not ready", script: fleetScript{await: one(4, errOurs)}, want: "1 of 5 guests did not get ready: guest-4: our fault", failed: 1},
		{
			name: "one ends by itself", script: fleetScript{dies: func(n int) bool { return n == 1 }},
			want: "1 of 5 guests did not get ready: guest-1: the guest ended by itself", failed: 1,
		},
		{
			name: "none is ready in time", script: fleetScript{await: hanging}, limit: 50 * time.Millisecond,
			want: "5 of 5 guests did not get ready: guest-0: not ready within 50ms of the action's begin", failed: 5,
		},
		{
			name: "none is started in time", script: fleetScript{start: hanging}, limit: 50 * time.Millisecond,
			want: "and 2 more", failed: 5,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bootOf(5)
			if tt.limit > 0 {
				b.Timeout = spec.Duration(tt.limit)
			}
			ran := runBoot(t, t.Context(), b, nil, tt.script)
			if ran.outcome.Verdict != results.Failed || !strings.Contains(ran.outcome.Reason, tt.want) {
				t.Errorf("%s: %q, want %q", ran.outcome.Verdict, ran.outcome.Reason, tt.want)
			}
			failed := ran.named(results.BootFailed)
			if len(failed) != tt.failed || failed[0].Attrs["error"] == "" {
				t.Errorf("failed: %+v, want %d", failed, tt.failed)
			}
			if n := len(ran.named(results.BootAnswer)); n != 5-tt.failed {
				t.Errorf("%d others were measured, want %d", n, 5-tt.failed)
			}
			if tt.failed < 5 { // the others are asked who they are all the same
				if c := ran.named(results.IdentityChecked); len(c) != 1 || c[0].Value != float64(5-tt.failed) {
					t.Errorf("checked: %+v", c)
				}
			}
		})
	}
}

// One that is held back to the end, and one whose time does not come, did not get ready either.
func TestBootTimeoutOfThoseThatWait(t *testing.T) {
	b := bootOf(3)
	b.Concurrency, b.Timeout = 1, spec.Duration(60*time.Millisecond)
	ran := runBoot(t, t.Context(), b, []time.Duration{0, 0, time.Hour}, fleetScript{await: hanging})
	if ran.outcome.Verdict != results.Failed || !strings.Contains(ran.outcome.Reason, "3 of 3 guests") || !strings.Contains(ran.outcome.Reason, "its arrival at 1h0m0s did not come") {
		t.Errorf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
	if n := len(ran.named(results.BootBegin)); n != 1 {
		t.Errorf("%d guests began", n)
	}
}

func TestBootIdentities(t *testing.T) {
	fleet := &fakeFleet{}
	says := func(n, as int, edit func(*agent.Identity)) func(int) *agent.Identity {
		return func(asked int) *agent.Identity {
			if asked != n {
				return nil
			}
			i := fleet.Identity(as)
			if edit != nil {
				edit(&i)
			}
			return &i
		}
	}
	for _, tt := range []struct {
		name      string
		says      func(int) *agent.Identity
		conflicts []string
		want      string
	}{
		{"a clone that kept all", says(2, 1, nil), []string{"address", "mac", "machine-id", "name"}, "guest-1,guest-2 share the address 10.77.16.1"},
		{"a machine id in common", says(2, 2, func(i *agent.Identity) { i.MachineID = fleet.Identity(0).MachineID }), []string{"machine-id"}, "share the machine-id"},
		{"another MAC", says(1, 1, func(i *agent.Identity) { i.MAC = "52:54:00:00:00:01" }), nil, `guest-1 has the mac "52:54:00:00:00:01" instead of "52:54:00:77:10:01"`},
		{"no address", says(1, 1, func(i *agent.Identity) { i.Address = "" }), nil, `guest-1 has the address "" instead of`},
		{"a boot id in common", says(1, 1, func(i *agent.Identity) { i.BootID = "x" }), nil, ""},
		{"nothing said", says(1, 1, func(i *agent.Identity) { *i = agent.Identity{} }), nil, "and 1 more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ran := runBoot(t, t.Context(), bootOf(3), nil, fleetScript{says: tt.says})
			if failed := ran.outcome.Verdict == results.Failed; failed != (tt.want != "") || !strings.Contains(ran.outcome.Reason, tt.want) {
				t.Errorf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
			}
			var kinds []string
			for _, r := range ran.named(results.IdentityConflict) {
				kinds = append(kinds, r.Attrs["kind"])
			}
			slices.Sort(kinds)
			if !slices.Equal(kinds, tt.conflicts) {
				t.Errorf("conflicts of %v, want %v", kinds, tt.conflicts)
			}
			if c := ran.named(results.IdentityChecked); len(c) != 1 || c[0].Attrs["conflicts"] != strconv.Itoa(len(tt.conflicts)) {
				t.Errorf("checked: %+v", c)
			}
		})
	}
}

// What a capture saw on the wire fails the trial as what guests say does.
func TestBootConflictOnTheWire(t *testing.T) {
	seen := results.Record{
		Source: results.SourceCaptureSwitch, Name: results.IdentityConflict,
		Attrs: map[string]string{"kind": "mac", "value": "52:54:00:77:10:01", "guests": "guest-1"},
	}
	ran := runBoot(t, t.Context(), bootOf(2), nil, fleetScript{
		onMade: func(n int, _ int64, g *fakeInstance) {
			if n == 1 {
				g.rec.Record(seen)
			}
		},
	})
	if ran.outcome.Verdict != results.Failed || !strings.Contains(ran.outcome.Reason, "on the wire (capture/switch)") {
		t.Errorf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
}

// An interruption in the middle leaves nothing, and is no outcome of the guests.
func TestBootInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	ran := runBoot(t, ctx, bootOf(30), nil, fleetScript{
		start: func(ctx context.Context, n int) error {
			if n%3 == 0 {
				return hanging(ctx, n)
			}
			return nil
		},
		await: func(ctx context.Context, n int) error {
			if n > 20 {
				once.Do(cancel)
				return hanging(ctx, n)
			}
			return nil
		},
	})
	if ran.outcome.Verdict != results.Interrupted {
		t.Errorf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
}

func TestBootMeasuresMemory(t *testing.T) {
	ran := runBoot(t, t.Context(), bootOf(1), nil, fleetScript{measure: errOurs})
	if ran.outcome.Verdict != results.Invalid || !strings.Contains(ran.outcome.Reason, "measure the guests' memory: our fault") {
		t.Errorf("%s: %s", ran.outcome.Verdict, ran.outcome.Reason)
	}
	var outcome *guest.OutcomeError
	if errors.As(errOurs, &outcome) {
		t.Error("our fault is none of the subject")
	}
}
