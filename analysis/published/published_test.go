package published

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	algorithm = "action.migrate.algorithm"
	rate      = "workload.rate"
)

func at(alg, r string) []results.Level {
	return []results.Level{{Factor: algorithm, Value: alg}, {Factor: rate, Value: r}}
}

// cells are the values of one metric at one treatment. A NaN is not known, a negative number censored at its size.
type cells struct {
	metric string
	unit   results.Unit
	at     []results.Level
	values []float64
}

// makeSet is a run of two algorithms at three rates.
func makeSet(list ...cells) dataset.Set {
	set := dataset.Set{Manifest: results.Manifest{Factors: []results.Factor{
		{Path: algorithm, Levels: []string{"precopy", "xbzrle"}}, {Path: rate, Levels: []string{"4MiB/s", "16MiB/s", "64MiB/s"}},
	}}}
	for _, c := range list {
		for i, v := range c.values {
			id := fmt.Sprintf("%s-%s-r%d", c.at[0].Value, c.at[1].Value, i+1)
			var q quantity.Quantity
			switch {
			case math.IsNaN(v):
				q = quantity.Unknown(c.unit, "the guest did not arrive")
			case v < 0:
				q = quantity.AtLeast(-v, c.unit, "the migration did not complete")
			default:
				q = quantity.Exactly(v, c.unit)
			}
			m := metric.Metric{Name: c.metric, Quantity: q}
			found := false
			for j := range set.Trials {
				if set.Trials[j].ID == id {
					set.Trials[j].Metrics, found = append(set.Trials[j].Metrics, m), true
				}
			}
			if !found {
				set.Trials = append(set.Trials, dataset.Trial{
					Trial:   results.Trial{ID: id, Treatment: c.at[0].Value + "," + c.at[1].Value, Levels: c.at, Replicate: i + 1},
					Verdict: results.Completed, Readable: true, Metrics: []metric.Metric{m},
				})
			}
		}
	}
	return set
}

// six are replicates around a median of v.
func six(v float64) []float64 {
	return []float64{v * 0.98, v * 0.99, v * 0.995, v * 1.005, v * 1.01, v * 1.02}
}

func number(x float64) *float64 { return &x }

// exact gives the ratio of medians an interval of 1 % either way, so that the judgement alone is tested.
func exact(base, head stats.Sample) stats.Effect {
	r := stats.Summarise(head, 0.95).Median.Value / stats.Summarise(base, 0.95).Median.Value
	return stats.Effect{Value: r, Low: r * 0.99, High: r * 1.01, Confidence: 0.95, Known: true}
}

func run1() dataset.Set {
	return makeSet(
		cells{"downtime", results.Seconds, at("precopy", "4MiB/s"), six(0.1)},
		cells{"downtime", results.Seconds, at("precopy", "16MiB/s"), six(0.2)},
		cells{"downtime", results.Seconds, at("precopy", "64MiB/s"), six(3)},
		cells{"downtime", results.Seconds, at("xbzrle", "4MiB/s"), six(0.09)},
		cells{"downtime", results.Seconds, at("xbzrle", "16MiB/s"), []float64{0.08, 0.09, 0.1}},
		cells{"downtime", results.Seconds, at("xbzrle", "64MiB/s"), six(0.2)},
		cells{"total", results.Seconds, at("precopy", "64MiB/s"), []float64{-15, -15, -15, -15, -15, -15}},
		cells{"total", results.Seconds, at("xbzrle", "64MiB/s"), six(5)},
		cells{"pages.requested", results.One, at("xbzrle", "4MiB/s"), six(4096)},
		cells{"bytes.postcopy", results.Bytes, at("xbzrle", "4MiB/s"), []float64{1 << 20, math.NaN(), 2 << 20}},
	)
}

func all() [][]results.Level {
	var list [][]results.Level
	for _, a := range []string{"precopy", "xbzrle"} {
		for _, r := range []string{"4MiB/s", "16MiB/s", "64MiB/s"} {
			list = append(list, at(a, r))
		}
	}
	return list
}

