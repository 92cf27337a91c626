package degradation

import (
	"strconv"
	"strings"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A guest of a scene runs from 9 s on with a clock that began at 0 then, and stops between stop and resume (ms).
type guest struct {
	stop, resume int64
	records      []results.Record
}

// run makes the guest's reports, one each 100 ms of its clock: at what time of the host it was spoken, and at what time of
// its own. Lag is how much later each arrives.
func (g *guest) run(until int64, lag func(spoken int64) int64, say func(spoken, mono int64) []results.Record) {
	for mono := int64(0); ; mono += 100 {
		spoken := 9000 + mono
		if spoken > g.stop {
			spoken += g.resume - g.stop
		}
		if spoken > until {
			return
		}
		for _, r := range say(spoken, mono) {
			r.Time, r.Source = (spoken+lag(spoken))*ms, results.SourceGuest
			if r.Attrs == nil {
				r.Attrs = map[string]string{}
			}
			r.Attrs["mono"] = strconv.FormatInt(mono*ms, 10)
			g.records = append(g.records, r)
		}
	}
}

func prompt(int64) int64 { return 3 }

func dirty(perTenth float64) func(spoken, mono int64) []results.Record {
	return func(_, mono int64) []results.Record {
		n := float64(mono) / 100
		return []results.Record{
			{Name: results.GuestDirtied, Value: n * perTenth, Unit: results.Bytes, Attrs: map[string]string{"late": "0"}},
			{Name: results.GuestAsked, Value: n * 1000, Unit: results.Bytes},
		}
	}
}

func works300() Windows {
	w := windows()
	w.Stop, w.Resume = 12_450*ms, 12_750*ms
	return w
}

// The guest writes 1000 B each tenth of a second and stops for 300 ms: bins of 200 ms from 12.4 s and from 12.6 s on each
// hold 50 ms of it, a quarter. The last report comes up to 97 ms before the end of the span.
func TestWorkStops(t *testing.T) {
	w := works300()
	for name, lag := range map[string]func(int64) int64{
		"prompt": prompt,
		// What was spoken at 12.4 s comes only after the resume.
		"held back": func(spoken int64) int64 {
			if spoken == 12_400 {
				return 360
			}
			return 3
		},
		// A busy machine: every third report is 40 ms late.
		"late": func(spoken int64) int64 {
			if spoken/100%3 == 0 {
				return 43
			}
			return 3
		},
	} {
		g := &guest{stop: 12_450, resume: 12_750}
		g.run(endAt+200, lag, dirty(1000))
		x := one(t, g.records, w)
		t.Run(name, func(t *testing.T) {
			q := x.Lost
			if !q.Known || q.Censored || q.Value < 0.28 || q.Value > 0.32 || q.Low > 0.3001 || q.High < 0.2999 || q.High > 0.5 {
				t.Errorf("lost %+v, want 0.3 s", q)
			}
			if v := x.Below50.Value; v < 0.399 || v > 0.401 || x.Below10.Value != 0 {
				t.Errorf("below 50 %%: %+v, below 10 %%: %+v; want 0.4 s and none", x.Below50, x.Below10)
			}
			if v := x.Recovery; !v.Known || v.Value > 0.06 {
				t.Errorf("recovery %+v, want the next bin, 50 ms later", v)
			}
			expect(t, []Service{x}, is("work.dirty.throughput.baseline", 10_000), is("work.dirty.noise", 0), is("work.dirty.kept-up", 1))
		})
	}
}

// Nobody knows when the guest stopped: arrivals alone tell, and the time to full speed is not known.
func TestWorkWithUnknownStop(t *testing.T) {
	g := &guest{stop: 12_450, resume: 12_750}
	g.run(endAt+200, prompt, dirty(1000))
	w := works300()
	w.Stop, w.Resume = 0, 0
	x := one(t, g.records, w)
	// Between the reports at 12.403 and 12.803 the counter grew by 1000 B in 400 ms: a quarter of full speed.
	if q := x.Lost; !q.Known || q.Value < 0.29 || q.Value > 0.31 {
		t.Errorf("lost %+v, want 0.3 s", q)
	}
	expect(t, []Service{x}, unknown("work.dirty.recovery", "not known when"))
}

// Post-copy: at the destination the guest does a third for 600 ms.
func TestWorkRecoversSlowly(t *testing.T) {
	g := &guest{stop: 12_400, resume: 12_600}
	done := 0.0
	g.run(endAt+200, prompt, func(spoken, _ int64) []results.Record {
		if spoken > 12_600 && spoken <= 13_200 {
			done += 330
		} else {
			done += 1000
		}
		return []results.Record{{Name: results.GuestWork, Value: done, Unit: results.One, Attrs: map[string]string{"kind": "cpu"}}}
	})
	w := windows()
	w.Stop, w.Resume = 12_400*ms, 12_600*ms
	x := one(t, g.records, w)
	if q := x.Recovery; !q.Known || q.Low > 0.6001 || q.High < 0.5999 || q.High > 0.81 {
		t.Errorf("recovery %+v, want 0.6 s within a bin", q)
	}
	if q := x.Lost; q.Value < 0.55 || q.Value > 0.65 {
		t.Errorf("lost %+v, want 0.2 + 0.67·0.6 s", q)
	}
	if x.Name != "work.cpu" || x.Unit != PerSecond {
		t.Errorf("got %s in %s", x.Name, x.Unit)
	}
	expect(t, []Service{x}, unknown("work.cpu.kept-up", "no rate"))
}

func TestWorkThatCannotKeepUp(t *testing.T) {
	g := &guest{stop: 12_450, resume: 12_750}
	g.run(endAt+200, prompt, dirty(710))
	x := one(t, g.records, works300())
	expect(t, []Service{x}, is("work.dirty.kept-up", 0.71))
	if len(x.Warnings) != 0 {
		t.Errorf("warnings %q: the timeline holds what was written against what was asked for", x.Warnings)
	}
	// A disk that falls 0.2 s behind each second.
	g = &guest{stop: 12_450, resume: 12_750}
	g.run(endAt+200, prompt, func(_, mono int64) []results.Record {
		return []results.Record{{Name: results.GuestWork, Value: float64(mono) / 100, Unit: results.One, Attrs: map[string]string{
			"kind": "disk", "bytes": strconv.FormatInt(mono*40, 10), "late": strconv.FormatFloat(float64(mono)*0.0002, 'g', -1, 64),
		}}}
	})
	x = one(t, g.records, works300())
	expect(t, []Service{x}, is("work.disk.kept-up", 0.8), is("work.disk.throughput.baseline", 40_000))
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "80 %") {
		t.Errorf("warnings %q", x.Warnings)
	}
}

