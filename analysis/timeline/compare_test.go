package timeline_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

// wireWarnings are the warnings of a trial that tell of a difference between packets and hypervisor.
func wireWarnings(tl *timeline.Timeline) []string {
	return slices.DeleteFunc(slices.Clone(tl.Warnings), func(s string) bool { return !strings.HasPrefix(s, "on the wire: ") })
}

// What packets and hypervisor tell alike must agree, whatever the seed.
func TestWireAgrees(t *testing.T) {
	for seed := range uint64(40) {
		s := timelinetest.Default(seed)
		s.Usage, s.Echo = false, false
		tl := build(t, s)
		if list := wireWarnings(tl); len(list) > 0 {
			t.Errorf("seed %d: %v", seed, list)
		}
		for _, c := range tl.Comparisons {
			if c.Judged != c.Agrees || !c.Judged && c.Name != timeline.CompareBytes {
				t.Errorf("seed %d: %s is judged %v, agrees %v: %+v", seed, c.Name, c.Judged, c.Agrees, c)
			}
		}
		for _, r := range tl.RoundComparisons {
			for _, c := range []timeline.Comparison{r.Begin, r.Pages} {
				first := r.N == 1 && c.Name != timeline.ComparePages
				if c.Judged == first || c.Agrees == first {
					t.Errorf("seed %d, round %d, %s: %+v", seed, r.N, c.Name, c)
				}
			}
			if q := r.Bytes.Difference; !q.Known || q.Low > 4096 || q.High < -4096 {
				t.Errorf("seed %d, round %d: bytes differ by %+v", seed, r.N, q)
			}
		}
	}
}

