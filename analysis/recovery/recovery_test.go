package recovery_test

import (
	"math"
	"slices"
	"testing"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/metric"
	"virtscope/analysis/model"
	"virtscope/analysis/quantity"
	"virtscope/analysis/recovery"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func of(records []results.Record) (*recovery.Report, []metric.Metric) {
	log, w := edgestest.Log(records), edgestest.Action(records)
	begin := log.Named(results.ActionBegin)[0]
	r := recovery.Build(log, w, edges.Window{From: w.From - 2e9, To: w.From}, begin)
	return r, r.Metrics(log, w)
}

func figure(t *testing.T, list []metric.Metric, name string) quantity.Quantity {
	t.Helper()
	for _, m := range list {
		if m.Name == name {
			return m.Quantity
		}
	}
	t.Fatalf("no metric %s", name)
	return quantity.Quantity{}
}

// holds checks that the truth lies within the bounds, and that these are not too wide to mean anything.
func holds(t *testing.T, name string, q quantity.Quantity, truth, widest float64) {
	t.Helper()
	const rounding = 2e-6
	if !q.Known || q.Low > truth+rounding || q.High < truth-rounding || q.High-q.Low > widest {
		t.Errorf("%s = %v in [%v, %v] (%s), truth %v", name, q.Value, q.Low, q.High, q.Why, truth)
	}
}

func TestFailuresHoldTheTruth(t *testing.T) {
	for seed := range uint64(12) {
		for _, kind := range []string{results.FaultKillGuest, results.FaultCutLink} {
			k := timelinetest.Keep{Seed: seed, Recover: true, Period: 700 * time.Millisecond, Failures: 4, Every: 1500 * time.Millisecond, Kind: kind}
			_, records, truth := k.Make()
			r, list := of(records)
			if len(r.Failures) != 4 {
				t.Fatalf("%d failures", len(r.Failures))
			}
			for i, f := range r.Failures {
				holds(t, "detection", f.Detection, truth.Detection[i], 0.01)
				holds(t, "recovery", f.Recovery, truth.Recovery[i], 0.01)
				holds(t, "lost time", f.Lost, truth.Lost[i], 0.06)
				holds(t, "lost work", f.LostWork, truth.Work[i], 0.4*(8<<20))
				if f.Exceeds {
					t.Errorf("failure %d is said to exceed the period", f.N)
				}
			}
			if q := figure(t, list, metric.RecoveryRecovered); q.Value != 4 {
				t.Errorf("recovered %v", q.Value)
			}
			if q := figure(t, list, metric.RecoveryFalseAlarms); q.Value != 0 {
				t.Errorf("false alarms %v", q.Value)
			}
			whole := edgestest.Action(records).Seconds()
			away := 0.0
			for _, v := range truth.Recovery {
				away += v
			}
			holds(t, "availability", figure(t, list, metric.RecoveryAvailability), 1-away/whole, 0.01)
		}
	}
}

// A guest that fails as soon as it goes on after a checkpoint has said nothing since: its clock went on from where it stopped.
func TestLostAfterASilentStretch(t *testing.T) {
	for seed := range uint64(12) {
		k := timelinetest.Keep{Seed: seed, Recover: true, Period: 700 * time.Millisecond, Failures: 2, Every: 1500 * time.Millisecond, Kind: results.FaultKillGuest}
		_, records, truth := k.Make()
		r, _ := of(records)
		for i, f := range r.Failures {
			went := int64(0) // on after a stop, last before the failure
			for _, x := range records {
				if x.Name == results.VMResume && x.Time < f.Injected.Time {
					went = max(went, x.Time)
				}
			}
			silent := slices.DeleteFunc(slices.Clone(records), func(x results.Record) bool {
				return x.Source == results.SourceGuest && x.Time >= went && x.Time <= f.Effective.Time
			})
			again, _ := of(silent)
			holds(t, "lost time", again.Failures[i].Lost, truth.Lost[i], 0.06)
		}
	}
}

func TestLostMoreThanAPeriodIsFlagged(t *testing.T) {
	_, records, _ := timelinetest.Keep{Seed: 1, Recover: true, Period: 700 * time.Millisecond, Failures: 1, Every: 2 * time.Second}.Make()
	for i, r := range records {
		if r.Name == results.ActionBegin {
			records[i].Attrs["period"] = "0.01"
		}
	}
	r, list := of(records)
	if q := figure(t, list, metric.RecoveryExceeded); q.Value != 1 || len(r.Warnings) != 1 {
		t.Errorf("exceeded %v, %v; lost %+v", q.Value, r.Warnings, r.Failures[0].Lost)
	}
}

func TestFalseAlarms(t *testing.T) {
	_, records, _ := timelinetest.Keep{Seed: 1, Recover: true, Period: 700 * time.Millisecond, Failures: 1, Every: 2 * time.Second, Alarms: 2}.Make()
	r, list := of(records)
	if q := figure(t, list, metric.RecoveryFalseAlarms); q.Value != 2 || len(r.Failures) != 1 {
		t.Errorf("false alarms %v, failures %d", q.Value, len(r.Failures))
	}
}

func TestUnrecoveredIsCensored(t *testing.T) {
	_, records, _ := timelinetest.Keep{Seed: 1, Recover: true, Period: 700 * time.Millisecond, Failures: 1, Every: 2 * time.Second}.Make()
	records = slices.DeleteFunc(records, func(r results.Record) bool {
		return r.Name == results.RestartEnd || r.Name == results.VMResume && r.Time > edgestest.Action(records).To-100e6 || r.Name == results.GuestRestored
	})
	_, list := of(records)
	if q := figure(t, list, metric.RecoveryTime); !q.Censored {
		t.Errorf("recovery %+v", q)
	}
	for _, name := range []string{metric.RecoveryLost, metric.RecoveryLostCount} {
		if q := figure(t, list, name); q.Known || q.Why == "" {
			t.Errorf("%s = %+v", name, q)
		}
	}
}

func TestOptimum(t *testing.T) {
	_, records, truth := timelinetest.Keep{Seed: 5, Recover: true, Period: 700 * time.Millisecond, Failures: 6, Every: 1500 * time.Millisecond}.Make()
	r, list := of(records)
	cost := quantity.Exactly(slices.Sorted(slices.Values(truth.Downtimes))[len(truth.Downtimes)/2], results.Seconds).Value
	if got := r.Optimum.Cost.Value; math.Abs(got-cost) > 0.01 {
		t.Errorf("cost %v, truth %v", got, cost)
	}
	want, err := model.Checkpointing{Cost: r.Optimum.Cost.Value, MTBF: r.MTBF.Value}.Daly()
	if err != nil {
		t.Fatal(err)
	}
	if q := figure(t, list, metric.RecoveryDaly); q.Value != want.Period {
		t.Errorf("Daly %v, want %v", q.Value, want.Period)
	}
	waste := 0.0
	for _, v := range slices.Concat(truth.Lost, truth.Recovery, truth.Downtimes) {
		waste += v
	}
	whole := edgestest.Action(records).Seconds()
	q := figure(t, list, metric.RecoveryWaste)
	if measured := waste / (whole - waste); math.Abs(q.Value-measured) > 0.05*measured {
		t.Errorf("waste %v in [%v, %v], truth %v", q.Value, q.Low, q.High, measured)
	}
	if q := figure(t, list, metric.RecoveryPredicted); !q.Known || q.Value <= 0 {
		t.Errorf("predicted %+v", q)
	}
}

func TestOverheadWithoutFailures(t *testing.T) {
	_, records, truth := timelinetest.Keep{Seed: 5, Recover: true, Period: 500 * time.Millisecond, For: 6 * time.Second}.Make()
	r, list := of(records)
	down := 0.0
	for _, d := range truth.Downtimes {
		down += d
	}
	holds(t, "overhead", figure(t, list, metric.RecoveryOverhead), down/edgestest.Action(records).Seconds(), 0.25)
	if len(r.Failures) != 0 || r.Availability.Value != 1 {
		t.Errorf("%d failures, availability %v", len(r.Failures), r.Availability.Value)
	}
}
