package report

import (
	"math"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// Every kind answers for sets of which little is known: it draws what there is, or says why not.
func TestPlotsOfLittle(t *testing.T) {
	two := []results.Factor{wayFactor, rateFactor}
	for name, c := range map[string]struct {
		set   dataset.Set
		draws string // kinds
		says  string // in a caption, or in the error of each kind
	}{
		"one trial":   {made(two, [][]string{{"precopy", "4MiB/s"}}, [][]float64{{3}}), "box ecdf line bars heatmap interaction drift", "n = 1 is too small"},
		"all failed":  {made(two, [][]string{{"precopy", "4MiB/s"}, {"postcopy", "4MiB/s"}}, [][]float64{{-15, -15, -16}, {-15}}), "box ecdf line bars heatmap interaction drift", "failed or was not seen to end"},
		"all unknown": {made(two, [][]string{{"precopy", "4MiB/s"}}, [][]float64{{math.NaN(), math.NaN()}}), "", "nobody looked"},
		"zero alone":  {made(two, [][]string{{"precopy", "4MiB/s"}, {"precopy", "16MiB/s"}}, [][]float64{{0, 0}, {0, 0}}), "box ecdf line bars heatmap interaction qq drift", "n = 2 is too small"},
		"empty":       {dataset.Set{Name: "empty", Manifest: results.Manifest{Factors: two}}, "", "no trial counts"},
	} {
		said := false
		for _, kind := range PlotKinds() {
			if NeedsRecords(kind) {
				continue
			}
			list, err := DrawSet(c.set, Plot{Kind: kind})
			if draws := strings.Contains(c.draws, kind); draws != (err == nil) {
				t.Errorf("%s, %s: %v", name, kind, err)
				continue
			}
			if err != nil {
				said = said || strings.Contains(err.Error(), c.says)
				continue
			}
			for _, f := range list {
				said = said || strings.Contains(f.Caption, c.says)
				if len(texts(t, f)) == 0 {
					t.Errorf("%s, %s: there is no text", name, kind)
				}
			}
		}
		if !said {
			t.Errorf("%s: nothing says %q", name, c.says)
		}
	}
}

func TestPlotErrors(t *testing.T) {
	set := twoByThree()
	named := made([]results.Factor{wayFactor}, [][]string{{"precopy"}, {"postcopy"}}, [][]float64{{1, 2}, {3, 4}})
	for _, c := range []struct {
		set  dataset.Set
		p    Plot
		want string
	}{
		{set, Plot{Kind: "pie"}, "use box, ecdf"},
		{set, Plot{Kind: "box", Metric: "totals"}, `no trial has the metric "totals"`},
		{set, Plot{Kind: "box", X: "guest.vcpus"}, "its factors are action.migrate.algorithm (2 levels), workload.rate (3 levels, numbers)"},
		{set, Plot{Kind: "bars", X: rateFactor.Path, By: rateFactor.Path}, "name two factors"},
		{set, Plot{Kind: "ecdf", X: rateFactor.Path}, "has no x"},
		{set, Plot{Kind: "gantt"}, "name the run's folder"},
		{set, Plot{Kind: "line", X: wayFactor.Path}, "needs a factor of numbers"},
		{named, Plot{Kind: "line"}, "use box, bars or interaction"},
		{named, Plot{Kind: "heatmap"}, "needs two factors"},
	} {
		if _, err := DrawSet(c.set, c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.p, err, c.want)
		}
	}
	mixed := twoByThree()
	mixed.Trials[0].Metrics[0].Unit = results.Bytes
	if _, err := DrawSet(mixed, Plot{Kind: "box"}); err == nil {
		t.Error("two units on one axis")
	}
}

