package influx

import (
	"slices"
	"strings"
	"testing"
	"virtscope/results"
)

func TestEstimateGrows(t *testing.T) {
	base := Plan{Treatments: 2, Hosts: 2, Guests: 1, Action: "migrate"}
	n := EstimateSeries(base).Series
	for name, p := range map[string]Plan{
		"treatments": {Treatments: 3, Hosts: 2, Guests: 1, Action: "migrate"},
		"hosts":      {Treatments: 2, Hosts: 3, Guests: 1, Action: "migrate"},
		"guests":     {Treatments: 2, Hosts: 2, Guests: 2, Action: "migrate"},
		"channels":   {Treatments: 2, Hosts: 2, Guests: 1, Channels: 8, Action: "migrate"},
		"any action": {Treatments: 2, Hosts: 2, Guests: 1},
	} {
		if more := EstimateSeries(p).Series; more <= n {
			t.Errorf("with more %s it is %d, before %d", name, more, n)
		}
	}
	if twice := EstimateSeries(Plan{Treatments: 4, Hosts: 2, Guests: 1, Action: "migrate"}).Series; twice != 2*n-len(RunFiles) {
		t.Errorf("twice the treatments are %d, once %d", twice, n)
	}
	if e := EstimateSeries(base); !slices.IsSortedFunc(e.Parts, func(a, b Part) int { return b.Series - a.Series }) || strings.Contains(e.Parts[0].Measurement, "job") {
		t.Errorf("%+v", e.Parts[:3])
	}
}

// A tag without a bound would count as none.
func TestEveryTagIsBounded(t *testing.T) {
	p := Plan{Treatments: 1, Hosts: 2, Guests: 1}
	for name, a := range attributes {
		if a.form == asTag && name != results.AttrGuest && p.values("", name) == 0 {
			t.Errorf("tag %s has no bound", name)
		}
	}
}

// What an action recorded is counted for that action.
func TestWhatIsRecordedIsEstimated(t *testing.T) {
	actions := map[string]int{"precopy": migrate, "boot": boot, "checkpoint": checkpoint, "jobs": jobs}
	known := map[string]Measurement{}
	for _, m := range measurements {
		known[m.Name] = m
	}
	for trial, records := range recordedTrials(t) {
		missed := map[string]bool{}
		for _, r := range records {
			if known[r.Name].actions&actions[trial] == 0 {
				missed[r.Name] = true
			}
		}
		for name := range missed {
			t.Errorf("%s records %s, which is not counted for it", trial, name)
		}
	}
}
