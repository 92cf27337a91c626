package report

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// made is a set by treatment: values of total, a negative one censored, NaN not known.
func made(factors []results.Factor, treatments [][]string, values [][]float64) dataset.Set {
	set := dataset.Set{Name: "made", Manifest: results.Manifest{Factors: factors}}
	n := 0
	for i, levels := range treatments {
		for k, v := range values[i] {
			n++
			trial := dataset.Trial{Readable: true, Verdict: results.Completed, Trial: results.Trial{
				ID: fmt.Sprintf("%03d", n), Order: n, Replicate: k + 1, Treatment: strings.Join(levels, ","),
			}}
			for j, l := range levels {
				trial.Levels = append(trial.Levels, results.Level{Factor: factors[j].Path, Value: l})
			}
			q := quantity.Exactly(v, results.Seconds)
			switch {
			case math.IsNaN(v):
				q = quantity.Unknown(results.Seconds, "nobody looked")
			case v < 0:
				q, trial.Verdict = quantity.AtLeast(-v, results.Seconds, "it failed"), results.Failed
			}
			trial.Metrics = []metric.Metric{{Name: timeline.TotalTime, Quantity: q}}
			set.Trials = append(set.Trials, trial)
		}
	}
	return set
}

var (
	rateFactor = results.Factor{Path: "workload.rate", Levels: []string{"16MiB/s", "512KiB/s", "4MiB/s"}}
	wayFactor  = results.Factor{Path: "action.migrate.algorithm", Levels: []string{"precopy", "postcopy"}}
)

// twoByThree has six known values in one treatment, a censored and an unknown one in others, and one treatment that was not run.
func twoByThree() dataset.Set {
	return made([]results.Factor{wayFactor, rateFactor}, [][]string{
		{"precopy", "16MiB/s"}, {"precopy", "512KiB/s"}, {"precopy", "4MiB/s"}, {"postcopy", "4MiB/s"}, {"postcopy", "512KiB/s"},
	}, [][]float64{
		{-15, -15, 9}, {1, 1.1, 1.2, 1.3, 1.4, 1.5}, {2, 2.1, math.NaN()}, {3, 3.2, 3.1, 3, 9}, {math.NaN()},
	})
}