func TestLevelValue(t *testing.T) {
	for _, c := range []struct {
		level string
		value float64
		unit  results.Unit
		ok    bool
	}{
		{"8MiB/s", 8 << 20, results.BytesPerSecond, true},
		{"1Gbit/s", 1.25e8, results.BytesPerSecond, true},
		{"512MiB", 512 << 20, results.Bytes, true},
		{"1m30s", 90, results.Seconds, true},
		{"2.5", 2.5, results.One, true},
		{"0", 0, results.One, true},
		{"precopy", 0, "", false},
		{"", 0, "", false},
		{"NaN", 0, "", false},
		{"8 MiB", 0, "", false},
		{"true", 0, "", false},
		{"5", 5, results.One, true},
		{"10B", 10, results.Bytes, true},
	} {
		if v, u, ok := levelValue(c.level); v != c.value || u != c.unit || ok != c.ok {
			t.Errorf("%q: %v %s %t", c.level, v, u, ok)
		}
	}
	if levelValues([]string{"1s", "1MiB"}) != nil {
		t.Error("times and amounts are on one axis")
	}
	if got := levelValues([]string{"0", "10ms"}); len(got) != 2 || got[1] != 0.01 {
		t.Errorf("a bare 0 with times: %v", got)
	}
}

func FuzzLevelValue(f *testing.F) {
	for _, s := range []string{"8MiB/s", "1e999", "NaN", "1h", "0", "9999999999999999999999TiB", "-1s", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, _, ok := levelValue(s); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			t.Errorf("%q is %v", s, v)
		}
	})
}

// Figures that are asked for take the place of those that the design suggests; one that cannot be drawn is told.
func TestRunPlots(t *testing.T) {
	r := sample(t)
	names := func(list []Figure) string {
		var all []string
		for _, f := range list {
			all = append(all, f.Name)
		}
		return strings.Join(all, " ")
	}
	if got := names(runFigures(r)); got != "phases outages compare-downtime compare-bytes-payload line-total" {
		t.Errorf("by default: %s", got)
	}
	r.Plots = []Plot{
		{Kind: "box", Metric: timeline.Downtime},
		{Kind: "box", Metric: timeline.Downtime, By: "workload.rate"},
		{Kind: "heatmap"},
		{Kind: "phases"},
		{Kind: "predicted"},
		{Kind: "gantt"},
		{Kind: "bars", Metric: "nonsense"},
	}
	if got := names(runFigures(r)); got != "phases outages box-downtime box-downtime-again-2 migration-phases predicted-total gantt" {
		t.Errorf("asked for: %s", got)
	}
	remarks := strings.Join(r.remarks(), "\n")
	for _, want := range []string{"figure heatmap of plots was not drawn: a figure of kind heatmap needs two factors", `figure bars of plots was not drawn: no trial has the metric "nonsense"`} {
		if !strings.Contains(remarks, want) {
			t.Errorf("the remarks do not say %q:\n%s", want, remarks)
		}
	}
	series, err := DrawPlot(r, Plot{Kind: "timeseries"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range series {
		if strings.HasPrefix(f.Name, "throughput") && !strings.Contains(strings.Join(texts(t, f), "|"), "round begins") {
			t.Errorf("%s does not show the rounds", f.Name)
		}
	}
}

// Every metric that a trial ever had may be named in plots.
func TestWantMetric(t *testing.T) {
	for _, name := range []string{"algorithms", "checkpoint", "deploy", "failures", "fifty"} {
		for _, m := range evidence(t, name).Metrics() {
			if want := WantMetric(m); want != "" {
				t.Errorf("%s: %s", m, want)
			}
		}
	}
	if WantMetric("totla") == "" || WantMetric("") == "" {
		t.Error("what is no metric is taken for one")
	}
}

// No text is smaller than can be read in print, and a figure is as wide as a column.
func TestPrintable(t *testing.T) {
	if smallText < 7 || normalText < 7 || columnWidth > 84.01*72/25.4 {
		t.Errorf("text of %v and %v points, %v wide", smallText, normalText, columnWidth)
	}
}
