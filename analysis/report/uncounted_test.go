package report

import (
	"slices"
	"testing"
	"virtscope/results"
)

// TestUncounted wants each trial that is in no figure to be there with what is true of it.
func TestUncounted(t *testing.T) {
	r := sample(t)
	end := func(i int, v results.Verdict, reason string) {
		r.Trials[i].Outcome.Verdict, r.Trials[i].Outcome.Reason = v, reason
	}
	end(0, results.Untold, "how it ended cannot be read: unexpected end of JSON input")
	r.Trials[0].Timeline = nil
	end(2, results.Invalid, "the machine was too noisy: 40 % of the CPUs' time was used by others")
	end(3, results.Interrupted, "interrupted")
	r.Trials[4].Timeline, r.Trials[4].Problem = nil, "file is cut off"
	r.Planned = 8
	want := []string{
		"1 of 6 trials is in no figure, as its records cannot be read: 005-rate-32MiB-r2.",
		"2 of 6 trials are in no figure, as they are invalid: the testbed, the machine or what measured was at fault, not what was measured (the remarks say how): 002-rate-4MiB-r2, 003-rate-4MiB-r3.",
		"1 of 6 trials is in no figure, as it was interrupted: 004-rate-32MiB-r1.",
		"1 of 6 trials is in no figure, as it cannot be read how it ended: 001-rate-4MiB-r1.",
		"2 of 8 trials that are planned have not ended: what they would add is in no figure.",
	}
	if got := uncounted(r); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, e := range r.groups() {
		if e.name == "workload.rate 4MiB/s" && e.tally() != "0 + 2 invalid + 1 unknown" {
			t.Errorf("%q", e.tally())
		}
	}
	r.Planned = 6
	if got := uncounted(r); !slices.Equal(got, want[:4]) {
		t.Errorf("got %q", got)
	}
}