func claims() []Claim {
	c := func(name string, kind Kind, metric string, comparable Comparable, where [][]results.Level, more func(*Claim)) Claim {
		out := Claim{Name: name, Kind: kind, Metric: metric, Where: where, Unit: "1", Factor: 1, Base: results.One, Source: "table 1", Comparable: comparable}
		if comparable != Yes {
			out.Why = "another machine"
		}
		if more != nil {
			more(&out)
		}
		return out
	}
	one := func(a, r string) [][]results.Level { return [][]results.Level{at(a, r)} }
	ms := func(v float64) func(*Claim) {
		return func(c *Claim) { c.Value, c.Unit, c.Factor, c.Base = number(v), "ms", 1e-3, results.Seconds }
	}
	against := func(a, r string, low, high *float64, unit string) func(*Claim) {
		return func(c *Claim) {
			c.Against, c.Low, c.High, c.Unit = one(a, r), low, high, unit
			if unit == "%" {
				c.Factor = 0.01
			}
		}
	}
	return []Claim{
		c("value held", Value, "downtime", Yes, one("precopy", "4MiB/s"), ms(101)),
		c("value missed", Value, "downtime", Yes, one("precopy", "16MiB/s"), ms(101)),
		c("value of few", Value, "downtime", Yes, one("xbzrle", "16MiB/s"), ms(101)),
		c("value not compared", Value, "downtime", No, one("precopy", "4MiB/s"), ms(60)),
		c("value of a censored median", Value, "total", Yes, one("precopy", "64MiB/s"), func(c *Claim) {
			c.Low, c.Unit, c.Base = number(10), "s", results.Seconds
		}),
		c("value in another unit", Value, "pages.requested", Yes, one("xbzrle", "4MiB/s"), ms(60)),
		c("value of nothing", Value, "boot.total", Yes, one("xbzrle", "4MiB/s"), ms(60)),
		c("ratio held", Ratio, "downtime", Yes, one("xbzrle", "64MiB/s"), against("precopy", "64MiB/s", number(0.05), number(0.1), "1")),
		c("ratio missed", Ratio, "downtime", Yes, one("xbzrle", "4MiB/s"), against("precopy", "4MiB/s", number(0.05), number(0.1), "1")),
		c("ratio in trend", Ratio, "downtime", InTrend, one("xbzrle", "4MiB/s"), against("precopy", "4MiB/s", number(0.05), number(0.1), "1")),
		c("ratio against the trend", Ratio, "downtime", InTrend, one("precopy", "4MiB/s"), against("xbzrle", "4MiB/s", number(0.05), number(0.1), "1")),
		c("ratio that points neither way", Ratio, "downtime", InTrend, one("xbzrle", "4MiB/s"), against("precopy", "4MiB/s", number(0.5), number(2), "1")),
		c("change in percent", Change, "downtime", Yes, one("xbzrle", "64MiB/s"), against("precopy", "64MiB/s", number(-94), number(-92), "%")),
		c("more", More, "downtime", InTrend, one("precopy", "64MiB/s"), against("precopy", "4MiB/s", nil, nil, "")),
		c("less", Less, "downtime", InTrend, one("precopy", "64MiB/s"), against("precopy", "4MiB/s", nil, nil, "")),
		c("share of pages", Share, "pages.requested", InTrend, one("xbzrle", "4MiB/s"), func(c *Claim) {
			c.Value, c.Unit, c.Factor, c.Of, c.OfName = number(21), "%", 0.01, 64<<20, "workload.working-set"
		}),
		c("share of bytes, some not known", Share, "bytes.postcopy", Yes, one("xbzrle", "4MiB/s"), func(c *Claim) {
			c.High, c.Unit, c.Factor, c.Of, c.OfName = number(50), "%", 0.01, 64<<20, "workload.working-set"
		}),
		c("share of seconds", Share, "downtime", Yes, one("xbzrle", "4MiB/s"), func(c *Claim) { c.Value, c.Of = number(1), 64 }),
		c("spread held", Spread, "downtime", Yes, all(), func(c *Claim) { c.Low = number(23) }),
		c("spread missed", Spread, "downtime", Yes, all(), func(c *Claim) { c.Low = number(50) }),
		c("each held", Each, "downtime", Yes, [][]results.Level{at("precopy", "4MiB/s"), at("precopy", "16MiB/s")}, func(c *Claim) {
			c.High, c.Unit, c.Factor, c.Base = number(300), "ms", 1e-3, results.Seconds
		}),
		c("each missed", Each, "downtime", Yes, [][]results.Level{at("precopy", "4MiB/s"), at("precopy", "64MiB/s")}, func(c *Claim) {
			c.High, c.Unit, c.Factor, c.Base = number(300), "ms", 1e-3, results.Seconds
		}),
		c("grows", Grows, "downtime", InTrend, all()[:3], func(c *Claim) { c.Over = rate }),
		c("grows, with a dip", Grows, "downtime", InTrend, all()[3:], func(c *Claim) { c.Over = rate }),
		c("grows over treatments that did not run", Grows, "total", InTrend, all()[:3], func(c *Claim) { c.Over = rate }),
		c("told alone", None, "", No, nil, func(c *Claim) { c.Value, c.Unit, c.Recalled, c.Conditions = number(165), "ms", true, "a web server" }),
	}
}