// altered builds a trial of which some records were changed; nil leaves one out.
func altered(t *testing.T, change func(*results.Record) bool) *timeline.Timeline {
	t.Helper()
	o, records := timelinetest.Default(9).Make()
	var kept []results.Record
	for _, r := range records {
		if change(&r) {
			kept = append(kept, r)
		}
	}
	tl, err := timeline.Build(o, kept)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// Each difference that the bounds do not explain is judged as one, has its metric, and is a warning.
func TestWireDiffers(t *testing.T) {
	late := func(stage string) func(*results.Record) bool {
		return func(r *results.Record) bool {
			if r.Name == results.WireStage && r.Attrs["stage"] == stage {
				r.Time += int64(40 * time.Millisecond)
				r.Attrs = map[string]string{"stage": stage, "stream": "1"}
			}
			return true
		}
	}
	for _, c := range []struct {
		comparison, metric string
		difference         float64
		change             func(*results.Record) bool
	}{
		{timeline.CompareNormal, timeline.WireNormalDiffers, -12, func(r *results.Record) bool {
			if r.Name == results.WirePages && r.Attrs["kind"] == results.PageNormal {
				r.Value -= 12
			}
			return true
		}},
		{timeline.CompareZero, timeline.WireZeroDiffers, -44000, func(r *results.Record) bool {
			return r.Name != results.WirePages || r.Attrs["kind"] != results.PageZero
		}},
		{timeline.CompareSyncs, timeline.WireSyncsDiffer, 1, func(r *results.Record) bool {
			if r.Name == results.WireSyncs {
				r.Value++
			}
			return true
		}},
		{timeline.CompareRounds, timeline.WireRoundsDiffer, 1, func(r *results.Record) bool {
			return r.Name != results.PreCopyRound || r.Value != 2
		}},
		{timeline.CompareStop, timeline.WireStopError, 0.0403, late(results.StageStopCopy)},
		{timeline.CompareResume, timeline.WireResumeError, 0.0404, late(results.StageRunning)},
	} {
		tl := altered(t, c.change)
		got := tl.Comparison(c.comparison)
		if !got.Judged || got.Agrees || got.Verdict() != "differs" {
			t.Errorf("%s: %+v, want a difference", c.comparison, got)
		}
		if m := tl.Metric(c.metric); !m.Known || math.Abs(m.Value-c.difference) > 2e-6 {
			t.Errorf("%s = %+v, want %v", c.metric, m.Quantity, c.difference)
		}
		if !slices.ContainsFunc(wireWarnings(tl), func(s string) bool { return strings.HasPrefix(s, "on the wire: "+c.comparison+": ") }) {
			t.Errorf("%s: no warning in %q", c.comparison, tl.Warnings)
		}
	}
}

// A lower bound agrees with what is not below it, and differs from what is.
func TestWireLowerBound(t *testing.T) {
	for syncs, agrees := range map[float64]bool{3: true, 5: true, 6: false} {
		tl := altered(t, func(r *results.Record) bool {
			if r.Name == results.WireSyncs {
				r.Value, r.Attrs = syncs, map[string]string{"stream": "1", "atleast": "true"}
			}
			return true
		})
		if c := tl.Comparison(timeline.CompareSyncs); !c.Judged || c.Agrees != agrees || !c.Difference.Censored {
			t.Errorf("at least %v against 5: %+v", syncs, c)
		}
	}
}

// Packets may show fewer rounds than the hypervisor counts: each goes with the synchronisation that is nearest.
func TestWireFewerRounds(t *testing.T) {
	tl := altered(t, func(r *results.Record) bool { return r.Name != results.WireRound || r.Value != 2 })
	c := tl.Comparison(timeline.CompareRounds)
	if c.Difference.Value != -1 || !c.Agrees || c.Note == "" || len(wireWarnings(tl)) > 0 {
		t.Errorf("%+v, %v", c, wireWarnings(tl))
	}
	var passes []int
	for _, r := range tl.RoundComparisons {
		passes = append(passes, r.Pass)
		if r.N > 1 && !r.Begin.Agrees {
			t.Errorf("round %d: %+v", r.N, r.Begin)
		}
	}
	if !slices.Equal(passes, []int{1, 3, 4, 5}) {
		t.Errorf("rounds go with synchronisations %v", passes)
	}
}

func TestWireMissing(t *testing.T) {
	s := timelinetest.Default(3)
	s.Wire = false
	tl := build(t, s)
	if tl.Wire != nil || tl.WireMissing != "the stream was not decoded" || len(tl.Comparisons) > 0 {
		t.Errorf("%+v, %q", tl.Wire, tl.WireMissing)
	}
	n := 0
	for _, m := range tl.Metrics {
		if strings.HasPrefix(m.Name, "wire.") {
			n++
			if m.Known || m.Why != tl.WireMissing {
				t.Errorf("%s = %+v", m.Name, m.Quantity)
			}
		}
	}
	if n != 16 {
		t.Errorf("%d metrics of the wire, want all 16 in every trial", n)
	}
}

// A capture whose clock is off by a measured amount must tell the same, its bounds wider by the clock's.
func TestWireClock(t *testing.T) {
	o, records := timelinetest.Default(6).Make()
	const offset = int64(250e6)
	move := func(s string) string {
		if s == "" {
			return s
		}
		return addTo(t, s, offset)
	}
	for i := range records {
		r := &records[i]
		if r.Source != results.SourceWire {
			continue
		}
		r.Host, r.Time = "tap", r.Time+offset
		r.Attrs["earliest"], r.Attrs["latest"] = move(r.Attrs["earliest"]), move(r.Attrs["latest"])
		for _, name := range []string{"earliest", "latest"} {
			if r.Attrs[name] == "" {
				delete(r.Attrs, name)
			}
		}
	}
	records = append(records, results.Record{
		Time: records[0].Time, Host: "controller", Source: results.SourceRunner, Name: results.ClockOffset, Value: 0.25,
		Unit: results.Seconds, Attrs: map[string]string{"host": "tap", "bound": "0.0005"},
	})
	moved, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	plain := build(t, timelinetest.Default(6))
	for _, name := range []string{timeline.CompareStop, timeline.CompareResume} {
		a, b := plain.Comparison(name).Difference, moved.Comparison(name).Difference
		if math.Abs(a.Value-b.Value) > 2e-9 || math.Abs(a.Low-0.0005-b.Low) > 2e-9 || math.Abs(a.High+0.0005-b.High) > 2e-9 {
			t.Errorf("%s: %+v, want %+v with 0.5 ms more either way", name, b, a)
		}
	}
}

func addTo(t *testing.T, ns string, by int64) string {
	t.Helper()
	n, err := strconv.ParseInt(ns, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(n+by, 10)
}
