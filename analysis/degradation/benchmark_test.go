package degradation

import (
	"strconv"
	"strings"
	"testing"
	"virtscope/results"
)

// told adds the figures of a pass of one test.
func (s *scene) told(from, to int64, test string, rps, p50, p99 float64) {
	for _, f := range []struct {
		stat string
		v    float64
		u    results.Unit
	}{{"rps", rps, results.One}, {"p50", p50, results.Seconds}, {"p99", p99, results.Seconds}, {"max", 9, results.Seconds}} {
		s.add(to, results.BenchmarkResult, f.v, f.u, "test", test, "stat", f.stat, "duration", strconv.FormatFloat(seconds((to-from)*ms), 'g', -1, 64))
		s.records[len(s.records)-1].Source = results.SourceBenchmark
	}
}

func TestBenchmark(t *testing.T) {
	s := outage(t)
	s.kind = "redis"
	for i := range s.records {
		s.records[i].Attrs["kind"] = "redis"
	}
	if x := one(t, s.records, windows()); x.Benchmark != nil {
		t.Errorf("it did not run: %+v", x.Benchmark)
	}
	s.told(9_500, 10_100, "SET", 1, 9, 9) // began before the baseline
	s.told(10_200, 10_700, "SET", 900, 0.001, 0.004)
	s.told(10_700, 11_200, "SET", 1000, 0.003, 0.002)
	s.told(11_200, 11_700, "SET", 800, 0.002, 0.009)
	s.told(11_700, 12_300, "SET", 700, 0.005, 0.006)
	s.told(12_300, 14_200, "SET", 100, 0.007, 0.310) // across the action's end
	s.told(14_200, 14_800, "SET", 950, 0.001, 0.002)
	s.told(14_800, 15_400, "SET", 5, 5, 5) // beyond the observation
	s.told(10_200, 10_700, "GET", 1100, 0.001, 0.002)
	expect(
		t, []Service{one(t, s.records, windows())},
		is("benchmark.SET.rps.baseline", 900), is("benchmark.SET.p50.baseline", 0.002), is("benchmark.SET.p99.baseline", 0.004),
		is("benchmark.SET.rps.action", 400), is("benchmark.SET.p50.action", 0.006), is("benchmark.SET.p99.action", 0.158),
		is("benchmark.SET.rps.after", 950), is("benchmark.GET.p99.baseline", 0.002),
		unknown("benchmark.GET.rps.action", "no pass of redis-benchmark that was under way in the action ended"),
		unknown("benchmark.GET.p99.after", "no pass of redis-benchmark lies whole in the time after"),
	)
}

// Passes that failed are told, those that the workload's own end failed are not.
func TestBenchmarkFails(t *testing.T) {
	s := outage(t)
	for i := range s.records {
		s.records[i].Attrs["kind"] = "redis"
	}
	s.kind = "redis"
	for at, text := range map[int64]string{9_000: "warming up", 12_600: "connection reset", 13_700: "refused", 15_100: "its end"} {
		s.add(at, results.BenchmarkFailed, 0, results.Event, "error", text)
		s.records[len(s.records)-1].Source = results.SourceBenchmark
	}
	x := one(t, s.records, windows())
	if x.Benchmark == nil || x.Benchmark.Failed != 2 || len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "2 of its passes failed and are left out: connection reset") {
		t.Errorf("%+v, warnings %q", x.Benchmark, x.Warnings)
	}
	expect(t, []Service{x}, unknown("benchmark.SET.rps.baseline", "no pass"))
}
