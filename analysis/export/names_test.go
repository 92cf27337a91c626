package export

import (
	"io"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"golang.org/x/perf/benchfmt"
)

func ofLevels(levels ...results.Level) dataset.Set {
	return dataset.Set{Trials: []dataset.Trial{{
		Trial: results.Trial{ID: "1", Levels: levels}, Verdict: results.Completed, Readable: true,
		Metrics: []metric.Metric{{Name: "a.b", Quantity: quantity.Exactly(1, results.Seconds)}},
	}}}
}

// benchstat pools what has one name: no two levels may.
func TestLevelsAreNotPooled(t *testing.T) {
	seen := map[string]string{}
	for _, value := range []string{"+1", "-1", "1", "0.5", "0-5", "4MiB/s", "4MiB_s", "4MiB s", "α", "β", "a-8", "a", "a-", "a-b", "a-b-", "1-2-3", "%2D1", ""} {
		text := written(t, func(w io.Writer) error { return Bench(w, ofLevels(results.Level{Factor: "f", Value: value})) })
		r := benchfmt.NewReader(strings.NewReader(text), "x")
		if !r.Scan() {
			t.Fatalf("%q gives no benchmark:\n%s", value, text)
		}
		result, ok := r.Result().(*benchfmt.Result)
		if !ok {
			t.Fatalf("%q: %v", value, r.Result())
		}
		_, parts := result.Name.Parts()
		if len(parts) != 1 { // a number of processors would be another
			t.Errorf("%q has the parts %q", value, parts)
		}
		name := result.Name.String()
		if other, taken := seen[name]; taken {
			t.Errorf("%q and %q are both %s", value, other, name)
		}
		seen[name] = value
	}
}

func TestLevelsStayLegible(t *testing.T) {
	for value, want := range map[string]string{"4MiB/s": "4MiB_s", "stop-and-copy": "stop-and-copy", "-1": "%2D1", "+0.5": "+0.5", "1-2-3": "1-2%2D3"} {
		if got := benchLevel(value); got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}

func TestFactorsOfOneEndingAreToldApart(t *testing.T) {
	set := ofLevels(results.Level{Factor: "src.rate", Value: "1"}, results.Level{Factor: "dst.rate", Value: "2"}, results.Level{Factor: "x.memory", Value: "3"})
	if got := benchName(set, set.Trials[0]); got != "Run/src_rate=1/dst_rate=2/memory=3" {
		t.Error(got)
	}
}

func TestFamiliesAreNotMixed(t *testing.T) {
	set := ofLevels()
	set.Trials[0].Metrics = append(set.Trials[0].Metrics, metric.Metric{Name: "a_b", Quantity: quantity.Exactly(2, results.Seconds)})
	if err := OpenMetrics(io.Discard, set); err == nil || !strings.Contains(err.Error(), "a.b and a_b are both virtscope_a_b_seconds") {
		t.Errorf("%v", err)
	}
	set = ofLevels()
	set.Trials = append(set.Trials, set.Trials[0])
	set.Trials[1].Metrics = []metric.Metric{{Name: "a.b", Quantity: quantity.Exactly(2, results.Bytes)}}
	if err := OpenMetrics(io.Discard, set); err == nil || !strings.Contains(err.Error(), "has a.b in B, others in s") {
		t.Errorf("%v", err)
	}
}