func TestRowsGolden(t *testing.T) {
	p := Paper{Citation: "A. Author: Title, VENUE", Link: "https://doi.org/10.1145/1", Year: 2005, Changes: "smaller | guests", Claims: claims()}
	for name, how := range map[string]How{"interval": {Confidence: 0.95, Ratio: exact}, "medians": {Confidence: 0.95}} {
		var b bytes.Buffer
		NewTable(p, Rows(run1(), p, how)).Write(&b)
		golden(t, "testdata/"+name+".txt", b.Bytes())
		b.Reset()
		NewTable(p, Rows(run1(), p, how)).WriteMarkdown(&b)
		golden(t, "testdata/"+name+".md", b.Bytes())
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s", file, got)
	}
}

// TestVerdicts: what each claim comes to, with intervals of ratios and without.
func TestVerdicts(t *testing.T) {
	want := map[string][2]Verdict{
		"value held":                             {Agrees, Agrees},
		"value missed":                           {Disagrees, Disagrees},
		"value of few":                           {Open, Open},
		"value not compared":                     {NotJudged, NotJudged},
		"value of a censored median":             {Agrees, Agrees},
		"value in another unit":                  {NotJudged, NotJudged},
		"value of nothing":                       {Open, Open},
		"ratio held":                             {Agrees, Open},
		"ratio missed":                           {Disagrees, Open},
		"ratio in trend":                         {Agrees, Open},
		"ratio against the trend":                {Disagrees, Open},
		"ratio that points neither way":          {NotJudged, NotJudged},
		"change in percent":                      {Agrees, Open},
		"more":                                   {Agrees, Open},
		"less":                                   {Disagrees, Open},
		"share of pages":                         {Agrees, Agrees},
		"share of bytes, some not known":         {Open, Open},
		"share of seconds":                       {Open, Open},
		"spread held":                            {Agrees, Open},
		"spread missed":                          {Disagrees, Open},
		"each held":                              {Agrees, Agrees},
		"each missed":                            {Disagrees, Disagrees},
		"grows":                                  {Agrees, Agrees},
		"grows, with a dip":                      {Open, Open},
		"grows over treatments that did not run": {Open, Open},
		"told alone":                             {NotJudged, NotJudged},
	}
	for i, how := range []How{{Confidence: 0.95, Ratio: exact}, {Confidence: 0.95}} {
		rows := Rows(run1(), Paper{Claims: claims()}, how)
		if len(rows) != len(want) {
			t.Errorf("%d rows, %d verdicts", len(rows), len(want))
		}
		for _, r := range rows {
			if r.Verdict != want[r.Name][i] {
				t.Errorf("%s: %s (%s), want %s", r.Name, r.Verdict, r.Why, want[r.Name][i])
			}
			if r.Verdict != Agrees && r.Verdict != Disagrees && r.Verdict != NotJudged && r.Why == "" {
				t.Errorf("%s is %s, and does not say why", r.Name, r.Verdict)
			}
		}
	}
}

