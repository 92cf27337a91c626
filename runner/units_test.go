package runner

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

// runDebian runs a boot of one guest with systemd.
func runDebian(t *testing.T, start string, s fleetScript) ranTrial {
	t.Helper()
	b := bootOf(1)
	p := fleetPlan(spec.Action{Boot: &b})
	p.Trials[0].Spec.Guest.Image, p.Trials[0].Spec.Guest.Start = "debian", start
	return runTrial(t, t.Context(), p, script{fleet: s})
}

// A guest answers before its start is over: it is asked until it is.
func TestUnitsAreAskedUntilTheStartIsOver(t *testing.T) {
	var asked atomic.Int32
	ran := runDebian(t, "cold", fleetScript{units: func() (*agent.Units, error) {
		if asked.Add(1) == 1 {
			return nil, errors.New("read units: the start is not over: ask again")
		}
		return &agent.Units{Stages: map[string]int64{"userspace": 2e9}, Units: []agent.Unit{{Name: "multi-user.target", Active: 3e9}}}, nil
	}})
	if ran.outcome.Verdict != results.Completed || len(ran.outcome.Warnings) != 0 {
		t.Errorf("%s: %s; warnings %q", ran.outcome.Verdict, ran.outcome.Reason, ran.outcome.Warnings)
	}
	if units := ran.named(results.BootUnit); len(units) != 1 || units[0].Value != 3 || units[0].Attrs["unit"] != "multi-user.target" {
		t.Errorf("units: %+v", units)
	}
	if stages := ran.named(results.BootStage); len(stages) != 1 || stages[0].Value != 2 {
		t.Errorf("stages: %+v", stages)
	}
}

// What the guest never says is warned of; that it was ready stays true.
func TestUnitsThatAreNotSaid(t *testing.T) {
	original := unitsLimit
	unitsLimit = unitsPause / 2
	defer func() { unitsLimit = original }()
	ran := runDebian(t, "cold", fleetScript{})
	says := func(w string) bool {
		return strings.Contains(w, "the systemd units of guest-0 are not known: its start was not over within")
	}
	if ran.outcome.Verdict != results.Completed || !slices.ContainsFunc(ran.outcome.Warnings, says) {
		t.Errorf("%s: %s; warnings %q", ran.outcome.Verdict, ran.outcome.Reason, ran.outcome.Warnings)
	}
}

// A guest that was saved started before the trial.
func TestUnitsOfASavedGuestAreNotAsked(t *testing.T) {
	var asked atomic.Int32
	runDebian(t, "warm", fleetScript{units: func() (*agent.Units, error) {
		asked.Add(1)
		return &agent.Units{}, nil
	}})
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}
