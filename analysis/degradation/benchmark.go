package degradation

import (
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Benchmark is what redis-benchmark itself told: it asks in a closed loop, pass after pass, each of one test after the other.
// A pass that was under way in the action belongs to it, even if it ended later; those of the baseline and of the time after
// lie in them whole. Of the passes of a window it is the median.
type Benchmark struct {
	Tests []BenchmarkTest `json:"tests"`
	// Failed is how many passes failed from the baseline's begin to the end of the span, FirstError the first one's error.
	Failed     int    `json:"failed"`
	FirstError string `json:"first_error,omitempty"`
}

// A BenchmarkTest is one test's figures.
type BenchmarkTest struct {
	Name     string        `json:"name"` // SET, GET
	Baseline BenchmarkPass `json:"baseline"`
	Action   BenchmarkPass `json:"action"`
	After    BenchmarkPass `json:"after"`
}

// BenchmarkPass is the median over the passes of a window.
type BenchmarkPass struct {
	Passes int               `json:"passes"`
	RPS    quantity.Quantity `json:"rps"` // 1/s
	P50    quantity.Quantity `json:"p50"` // s
	P99    quantity.Quantity `json:"p99"` // s
}

// benchmarkTests are those that the probe asks for.
var benchmarkTests = []string{"SET", "GET"}

// benchmark finds what redis-benchmark told; nil if it did not run.
func benchmark(records []results.Record, w Windows) *Benchmark {
	var told []results.Record
	b := &Benchmark{}
	ran, first := false, int64(0)
	begin := w.Action.From
	if w.Baseline.length() > 0 {
		begin = w.Baseline.From
	}
	for _, r := range records {
		if r.Source != results.SourceBenchmark {
			continue
		}
		ran = true
		switch {
		case r.Name == results.BenchmarkResult:
			told = append(told, r)
		case r.Name == results.BenchmarkFailed && r.Time >= begin && r.Time <= w.span().To:
			b.Failed++
			if first == 0 || r.Time < first {
				first, b.FirstError = r.Time, r.Attrs["error"]
			}
		}
	}
	if !ran {
		return nil
	}
	for _, test := range benchmarkTests {
		of := slices.DeleteFunc(slices.Clone(told), func(r results.Record) bool { return r.Attrs["test"] != test })
		b.Tests = append(b.Tests, BenchmarkTest{
			test, medians(of, w.inBaseline, "lies whole in the baseline"), medians(of, w.inAction, "that was under way in the action ended"),
			medians(of, w.inAfter, "lies whole in the time after the action"),
		})
	}
	return b
}

// medians are those over the passes of one window.
func medians(records []results.Record, in func(bin) bool, none string) BenchmarkPass {
	values := map[string][]float64{}
	for _, r := range records {
		long, ok := number(r.Attrs["duration"])
		if ok && r.Value >= 0 && in(bin{from: r.Time - int64(min(long, longestTrial)*1e9), to: r.Time}) {
			values[r.Attrs["stat"]] = append(values[r.Attrs["stat"]], r.Value)
		}
	}
	of := func(stat string, u results.Unit) quantity.Quantity {
		list := values[stat]
		if len(list) == 0 {
			return quantity.Unknown(u, "no pass of redis-benchmark "+none)
		}
		slices.Sort(list)
		n := len(list)
		return quantity.Exactly((list[(n-1)/2]+list[n/2])/2, u)
	}
	return BenchmarkPass{len(values["rps"]), of("rps", PerSecond), of("p50", results.Seconds), of("p99", results.Seconds)}
}

// addBenchmark gives what redis-benchmark told to the service that it asked beside: the load client's, or else the guest's own.
func addBenchmark(services []Service, records []results.Record, w Windows) {
	i := slices.IndexFunc(services, func(s Service) bool { return s.Kind == "redis" })
	if i < 0 {
		return
	}
	b := benchmark(records, w)
	services[i].Benchmark = b
	if b != nil && b.Failed > 0 {
		services[i].Warnings = append(services[i].Warnings, fmt.Sprintf("redis-benchmark: %d of its passes failed and are left out: %s", b.Failed, b.FirstError))
	}
}

// metrics are named benchmark.TEST.STAT.WINDOW.
func (b *Benchmark) metrics() []Metric {
	var list []Metric
	for _, t := range b.Tests {
		for _, x := range []struct {
			window string
			p      BenchmarkPass
		}{{"baseline", t.Baseline}, {"action", t.Action}, {"after", t.After}} {
			add := func(stat string, q quantity.Quantity) {
				list = append(list, Metric{"benchmark." + t.Name + "." + stat + "." + x.window, q})
			}
			add("rps", x.p.RPS)
			add("p50", x.p.P50)
			add("p99", x.p.P99)
		}
	}
	return list
}
