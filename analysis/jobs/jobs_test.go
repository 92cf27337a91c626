package jobs_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/jobs"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline/timelinetest"
)

func figure(t *testing.T, r *jobs.Report, name string) quantity.Quantity {
	t.Helper()
	for _, m := range r.Metrics() {
		if m.Name == name {
			return m.Quantity
		}
	}
	t.Fatalf("no metric %s", name)
	return quantity.Quantity{}
}

func TestMetricsAreTheTruth(t *testing.T) {
	for _, s := range []timelinetest.Served{{Jobs: 12, Cap: 2}, {Jobs: 12, Cap: 8}, {Jobs: 9, Cap: 3, Preempt: true}} {
		for seed := range uint64(5) {
			s.Seed = seed
			_, records, truth := s.Make()
			r := jobs.Build(edgestest.Log(records), edgestest.Action(records))
			waits, slow := slices.Sorted(slices.Values(truth.Waits)), slices.Sorted(slices.Values(truth.Slowdowns))
			preempted := 0.0
			if s.Preempt {
				preempted = 1
			}
			for name, want := range map[string]float64{
				metric.JobsWaitMax: waits[len(waits)-1], metric.JobsCount: float64(s.Jobs), metric.JobsDone: float64(s.Jobs),
				metric.JobsGuestTime: truth.Paid, metric.JobsUtilisation: truth.Busy / truth.Paid,
				metric.JobsFresh: float64(truth.Fresh) / float64(s.Jobs), metric.JobsPreemptions: preempted,
			} {
				if q := figure(t, r, name); !q.Known || math.Abs(q.Value-want) > 1e-6 {
					t.Errorf("%+v: %s = %v, truth %v", s, name, q.Value, want)
				}
			}
			if q := figure(t, r, metric.JobsSlowdown50); math.Abs(q.Value-(slow[(len(slow)-1)/2]+slow[len(slow)/2])/2) > 1e-6 {
				t.Errorf("slowdown %v", q.Value)
			}
			if q := figure(t, r, metric.JobsMakespan); math.Abs(q.Value-truth.Makespan) > 2e-3 {
				t.Errorf("makespan %v, truth %v", q.Value, truth.Makespan)
			}
			if q := figure(t, r, metric.JobsPeak); q.Value > float64(s.Cap) || q.Value < 1 {
				t.Errorf("peak %v of %d", q.Value, s.Cap)
			}
		}
	}
}

func TestJobNotDoneIsCensored(t *testing.T) {
	_, records, _ := timelinetest.Served{Jobs: 5, Cap: 2, Fail: true}.Make()
	r := jobs.Build(edgestest.Log(records), edgestest.Action(records))
	for _, name := range []string{metric.JobsMakespan, metric.JobsSlowdown90} {
		if q := figure(t, r, name); !q.Censored {
			t.Errorf("%s = %+v", name, q)
		}
	}
	if q := figure(t, r, metric.JobsDone); q.Value != 4 {
		t.Errorf("done %v", q.Value)
	}
	var b bytes.Buffer
	for _, s := range r.Sections() {
		s.Write(&b)
	}
	for _, want := range []string{"failed: the guest ended by itself", "started for it", "idle"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
}