func chartOf(t *testing.T, set dataset.Set, p Plot) chart {
	t.Helper()
	if p.Metric == "" {
		p.Metric = timeline.TotalTime
	}
	list, err := newCharts(set, p)
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// texts are what an SVG says, in the order in which it is drawn.
func texts(t *testing.T, f Figure) []string {
	t.Helper()
	var svg bytes.Buffer
	if err := f.WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(svg.String(), "NaN") || strings.Contains(svg.String(), "Inf") {
		t.Errorf("%s holds what is no number", f.Name)
	}
	var list []string
	for _, m := range regexp.MustCompile(`(?s)<text[^>]*>(.*?)</text>`).FindAllStringSubmatch(svg.String(), -1) {
		list = append(list, strings.TrimSpace(m[1]))
	}
	return list
}

// TestPlotsSay compares what figures of real trials and of a small made set say with a listing.
func TestPlotsSay(t *testing.T) {
	sets := []dataset.Set{twoByThree(), evidence(t, "algorithms"), evidence(t, "deploy")}
	var b strings.Builder
	for _, set := range sets {
		for _, kind := range PlotKinds() {
			if NeedsRecords(kind) {
				continue
			}
			list, err := DrawSet(set, Plot{Kind: kind})
			if err != nil {
				fmt.Fprintf(&b, "%s %s: error: %v\n\n", filepath.Base(set.Name), kind, err)
				continue
			}
			for _, f := range list {
				fmt.Fprintf(&b, "%s %s\n  %s\n  %s\n  %s\n\n", filepath.Base(set.Name), f.Name, f.Title, f.Caption, strings.Join(texts(t, f), " | "))
			}
		}
	}
	golden(t, "plots.txt", []byte(b.String()))
}

func evidence(t *testing.T, name string) dataset.Set {
	t.Helper()
	f, err := os.Open(filepath.Join("../../docs/evidence", name, "trials.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.ReadCSV(in, name)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Levels stand in the order of their amounts, whatever the order of the file; a treatment that was not run has no place.
func TestChartPlaces(t *testing.T) {
	c := chartOf(t, twoByThree(), Plot{Kind: "line"})
	if got := strings.Join(c.x.levels, " "); c.x.path != rateFactor.Path || got != "512KiB/s 4MiB/s 16MiB/s" {
		t.Errorf("x is %s: %s", c.x.path, got)
	}
	var got []string
	for _, r := range c.rows {
		got = append(got, fmt.Sprintf("%d,%d n=%d", r.x, r.by, r.summary.Known))
	}
	if want := "0,0 n=6|1,0 n=2|2,0 n=3|0,1 n=0|1,1 n=5"; strings.Join(got, "|") != want {
		t.Errorf("rows %s, want %s", strings.Join(got, "|"), want)
	}
}

func TestBoxRows(t *testing.T) {
	rows := boxRows(chartOf(t, twoByThree(), Plot{Kind: "box"}))
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s/%s/%t/%d", r.head, r.label, r.box, len(r.dots(newValueAxis([]float64{1, 15}, results.Seconds, false), 0, look{}))))
	}
	want := []string{
		"algorithm precopy/512KiB/s, n=6/true/6", "/4MiB/s, n=2 +1?/false/2", "/16MiB/s, n=3/false/3",
		"algorithm postcopy/512KiB/s, n=0 +1?/false/0", "/4MiB/s, n=5/true/5",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q\nwant %q", got, want)
	}
	last := rows[len(rows)-1] // 3 3 3.1 3.2 9: quartiles 3 and 3.2, and 9 is beyond the whisker
	if last.least != 3 || last.most != 3.2 {
		t.Errorf("whiskers %v to %v", last.least, last.most)
	}
}

// Of censored data the distribution is Kaplan and Meier's, and stops at the last that was seen.
func TestECDF(t *testing.T) {
	c := chartOf(t, made(nil, [][]string{{}}, [][]float64{{1, 2, -2.5, 3, -4}}), Plot{Kind: "ecdf"})
	cv := newECDF(c.rows[0])
	want := []float64{0.2, 0.4, 0.7} // 1 − 4/5 · 3/4 · 1/2
	for i, s := range cv.steps {
		if math.Abs(s.Y-want[i]) > 1e-12 {
			t.Errorf("at %v the share is %v, want %v", s.X, s.Y, want[i])
		}
	}
	if len(cv.steps) != 3 || len(cv.censored) != 2 || cv.censored[0].Y != cv.steps[1].Y {
		t.Errorf("%d steps, crosses %v", len(cv.steps), cv.censored)
	}
	plain := newECDF(chartOf(t, made(nil, [][]string{{}}, [][]float64{{2, 1, 2, 4}}), Plot{Kind: "ecdf"}).rows[0])
	if len(plain.steps) != 3 || plain.at(2) != 0.75 || plain.at(0.5) != 0 || plain.at(9) != 1 {
		t.Errorf("steps %v", plain.steps)
	}
}

func TestHeatMap(t *testing.T) {
	h := newHeatMap(chartOf(t, twoByThree(), Plot{Kind: "heatmap", X: rateFactor.Path, By: wayFactor.Path}))
	var got []string
	for _, row := range h.cells {
		for _, cell := range row {
			switch {
			case !cell.run:
				got = append(got, "blank")
			case !cell.known:
				got = append(got, "hatched")
			default:
				got = append(got, cell.text)
			}
		}
	}
	if want := "1.250 2.050 ≥ 15.00 hatched 3.100 blank"; strings.Join(got, " ") != want {
		t.Errorf("cells %q, want %q", strings.Join(got, " "), want)
	}
	for i := range heatColors[1:] {
		if luminance(heatColors[i+1]) >= luminance(heatColors[i]) {
			t.Errorf("colour %d is not darker than the one before", i+1)
		}
	}
}

func TestResiduals(t *testing.T) {
	list, left := residuals(chartOf(t, twoByThree(), Plot{Kind: "qq"}).rows)
	if len(list) != 6+2+5 || len(left) != 1 || !strings.Contains(left[0], "lower bound") {
		t.Errorf("%d residuals, left out %q", len(list), left)
	}
	sum := 0.0
	for i, r := range list {
		sum += r.value
		if i > 0 && (r.value < list[i-1].value || r.normal <= list[i-1].normal) {
			t.Errorf("residual %d is out of order", i)
		}
	}
	if math.Abs(sum) > 1e-9 || math.Abs(list[0].normal+list[len(list)-1].normal) > 1e-9 {
		t.Errorf("residuals add up to %v, quantiles from %v to %v", sum, list[0].normal, list[len(list)-1].normal)
	}
}

// A trend is drawn where there is one, through the middle of each treatment.
func TestDrift(t *testing.T) {
	rising := made(nil, [][]string{{}}, [][]float64{{1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8}})
	c := chartOf(t, rising, Plot{Kind: "drift"})
	trend := trendOf(c.rows)
	if !found(trend) {
		t.Fatalf("no trend in values that only rise: %+v", trend)
	}
	line := newTrendLine(c.rows[0].known(), trend.Slope.Value)
	if math.Abs(line.atFrom-1) > 1e-9 || math.Abs(line.atTo-1.8) > 1e-9 || line.from != 1 || line.to != 9 {
		t.Errorf("line %+v", line)
	}
	still := chartOf(t, made(nil, [][]string{{}}, [][]float64{{5, 4, 5, 6, 4, 6, 5, 4, 5}}), Plot{Kind: "drift"})
	if found(trendOf(still.rows)) {
		t.Error("a trend in values that have none")
	}
}
