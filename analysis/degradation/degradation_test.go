package degradation

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"virtscope/results"
)

// Of 2000 requests due in the action, 300 were due in the stop and waited 1 to 300 ms, one of each: rank 1800 is the
// 100th of those, rank 1980 the 280th. What is made up for in the bin after it is lost all the same.
func TestCleanOutage(t *testing.T) {
	s := one(t, outage(t).records, windows())
	expect(t, []Service{s},
		is("load.throughput.baseline", 1000), is("load.throughput.action", 1000), is("load.throughput.after", 1000),
		within("load.p50.baseline", 0.001, 0.0009995, 0.0010005), is("load.max.baseline", 0.001),
		within("load.p50.action", 0.001, 0.0009995, 0.0010005),
		within("load.p90.action", 0.1, 0.1-0.00005, 0.1+0.00005), within("load.p99.action", 0.28, 0.28-0.0001, 0.28+0.0001),
		is("load.max.action", 0.3), is("load.max.after", 0.001),
		is("load.lost", 0.3), is("load.lost.floor", 0), is("load.noise", 0), is("load.kept-up", 1),
		is("load.below90", 0.3), is("load.below50", 0.3), is("load.below10", 0.3),
		is("load.recovery", 0), is("load.recovery.latency", 0), is("load.failed", 0), is("load.pending", 0),
	)
	if len(s.Warnings) != 0 {
		t.Errorf("warnings %q", s.Warnings)
	}
	if n := len(s.Series.Ratios); n != 50 || s.Series.Ratios[25] != (RatioPoint{0.5, 0.1, 0}) || s.Series.Ratios[28].Ratio != 4 {
		t.Errorf("%d points, at 0.5 s %+v, at 0.8 s %+v", n, s.Series.Ratios[25], s.Series.Ratios[28])
	}
	if p := s.Series.Latency[25]; p.P99 == nil || math.Abs(*p.P99-0.299) > 0.0002 {
		t.Errorf("p99 of the bin in which the guest stopped: %v, want 299 ms (the 99th of 201 … 300 ms)", p.P99)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
}

// The records may come in any order and with bins of any alignment to the windows.
func TestOrderDoesNotMatter(t *testing.T) {
	records := outage(t).records
	slices.Reverse(records)
	expect(t, []Service{one(t, records, windows())}, is("load.lost", 0.3), is("load.p99.action", 0.28).wide(0.0001))
}

func (e expectation) wide(by float64) expectation {
	e.low, e.high = e.value-by, e.value+by
	return e
}

// The action begins 40 ms into the first bin of the stop. The bin's whole 100 ms were lost, and 60 ms of it are inside:
// so much is lost there, all of it. The span ends 30 ms into a bin in which nothing was lost.
func TestEdgesInsideBins(t *testing.T) {
	w := windows()
	w.Baseline.To, w.Action.From, w.After.To = (stopAt+40)*ms, (stopAt+40)*ms, (endAt-70)*ms
	expect(t, []Service{one(t, outage(t).records, w)},
		is("load.lost", 0.26), is("load.below50", 0.26), is("load.kept-up", 1), is("load.recovery", 0))
	// With half of the bin lost, nobody knows which half: 0 to 50 ms of it may lie inside, which has room for 50 of the 60.
	s := &scene{t: t, kind: "bulk"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		v := 1000.0
		if at == stopAt {
			v = 500
		}
		s.add(at, results.LoadBytes, v, results.Bytes)
	}
	expect(t, []Service{one(t, s.records, w)}, within("load.lost", 0.05, 0.01, 0.05))
}

// After the stop the guest does half of it for a second.
func TestSlowRecovery(t *testing.T) {
	s := &scene{t: t, kind: "bulk"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		v := 1000.0
		switch {
		case at >= stopAt && at < resumeAt:
			v = 0
		case at >= resumeAt && at < resumeAt+1000:
			v = 510
		}
		s.add(at, results.LoadBytes, v, results.Bytes)
	}
	x := one(t, s.records, windows())
	expect(t, []Service{x},
		is("load.throughput.baseline", 10_000), is("load.lost", 0.3+0.49), is("load.below90", 1.3), is("load.below50", 0.3), is("load.below10", 0.3),
		within("load.recovery", 1, 0.9, 1), unknown("load.kept-up", "no rate"))
	if x.Baseline.Latency != nil || x.RecoveryLatency != nil {
		t.Error("bulk has no latency")
	}
	// It never comes back, or for too short a time.
	w := windows()
	w.Action.To, w.After = 13_500*ms, Window{}
	expect(t, []Service{one(t, s.records, w)}, atLeast("load.recovery", 0.7))
	w.Action.To = 14_200 * ms
	expect(t, []Service{one(t, s.records, w)}, atLeast("load.recovery", 1))
	w.Resume, w.Stop = 0, 0
	expect(t, []Service{one(t, s.records, w)}, unknown("load.recovery", "not known when the guest ran again"))
}

// Latency comes back later than throughput: for 400 ms after the resume, 2 of 100 requests take 2 ms. The baseline's p99 is
// 1 ms, so they are too slow; in the 500 ms that begin with the last such bin, 2 of 500 are not too many, nor are 4 or … of 500.
func TestLatencyRecovery(t *testing.T) {
	s := &scene{t: t, kind: "request"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		l := same(100, 1000)
		if at >= stopAt && at < resumeAt+400 {
			l[0], l[1] = 2000, 2000
		}
		s.add(at, results.LoadAnswers, 100, results.One)
		s.due(at, 0, l...)
	}
	// From 12.8 s: 8 of 500; from 12.9: 6; from 13.0: 4 of 500, which is below 1 %.
	expect(t, []Service{one(t, s.records, windows())}, within("load.recovery.latency", 0.2, 0.1, 0.2), is("load.recovery", 0), is("load.lost", 0))
}

func TestNoise(t *testing.T) {
	s := &scene{t: t, kind: "bulk"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		s.add(at, results.LoadBytes, 1000+400*float64(1-2*(at/100%2)), results.Bytes)
	}
	expect(t, []Service{one(t, s.records, windows())},
		is("load.noise", 0.5), unknown("load.below90", "50 % of its own bins are below 90 %"), is("load.below50", 0),
		unknown("load.lost", "0.20 s each second"), is("load.lost.floor", 0.6), unknown("load.recovery", "too noisy"))
	// One bin of ten is at 55 %, the others at 105 %: what noise loses is told beside what was lost.
	s.records = nil
	for at := int64(baselineAt); at < endAt; at += 100 {
		v := 1050.0
		if at/100%10 == 3 {
			v = 550
		}
		s.add(at, results.LoadBytes, v, results.Bytes)
	}
	expect(t, []Service{one(t, s.records, windows())},
		is("load.noise", 0.1), is("load.below90", 0.3), is("load.lost", 3*0.045), is("load.lost.floor", 3*0.045))
}

// Poisson arrivals are no degradation: of what was due, all was answered.
func TestArrivalsAreNoNoise(t *testing.T) {
	s := &scene{t: t, kind: "kv"}
	for i, at := 0, int64(baselineAt); at < endAt; i, at = i+1, at+100 {
		n := 30 + 20*(i%3)
		s.add(at, results.LoadAnswers, float64(n), results.One)
		s.due(at, 0, same(n, 800)...)
	}
	expect(t, []Service{one(t, s.records, windows())}, is("load.noise", 0), is("load.lost", 0), is("load.below90", 0))
}

// 50 requests a second are 5 in a bin: bins are joined by four, and the first of the action begins one.
func TestFewRequestsShareBins(t *testing.T) {
	s := &scene{t: t, kind: "kv"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		answers := 5.0
		if at >= actionAt && at < actionAt+400 {
			answers = 0
		}
		s.add(at, results.LoadAnswers, answers, results.One)
		s.due(at, 0, same(5, 1000)...)
	}
	w := windows()
	w.Baseline.From = 8_000 * ms // ten joined bins take 4 s
	for at := int64(8_000); at < baselineAt; at += 100 {
		s.add(at, results.LoadAnswers, 5, results.One)
		s.due(at, 0, same(5, 1000)...)
	}
	x := one(t, s.records, w)
	if x.Bin != 0.4 {
		t.Errorf("bins are %v s wide, want 0.4", x.Bin)
	}
	expect(t, []Service{x}, is("load.lost", 0.4), is("load.below10", 0.4), is("load.noise", 0))
}

func TestMissingBaseline(t *testing.T) {
	w := windows()
	w.Baseline = Window{}
	x := one(t, outage(t).records, w)
	expect(t, []Service{x},
		unknown("load.throughput.baseline", "baseline"), unknown("load.lost", "there was no baseline"), unknown("load.below90", "no baseline"),
		unknown("load.noise", "no baseline"), unknown("load.recovery", "no baseline"), unknown("load.kept-up", "no baseline"),
		unknown("load.p99.baseline", "no request was due in the baseline"), unknown("load.recovery.latency", "p99 is not known"),
		is("load.p99.action", 0.28).wide(0.0001), is("load.throughput.action", 1000))
	if len(x.Series.Ratios) != 0 || len(x.Series.Latency) != 50 {
		t.Errorf("%d ratios of no baseline, %d latencies", len(x.Series.Ratios), len(x.Series.Latency))
	}
	w.Baseline = Window{11_050 * ms, actionAt * ms}
	expect(t, []Service{one(t, outage(t).records, w)}, unknown("load.lost", "too short: 9 bins"), unknown("load.noise", "too short"))
	w.Baseline = Window{1000 * ms, 5000 * ms}
	expect(t, []Service{one(t, outage(t).records, w)}, unknown("load.lost", "no records of it in the baseline"))
}

// The guest answers 70 of 100 requests in the baseline, and 35 in the action: that is half of what it did.
func TestOverload(t *testing.T) {
	s := &scene{t: t, kind: "kv"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		n := 70
		if at >= actionAt && at < afterAt {
			n = 34
		}
		s.add(at, results.LoadAnswers, float64(n), results.One)
		s.due(at, 100-n, same(n, 5000)...)
	}
	x := one(t, s.records, windows())
	expect(t, []Service{x},
		is("load.kept-up", 0.7), is("load.lost", 2*(1-34.0/70)), is("load.below50", 2), is("load.below10", 0), is("load.failed", 20*66+10*30),
		within("load.p50.baseline", 0.005, 0.005-0.000005, 0.005+0.000005).wide(0.000005),
		atLeast("load.p90.baseline", 0.005), atLeast("load.max.action", 0.005), atLeast("load.p50.action", 0.005),
		unknown("load.recovery.latency", "no upper bound"))
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "70 %") {
		t.Errorf("warnings %q", x.Warnings)
	}
}