// The guest dies with the stop: it is silent from then on.
func TestWorkThatEnds(t *testing.T) {
	g := &guest{stop: 12_450, resume: 99_000}
	g.run(endAt, prompt, dirty(1000))
	w := works300()
	w.Resume = 0
	expect(t, []Service{one(t, g.records, w)}, unknown("work.dirty.lost", "nothing was recorded of it for 2.597 s"), unknown("work.dirty.recovery", "not known"))
	// A baseline that loses a little itself: what is lost until then is of that size, and tells nothing.
	for i := range g.records {
		if g.records[i].Name == results.GuestDirtied && i%8 < 2 {
			g.records[i].Value += 20
		}
	}
	x := one(t, g.records, w)
	if x.LostFloor.Value < 0.01 {
		t.Errorf("the floor is %+v: the scene has no noise", x.LostFloor)
	}
	expect(t, []Service{x}, unknown("work.dirty.lost", "than noise alone"))
}

// Sums of floating-point numbers are off by what no clock can tell: that is not lost.
func TestRoundingIsNoLoss(t *testing.T) {
	g := &guest{stop: 12_450, resume: 12_750}
	g.run(endAt+200, prompt, dirty(1000.0/3))
	if q := one(t, g.records, works300()).LostFloor; !q.Known || q.High != 0 {
		t.Errorf("the floor is %+v, want 0", q)
	}
}

func TestCounterThatRunsBackwards(t *testing.T) {
	g := &guest{stop: 12_450, resume: 12_750}
	g.run(endAt+200, prompt, dirty(1000))
	g.records[60].Value = 1
	x := one(t, g.records, works300())
	expect(t, []Service{x}, unknown("work.dirty.lost", "no records"))
	if len(x.Warnings) != 1 {
		t.Errorf("warnings %q", x.Warnings)
	}
}

func TestIdleGuestIsNoService(t *testing.T) {
	g := &guest{stop: 12_450, resume: 12_750}
	g.run(endAt, prompt, dirty(0))
	for i := range g.records {
		g.records[i].Value = 0
	}
	if services, err := Build(g.records, works300()); err != nil || len(services) != 0 {
		t.Errorf("%+v, %v", services, err)
	}
}