// TestCensoredRatio: a base whose median is censored bounds the ratio from above; two censored medians bound nothing.
func TestCensoredRatio(t *testing.T) {
	c := Claim{
		Name: "total", Kind: Ratio, Metric: "total", Where: [][]results.Level{at("xbzrle", "64MiB/s")}, Against: [][]results.Level{at("precopy", "64MiB/s")},
		Value: number(0.65), Unit: "1", Factor: 1, Base: results.One, Comparable: InTrend, Source: "text",
	}
	row := func(c Claim, set dataset.Set) Row {
		return Rows(set, Paper{Claims: []Claim{c}}, How{Confidence: 0.95})[0]
	}
	got := row(c, run1())
	if got.Measured != "≤ 0.334" || got.Verdict != Open || !strings.Contains(got.Why, "the medians point the way that was published") {
		t.Errorf("a censored base: %+v", got)
	}
	c.Where, c.Against = c.Against, c.Where
	if got := row(c, run1()); got.Measured != "≥ 3.00" || !strings.Contains(got.Why, "point the other way") {
		t.Errorf("a censored head: %+v", got)
	}
	both := makeSet(
		cells{"total", results.Seconds, at("precopy", "64MiB/s"), []float64{-15, -15}},
		cells{"total", results.Seconds, at("xbzrle", "64MiB/s"), []float64{-15, -15}},
	)
	if got := row(c, both); got.Measured != "—" || got.Verdict != Open || !strings.Contains(got.Why, "nothing bounds their ratio") {
		t.Errorf("both censored: %+v", got)
	}
}

// TestCourses: each combination of the other factors is a course of its own; one that surely falls decides.
func TestCourses(t *testing.T) {
	c := Claim{Kind: Grows, Metric: "downtime", Where: all(), Over: rate, Comparable: InTrend, Source: "text"}
	set := run1()
	row := Rows(set, Paper{Claims: []Claim{c}}, How{Confidence: 0.95})[0]
	if row.Measured != "medians rise in 1 of 2" || row.Verdict != Open || !strings.Contains(row.Detail, "algorithm xbzrle: 90.00 ms → 90.00 ms → 200.0 ms") {
		t.Errorf("%+v", row)
	}
	falling := makeSet(
		cells{"downtime", results.Seconds, at("precopy", "4MiB/s"), six(0.3)},
		cells{"downtime", results.Seconds, at("precopy", "16MiB/s"), six(0.2)},
		cells{"downtime", results.Seconds, at("precopy", "64MiB/s"), six(0.4)},
	)
	c.Where = all()[:3]
	if row := Rows(falling, Paper{Claims: []Claim{c}}, How{Confidence: 0.95})[0]; row.Verdict != Disagrees || !strings.Contains(row.Why, "it falls") {
		t.Errorf("%+v", row)
	}
}

// TestNothingMeasured: an empty run says of each claim that nothing was measured.
func TestNothingMeasured(t *testing.T) {
	for _, r := range Rows(dataset.Set{}, Paper{Claims: claims()}, How{Confidence: 0.95, Ratio: exact}) {
		if r.Verdict == Agrees || r.Verdict == Disagrees || r.Interval != "" || r.Why == "" {
			t.Errorf("%+v", r)
		}
	}
	if !NewTable(Paper{}, nil).Empty() {
		t.Error("a run without a paper has a table")
	}
}