// The client's records end with the guest's stop: what is lost is more than what was seen.
func TestRecordsThatEndEarly(t *testing.T) {
	s := outage(t)
	s.records = slices.DeleteFunc(s.records, func(r results.Record) bool { return r.Time >= (stopAt+200)*ms })
	expect(t, []Service{one(t, s.records, windows())},
		atLeast("load.lost", 0.2), atLeast("load.below10", 0.2), unknown("load.recovery", "nothing was recorded"), unknown("load.throughput.after", "no bin"))
	// A hole in the middle.
	s = outage(t)
	s.records = slices.DeleteFunc(s.records, func(r results.Record) bool { return r.Time == resumeAt*ms })
	expect(t, []Service{one(t, s.records, windows())}, atLeast("load.lost", 0.3), unknown("load.recovery", "nothing was recorded of it for a while"))
	// The client is stopped 60 ms before the span ends: that is within the bounds.
	s = outage(t)
	s.records = slices.DeleteFunc(s.records, func(r results.Record) bool { return r.Time >= endAt*ms-100*ms })
	s.add(endAt-100, results.LoadAnswers, 40, results.One, "bin", "0.04")
	s.due(endAt-100, 0, same(40, 1000)...)
	expect(t, []Service{one(t, s.records, windows())}, within("load.lost", 0.3, 0.3, 0.36), is("load.noise", 0))
}