// 100 writes each tenth of a second in the baseline: 90 below 256 µs, 9 below 1024 µs, one below 4096 µs, which took 3 ms.
func TestWrites(t *testing.T) {
	g := &guest{stop: 12_450, resume: 12_750}
	counts := make([]string, 13)
	for i := range counts {
		counts[i] = "0"
	}
	counts[8], counts[10], counts[12] = "90", "9", "1"
	g.run(endAt+200, prompt, func(spoken, mono int64) []results.Record {
		longest := 0.003
		if spoken > 12_750 && spoken < 12_900 {
			longest = 0.0025
		}
		return []results.Record{
			{Name: results.GuestWork, Value: float64(mono), Unit: results.One, Attrs: map[string]string{"kind": "disk", "bytes": strconv.FormatInt(mono*40, 10)}},
			{Name: results.GuestDiskTimes, Value: longest, Unit: results.Seconds, Attrs: map[string]string{"counts": strings.Join(counts, ",")}},
		}
	})
	x := one(t, g.records, works300())
	expect(t, []Service{x},
		within("work.disk.write.p50.baseline", 181.02e-6, 128e-6, 256e-6), within("work.disk.write.p90.baseline", 181.02e-6, 128e-6, 256e-6),
		within("work.disk.write.p99.baseline", 724.08e-6, 512e-6, 1024e-6), is("work.disk.write.max.baseline", 0.003), is("work.disk.write.max.action", 0.003))
	if n := x.Writes.Baseline.Count; n != 1900 {
		t.Errorf("%d writes in the baseline, want those of 19 reports that lie in it whole", n)
	}
	g.records[41].Attrs["counts"] = "x" // of 11 s
	expect(t, []Service{one(t, g.records, works300())}, unknown("work.disk.write.p50.baseline", "could not be read"))
}

// redis is asked once a second what it did. It is stopped for 200 ms, and serves nothing for 600 ms more: what was counted
// holds that within its bounds, and what is short of the time between two counts is not told exactly.
func TestWorkThatIsCountedSeldom(t *testing.T) {
	const stop, dead, resume = 22_450, 600, 22_650
	w := Windows{
		Baseline: Window{10_000 * ms, 22_000 * ms}, Action: Window{22_000 * ms, 26_000 * ms}, After: Window{26_000 * ms, 30_000 * ms},
		Stop: stop * ms, Resume: resume * ms,
	}
	for phase := int64(0); phase < 1000; phase += 100 {
		g := &guest{stop: stop, resume: resume}
		done := 0.0
		g.run(32_000, prompt, func(spoken, mono int64) []results.Record {
			if spoken <= resume || spoken > resume+dead {
				done += 100
			}
			if mono%1000 != phase {
				return nil
			}
			return []results.Record{{Name: results.GuestWork, Value: done, Unit: results.One, Attrs: map[string]string{"kind": "redis"}}}
		})
		x := one(t, g.records, w)
		for name, c := range map[string]struct {
			q     quantity.Quantity
			truth float64
		}{
			"lost": {x.Lost, 0.8}, "below 90 %": {x.Below90, 0.8}, "below 10 %": {x.Below10, 0.8}, "recovery": {x.Recovery, 0.6},
			"baseline": {x.Baseline.Throughput, 1000}, "action": {x.Action.Throughput, 800},
		} {
			if q := c.q; !q.Known || q.Low > c.truth || q.High < c.truth || q.Low == q.High {
				t.Errorf("phase %d: %s is %+v, want %v within its bounds", phase, name, q, c.truth)
			}
		}
		if x.Bin != 1 {
			t.Errorf("phase %d: bins of %v s, want 1 s", phase, x.Bin)
		}
		w := w
		w.Baseline.From = 17_000 * ms
		expect(t, []Service{one(t, g.records, w)}, unknown("work.redis.below10", "too short"))
	}
}

// Reports that a busy host holds back until the next window count in the one that they tell of.
func TestWritesThatAreToldLate(t *testing.T) {
	held := func(spoken int64) int64 {
		switch {
		case spoken > 11_000 && spoken <= 12_000:
			return 12_200 - spoken
		case spoken > 13_200 && spoken <= 14_000:
			return 14_700 - spoken
		}
		return 3
	}
	g := &guest{stop: 12_450, resume: 12_750}
	g.run(endAt+200, held, func(spoken, mono int64) []results.Record {
		longest := 0.001
		switch {
		case spoken > 11_500 && spoken <= 11_600:
			longest = 0.002
		case spoken > 13_500 && spoken <= 13_600:
			longest = 0.8
		}
		return []results.Record{
			{Name: results.GuestWork, Value: float64(mono), Unit: results.One, Attrs: map[string]string{"kind": "disk", "bytes": strconv.FormatInt(mono*40, 10)}},
			{Name: results.GuestDiskTimes, Value: longest, Unit: results.Seconds, Attrs: map[string]string{"counts": "0,0,0,0,10"}},
		}
	})
	x := one(t, g.records, works300())
	expect(t, []Service{x}, is("work.disk.write.max.baseline", 0.002), is("work.disk.write.max.action", 0.8), is("work.disk.write.max.after", 0.001))
	if n := x.Writes.Baseline.Count; n != 190 {
		t.Errorf("%d writes in the baseline, want those of 19 reports", n)
	}
	for i := range g.records {
		delete(g.records[i].Attrs, "mono") // nothing but the arrival is known
	}
	if n := one(t, g.records, works300()).Writes.After.Count; n == 0 {
		t.Error("without the guest's clock no write is placed")
	}
}
