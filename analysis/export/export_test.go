package export

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"github.com/parquet-go/parquet-go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/perf/benchfmt"
)

// three trials: one whole, one that failed, one of which little is known.
func three() dataset.Set {
	trial := func(id, level string, v results.Verdict, metrics ...metric.Metric) dataset.Trial {
		return dataset.Trial{
			Trial:   results.Trial{ID: id, Order: 1, Replicate: 1, Treatment: "rate=" + level, Levels: []results.Level{{Factor: "workload.rate", Value: level}}},
			Attempt: 1, Verdict: v, Readable: true, Begin: time.Unix(1, 5), Metrics: metrics,
		}
	}
	total := func(q quantity.Quantity) metric.Metric { return metric.Metric{Name: "total", Quantity: q} }
	set := dataset.Set{Name: `a "b", c`, Manifest: results.Manifest{Name: "x-y", Factors: []results.Factor{{Path: "workload.rate", Levels: []string{"4MiB/s", "50% & _"}}}}}
	set.Trials = []dataset.Trial{
		trial("1", "4MiB/s", results.Completed, total(quantity.Within(2.5, 2.4, 2.6, results.Seconds)), metric.Metric{Name: "rounds", Quantity: quantity.Exactly(3, results.One)}),
		trial("2", "50% & _", results.Failed, total(quantity.AtLeast(15, results.Seconds, "it did not end"))),
		trial("3", "4MiB/s", results.Completed, total(quantity.Unknown(results.Seconds, "nobody saw it"))),
	}
	return set
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is written is read by the format's own parser, and an unknown value is nowhere a number.

func TestBench(t *testing.T) {
	r := benchfmt.NewReader(strings.NewReader(written(t, func(w io.Writer) error { return Bench(w, three()) })), "x")
	var got []string
	for r.Scan() {
		line, ok := r.Result().(*benchfmt.Result)
		if !ok {
			if e, bad := r.Result().(*benchfmt.SyntaxError); bad {
				t.Error(e)
			}
			continue
		}
		total, known := line.Value("total-sec")
		failed, _ := line.Value("failed-count")
		got = append(got, line.Name.String())
		switch len(got) {
		case 1:
			if !known || total != 2.5 || failed != 0 {
				t.Errorf("%v %v %v", total, known, failed)
			}
		case 2:
			if known || failed != 1 {
				t.Error("a censored value stands as if it were measured")
			}
		case 3:
			if known {
				t.Error("an unknown value is a number")
			}
		}
	}
	if len(got) != 3 || got[0] != "X_y/rate=4MiB_s" {
		t.Errorf("%q", got)
	}
}

func TestOpenMetrics(t *testing.T) {
	text := written(t, func(w io.Writer) error { return OpenMetrics(w, three()) })
	if !strings.HasSuffix(text, "# EOF\n") || strings.Count(text, "# UNIT virtscope_total_seconds seconds\n") != 1 {
		t.Error(text)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	f := families["virtscope_total_seconds"]
	if f == nil || len(f.Metric) != 2 || f.Metric[0].GetGauge().GetValue() != 2.5 {
		t.Fatalf("%v", families)
	}
	labels := map[string]string{}
	for _, l := range f.Metric[1].Label {
		labels[l.GetName()] = l.GetValue()
	}
	if labels["run"] != `a "b", c` || labels["censored"] != "true" || labels["factor_workload_rate"] != "50% & _" {
		t.Errorf("%v", labels)
	}
}

func TestLine(t *testing.T) {
	stored := points(t, written(t, func(w io.Writer) error { return Line(w, three()) }))
	if len(stored) != 2 {
		t.Errorf("%d lines: a trial of which nothing is known has none", len(stored))
	}
	censored := 0
	for key, fields := range stored {
		if !strings.Contains(key, ` run="a \"b\", c"`) || !strings.HasSuffix(key, " 1000000005") {
			t.Error(key)
		}
		if fields["total"] == 15.0 && fields["total.censored"] == true {
			censored++
		}
	}
	if censored != 1 {
		t.Errorf("%v", stored)
	}
	records := []results.Record{{Time: 7, Host: "src", Name: "a b", Value: 1.5, Unit: results.Bytes, Attrs: map[string]string{"k": `x "y"`}}}
	text := written(t, func(w io.Writer) error { return LineRecords(w, "r", "t,1", records) })
	if want := `virtscope_record,host=src,name=a\ b,run=r,trial=t\,1 value=1.5,unit="B",attr.k="x \"y\"" 7` + "\n"; text != want {
		t.Errorf("%s, want %s", text, want)
	}
}

func TestParquet(t *testing.T) {
	text := written(t, func(w io.Writer) error { return Parquet(w, three()) })
	rows, err := parquet.Read[parquetMetric](strings.NewReader(text), int64(len(text)))
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := rows[0]; *r.Value != 2.5 || *r.High != 2.6 || r.Levels["workload.rate"] != "4MiB/s" {
		t.Errorf("%+v", r)
	}
	if r := rows[2]; *r.Value != 15 || r.High != nil || !r.Censored || r.Verdict != "failed" {
		t.Errorf("%+v", r)
	}
	if r := rows[3]; r.Value != nil || r.Low != nil || r.Why != "nobody saw it" {
		t.Errorf("%+v", r)
	}
}

func TestRecordsKeepTheirNanoseconds(t *testing.T) {
	var b bytes.Buffer
	w := NewRecordWriter(&b)
	const at = 1_790_000_000_123_456_789
	var want []results.Record
	for i := range 10_000 {
		want = append(want, results.Record{Time: at + int64(i), Host: "src", Source: "s", Name: "n", Value: float64(i), Unit: results.Seconds, Attrs: map[string]string{"i": "x"}})
	}
	if err := errors.Join(w.Write("t", want), w.Close()); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[parquetRecord](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, r := range rows {
		if r.Time != want[i].Time || *r.Value != want[i].Value || r.Attrs["i"] != "x" || r.Trial != "t" {
			t.Fatalf("row %d: %+v", i, r)
		}
	}
}

func TestTables(t *testing.T) {
	text := written(t, func(w io.Writer) error { return LaTeX(w, three(), []string{"total"}, 0.95) })
	for _, want := range []string{`\toprule`, `rate=50\% \& \_ & 1 & $\ge$ 15.00 \\`, `total migration time (s)`, `rate=4MiB/s & 2 & 2.500 {\footnotesize ($n=1$)} \\`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
	text = written(t, func(w io.Writer) error { return PGFPlots(w, three(), []string{"total"}, 0.95) })
	if !strings.Contains(text, "{4MiB/s} 1 2.5 nan nan 2.5 nan 0\n") || !strings.Contains(text, "{50% & _} 1 nan nan nan nan nan 1\n") {
		t.Error(text)
	}
}

func TestCSVHasNoZeroForUnknown(t *testing.T) {
	set, err := dataset.ReadCSV(strings.NewReader(written(t, func(w io.Writer) error { return CSV(w, three()) })), "x")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range three().Trials {
		got := set.Trials[i]
		for j, m := range want.Metrics {
			g := got.Metrics[j]
			if g.Known != m.Known || g.Censored != m.Censored || g.Why != m.Why || m.Known && math.Abs(g.Value-m.Value) > 0 {
				t.Errorf("%+v is not %+v", g, m)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	set, names, err := Choose(three(), []string{"rounds"})
	if err != nil || len(names) != 1 || len(set.Trials[0].Metrics) != 1 || set.Trials[0].Metrics[0].Name != "rounds" {
		t.Errorf("%v %v", names, err)
	}
	if _, names, _ := Choose(three(), nil); len(names) != 1 || names[0] != "total" {
		t.Errorf("headlines are %v", names)
	}
	if _, _, err := Choose(three(), []string{"speed"}); err == nil || !strings.Contains(err.Error(), "this run has total, rounds") {
		t.Errorf("%v", err)
	}
}