func TestHistogramsThatDoNotFit(t *testing.T) {
	s := outage(t)
	s.due(baselineAt, 0, 1000)
	s.records = slices.DeleteFunc(s.records, func(r results.Record) bool {
		return r.Name == results.LoadLatency && r.Time == baselineAt*ms && r.Attrs["count"] == "100"
	})
	s.add(afterAt, results.LoadLatency, 1, results.Seconds, "histogram", "rubbish")
	x := one(t, s.records, windows())
	expect(t, []Service{x}, unknown("load.p50.baseline", "do not hold as many"))
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "1 records could not be read") {
		t.Errorf("warnings %q", x.Warnings)
	}
}

func TestClientThatIsLateIsSaid(t *testing.T) {
	s := outage(t)
	for _, r := range s.records {
		if r.Name == results.LoadLatency && r.Time == stopAt*ms {
			r.Attrs["late"] = "0.03"
		}
	}
	s.add(13_000, results.LoadReconnect, 0, results.Event, "error", "reset")
	x := one(t, s.records, windows())
	if text := strings.Join(x.Warnings, "\n"); !strings.Contains(text, "30.00 ms late") || !strings.Contains(text, "1 connections broke") {
		t.Errorf("warnings %q", x.Warnings)
	}
}

func TestTwoClientsHaveNamesOfTheirOwn(t *testing.T) {
	s := outage(t)
	s.kind = "bulk"
	for at := int64(baselineAt); at < endAt; at += 100 {
		s.add(at, results.LoadBytes, 5, results.Bytes)
	}
	services, err := Build(s.records, windows())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, services, is("load.kv.lost", 0.3), is("load.bulk.lost", 0))
}

