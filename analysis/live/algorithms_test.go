package live

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

// Whatever the algorithm, and however a migration ends, the outages and the rounds are those of its timeline.
func TestSaysOfMigrationsWhatTheirTimelinesSay(t *testing.T) {
	const ms = time.Millisecond
	type scenario = timelinetest.Scenario
	for name, change := range map[string]func(*scenario){
		"precopy":       func(*scenario) {},
		"post-copy":     func(s *scenario) { s.Algorithm, s.Post = results.AlgorithmPostCopy, 1300*ms },
		"hybrid":        func(s *scenario) { s.Algorithm, s.Rounds, s.Post = results.AlgorithmHybrid, 1, 700*ms },
		"stop-and-copy": func(s *scenario) { s.Algorithm, s.Outage = results.AlgorithmStopAndCopy, 1200*ms },
		"mapped-ram":    func(s *scenario) { s.Algorithm, s.Outage = results.AlgorithmMappedRAM, 500*ms },
		"snapshot": func(s *scenario) {
			s.Algorithm, s.Outage, s.Post = results.AlgorithmBackgroundSnapshot, 5*ms, 900*ms
		},
		"cancelled":     func(s *scenario) { s.Algorithm, s.Cancel = results.AlgorithmPreCopy, 500*ms },
		"killed":        func(s *scenario) { s.Algorithm, s.Kill = results.AlgorithmPreCopy, 500*ms },
		"never back":    func(s *scenario) { s.GoneFor = true },
		"held":          func(s *scenario) { s.Algorithm, s.Held = results.AlgorithmPreCopy, true },
		"late answers":  func(s *scenario) { s.Busy = []timelinetest.Stall{{At: 700 * ms, For: 2 * time.Second}} },
		"a short pause": func(s *scenario) { s.Busy = []timelinetest.Stall{{At: 600 * ms, For: 35 * ms}} },
	} {
		for seed := range uint64(2) {
			s := timelinetest.Default(seed)
			s.Usage, s.Wire, s.Client = false, false, "third"
			change(&s)
			o, records := s.Make()
			tl, err := timeline.Build(o, records)
			if err != nil {
				t.Fatal(err)
			}
			tr := newTrial(o.Trial, 1, time.Unix(0, records[0].Time), nil)
			for i := range records {
				if records[i].Name == results.ClockOffset {
					tr.add(&records[i])
				}
			}
			slices.SortStableFunc(records, func(a, b results.Record) int {
				return cmp.Or(cmp.Compare(tr.at(&a), tr.at(&b)), -cmp.Compare(a.Name, b.Name))
			})
			tr.addAll(records)
			if seed == 0 {
				staysTrue(t, name, func() *Run { return NewRun(results.Manifest{}, []results.Trial{o.Trial}, nil) }, o.Trial.ID, records)
			}
			tr.ended = true
			for _, out := range tl.Outages {
				switch q := tr.downtime(); out.Name {
				case timeline.Downtime:
					if q.Known != out.Known || q.Censored != out.Censored || !q.Censored && math.Abs(q.Value-out.Value) > 1e-9 {
						t.Errorf("%s: downtime %+v, the timeline has %+v", name, q, out.Quantity)
					}
				case timeline.BlackoutWire:
					sameGap(t, name+": on the wire", tr.silent(), out.Raw)
				case timeline.BlackoutClient:
					sameGap(t, name+": without answer", tr.unanswered(), out.Raw)
				}
			}
			compareRounds(t, name, tr.reader().show(), tl.Rounds)
		}
	}
}

// sameGap wants the raw gap, less what of it was before the request: up to a frame's or probe's spacing.
func sameGap(t *testing.T, what string, q, raw quantity.Quantity) {
	t.Helper()
	const spacing = 0.003
	if q.Known != raw.Known || q.Value > raw.Value+1e-9 || q.Value < raw.Value-spacing {
		t.Errorf("%s %+v, the timeline has %+v", what, q, raw)
	}
}

func compareRounds(t *testing.T, name string, got []Round, want []timeline.Round) {
	t.Helper()
	n := 0
	for _, w := range want {
		if w.N == 0 {
			continue
		}
		n++
		if n > len(got) || got[n-1].N != w.N {
			t.Errorf("%s: round %d of %d is not among %+v", name, w.N, len(want), got)
			return
		}
		g := got[n-1]
		if math.Abs(g.Duration.Value-w.Duration.Value) > 1e-9 || g.Duration.Censored {
			t.Errorf("%s, round %d lasted %+v, the timeline has %+v", name, g.N, g.Duration, w.Duration)
		}
		if g.Sent.Known != w.Transferred.Known || g.Sent.Known && (g.Sent.Value != w.Transferred.Value || math.Abs(g.Sent.Low-w.Transferred.Low) > 0.01*g.Sent.Value) {
			t.Errorf("%s, round %d sent %+v, the timeline has %+v", name, g.N, g.Sent, w.Transferred)
		}
		if g.Dirty.Known != w.DirtyRate.Known || g.Dirty.Value != w.DirtyRate.Value {
			t.Errorf("%s, round %d dirtied %+v, the timeline has %+v", name, g.N, g.Dirty, w.DirtyRate)
		}
	}
	if n != len(got) {
		t.Errorf("%s: %d rounds, the timeline has %d", name, len(got), n)
	}
}
