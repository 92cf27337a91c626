package runner

import (
	"slices"
	"testing"
)

// TestClientBeforeServer wants the probes to end while what they ask still runs.
func TestClientBeforeServer(t *testing.T) {
	var did ledger
	l := &fakeLab{scripts: []script{{
		onProbed: func() { did.add("probe") },
		onStop:   func() { did.add("workload") },
	}}}
	r := testRun(t, testPlan(1))
	if _, err := (Runner{Lab: l, Progress: &quiet{}}).Run(t.Context(), r, testPlan(1)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"probe", "workload"}; !slices.Equal(did.list, want) {
		t.Errorf("ended: %v, want %v", did.list, want)
	}
}