func TestStream(t *testing.T) {
	s := &scene{t: t, kind: "stream"}
	s.add(baselineAt, results.LoadInfo, 0, results.Event, "rate", "10000")
	for at := int64(baselineAt); at < endAt; at += 100 {
		s.add(at, results.LoadBytes, 1000, results.Bytes)
	}
	s.add(11_000, results.StreamStall, 0.2, results.Seconds)
	s.add(11_500, results.StreamLost, 2, results.One)
	s.add(12_600, results.StreamStall, 0.5, results.Seconds)
	s.add(13_600, results.StreamStall, 0.25, results.Seconds)
	s.add(14_900, results.StreamStall, 0.7, results.Seconds) // 100 ms of it are within the span
	s.add(13_000, results.StreamLost, 7, results.One)
	s.add(16_000, results.StreamLost, 7, results.One)
	expect(t, []Service{one(t, s.records, windows())}, atLeast("load.stalls", 3), atLeast("load.rebuffering", 0.85), atLeast("load.datagrams.lost", 7))
	s.add(17_000, results.StreamReceived, 5000, results.One, "late", "4", "duplicate", "0")
	x := one(t, s.records, windows())
	expect(t, []Service{x},
		is("load.stalls", 3), is("load.stalls.baseline", 1), is("load.rebuffering", 0.85), is("load.datagrams.lost", 7), is("load.datagrams.lost.baseline", 2),
		is("load.kept-up", 1), is("load.throughput.action", 10_000))
	if x.Stream.Late.Value != 4 || len(x.Warnings) != 1 {
		t.Errorf("late %+v, warnings %q", x.Stream.Late, x.Warnings)
	}
	s.add(14_950, results.StreamStall, 0.01, results.Seconds, "open", "true")
	expect(t, []Service{one(t, s.records, windows())}, atLeast("load.rebuffering", 0.86))
}

// streaming is a client's stream that came until then, and what it said at its end.
func streaming(t *testing.T, until int64, received float64, attrs ...string) Service {
	s := &scene{t: t, kind: "stream"}
	s.add(baselineAt, results.LoadInfo, 0, results.Event, "rate", "10000")
	for at := int64(baselineAt); at < endAt; at += 100 {
		n := 0.0
		if at < until {
			n = 1000
		}
		s.add(at, results.LoadBytes, n, results.Bytes)
	}
	s.add(endAt+100, results.StreamReceived, received, results.One, append([]string{"late", "0", "duplicate", "0"}, attrs...)...)
	return one(t, s.records, windows())
}

// What never came was not lost, nor did it stall: nothing is known of it.
func TestStreamThatNeverCame(t *testing.T) {
	x := streaming(t, 0, 0)
	var list []expectation
	for _, name := range []string{"stalls", "stalls.baseline", "rebuffering", "datagrams.lost", "datagrams.lost.baseline"} {
		list = append(list, unknown("load."+name, "no datagram"))
	}
	expect(t, []Service{x}, list...)
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "no datagram of the stream came") || x.Stream.Late.Known {
		t.Errorf("warnings %q, late %+v", x.Warnings, x.Stream.Late)
	}
}

// Of a stream that stays dead the client sees no gap: that what follows never came.
func TestStreamThatStaysDead(t *testing.T) {
	x := streaming(t, 13_000, 3000, "silent", "2.1", "interval", "0.001", "played", "5")
	expect(t, []Service{x}, unknown("load.datagrams.lost", "nothing came any more"), is("load.datagrams.lost.baseline", 0))
	x = streaming(t, 11_000, 1000, "silent", "4.1", "interval", "0.001", "played", "5")
	expect(t, []Service{x}, unknown("load.datagrams.lost", "nothing came any more"), unknown("load.datagrams.lost.baseline", "nothing came any more"))
	for _, silent := range []string{"0.15", "0.95"} {
		interval := "0.001"
		if silent == "0.95" {
			interval = "0.1" // a slow stream
		}
		x = streaming(t, endAt, 5000, "silent", silent, "interval", interval, "played", "5")
		expect(t, []Service{x}, is("load.datagrams.lost", 0))
	}
}

// A player that never began stood still all the time, and one that began in the action until then.
func TestPlayerThatNeverBegan(t *testing.T) {
	x := streaming(t, endAt, 5, "silent", "0", "interval", "0.001")
	expect(t, []Service{x}, is("load.rebuffering", 3), unknown("load.stalls", "never began"), unknown("load.stalls.baseline", "never began"))
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "never began") {
		t.Errorf("warnings %q", x.Warnings)
	}
	x = streaming(t, endAt, 5, "silent", "0", "interval", "0.001", "played", "2.6") // since 12.5 s
	expect(t, []Service{x}, is("load.rebuffering", 0.5), is("load.stalls", 0))
}

func TestWindowsAreChecked(t *testing.T) {
	for name, w := range map[string]Windows{
		"no action": {},
		"backwards": {Action: Window{5, 3}},
		"overlap":   {Baseline: Window{1, 5}, Action: Window{4, 8}},
		"after":     {Action: Window{4, 8}, After: Window{7, 9}},
		"too late":  {Action: Window{4, math.MaxInt64}},
	} {
		if _, err := Build(nil, w); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Build([]results.Record{{Time: -1}}, windows()); err == nil {
		t.Error("a record before 1970 is no error")
	}
	if services, err := Build(nil, windows()); err != nil || len(services) != 0 {
		t.Errorf("no records: %v, %v", services, err)
	}
}

// Whatever the records say, nothing breaks, and what is known is a number.
func FuzzBuild(f *testing.F) {
	f.Add(int64(10_000), 100.0, "0.1", "1", "5,3", uint8(0))
	f.Add(int64(12_345), 1e300, "1e-9", "x", "", uint8(5))
	f.Add(int64(11_000), 1e308, "1e14", "x", "", uint8(10))
	f.Add(int64(11_000), 1e308, "0.1", "x", "", uint8(11))
	small := &scene{kind: "redis"}
	for at := int64(baselineAt); at < endAt; at += 100 {
		small.add(at, results.LoadAnswers, 30, results.One)
		small.add(at, results.LoadRequests, 31, results.One, "outcome", "ok")
	}
	base := small.records
	f.Fuzz(func(t *testing.T, at int64, v float64, width, late, counts string, which uint8) {
		names := []string{
			results.LoadAnswers, results.LoadBytes, results.LoadRequests, results.LoadLatency, results.StreamStall, results.GuestDirtied,
			results.GuestWork, results.GuestDiskTimes, results.GuestAsked, results.LoadInfo,
			results.StreamReceived, results.BenchmarkResult, results.BenchmarkFailed,
		}
		s := &scene{t: t, kind: "redis", records: slices.Clone(base)}
		for i := range int64(20) {
			s.add(at%20_000+i*137, names[int(which)%len(names)], v*float64(i), results.One, "bin", width, "late", late, "counts", counts,
				"outcome", "ok", "mono", strconv.FormatInt(at+i*ms, 10), "bytes", width, "rate", late, "silent", width, "played", late,
				"test", "SET", "stat", "rps", "duration", width)
			if int(which)%len(names) > 10 {
				s.records[len(s.records)-1].Source = results.SourceBenchmark
			}
		}
		services, err := Build(s.records, windows())
		if err != nil {
			return
		}
		for _, m := range Metrics(services) {
			if m.Known && (math.IsNaN(m.Value) || math.IsInf(m.Value, 0)) {
				t.Fatalf("%s is %v", m.Name, m.Value)
			}
			if !m.Known && m.Why == "" {
				t.Fatalf("%s is unknown without a reason", m.Name)
			}
		}
		if _, err := json.Marshal(services); err != nil {
			t.Fatal(err)
		}
	})
}
