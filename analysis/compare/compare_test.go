package compare

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// set makes trials of a treatment; a value below 0 is a trial that failed after −v seconds.
func set(name string, treatments map[string][]float64) dataset.Set {
	s := dataset.Set{Name: name}
	for _, treatment := range []string{"a", "b", "c"} {
		for i, v := range treatments[treatment] {
			t := dataset.Trial{Readable: true, Verdict: results.Completed, Trial: results.Trial{ID: fmt.Sprintf("%s-%d", treatment, i), Treatment: treatment, Replicate: i + 1}}
			q := quantity.Exactly(v, results.Seconds)
			if v < 0 {
				t.Verdict, q = results.Failed, quantity.AtLeast(-v, results.Seconds, "it did not end")
			}
			t.Metrics = []metric.Metric{{Name: "total", Quantity: q}, {Name: "rounds", Quantity: quantity.Exactly(3, results.One)}}
			s.Trials = append(s.Trials, t)
		}
	}
	return s
}

func around(v float64, n int) []float64 {
	r := rand.New(rand.NewPCG(uint64(v*1000), uint64(n)))
	list := make([]float64, n)
	for i := range list {
		list[i] = v * (1 + 0.002*r.NormFloat64())
	}
	return list
}

func verdicts(r Result) map[string]Verdict {
	m := map[string]Verdict{}
	for _, row := range r.Rows {
		m[row.Treatment+" "+row.Metric] = row.Verdict
	}
	return m
}

func TestSets(t *testing.T) {
	failing := append(around(4, 2), -10, -10, -10, -10, -10, -10, -10, -10)
	for name, c := range map[string]struct {
		base, head []float64
		total      Verdict
		failed     Verdict
	}{
		"equal":             {around(4, 10), around(4.001, 10), Same, Same},
		"slower":            {around(4, 10), around(4.4, 10), Worse, Same},
		"faster":            {around(4, 10), around(3.6, 10), Better, Same},
		"below the floor":   {around(4, 10), around(4.04, 10), Same, Same}, // 1 %: sure, and no matter
		"too few":           {around(4, 3), around(5, 3), Undecided, Same},
		"it fails":          {around(4, 10), failing, Worse, Worse},
		"one side is empty": {around(4, 10), nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Sets(set("base", map[string][]float64{"a": c.base}), set("head", map[string][]float64{"a": c.head}), Options{Alpha: 0.05})
			if err != nil {
				t.Fatal(err)
			}
			got := verdicts(r)
			if got["a total"] != c.total || got["a "+Failures] != c.failed {
				t.Errorf("%v", got)
			}
			if c.head == nil && (len(r.OnlyBase) != 1 || !strings.Contains(r.Answer(), "no treatment in common")) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	base, head := set("base", map[string][]float64{"a": around(4, 10)}), set("head", map[string][]float64{"a": around(4.2, 10)})
	r, _ := Sets(base, head, Options{Alpha: 0.05, Floors: map[string]Floor{"total": {Relative: 0.1}}})
	if v := verdicts(r)["a total"]; v != Same {
		t.Errorf("a floor of 10 %% hides 5 %%, not %s", v)
	}
	r, _ = Sets(base, head, Options{Alpha: 0.05, Metrics: []string{"rounds"}})
	if _, ok := verdicts(r)["a rounds"]; !ok || len(r.Rows) != 2 {
		t.Errorf("%+v", verdicts(r))
	}
	if r.Family != 0 || r.Rows[0].Verdict != Same {
		t.Errorf("equal constants are no test: family %d, %s", r.Family, r.Rows[0].Verdict)
	}
}

func TestUnitsMustAgree(t *testing.T) {
	head := set("head", map[string][]float64{"a": around(4, 4)})
	for i := range head.Trials {
		head.Trials[i].Metrics[0].Unit = results.Bytes
	}
	if _, err := Sets(set("base", map[string][]float64{"a": around(4, 4)}), head, Options{Alpha: 0.05}); err == nil || !strings.Contains(err.Error(), "base has it in s, head in B") {
		t.Errorf("%v", err)
	}
}

// A hundred metrics without a difference: the chance of any alarm stays at alpha, not near 1.
func TestTheFamilyDoesNotCryWolf(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	red := 0
	const suites = 25
	for range suites {
		make1 := func(name string) dataset.Set {
			s := set(name, map[string][]float64{"a": make([]float64, 12)})
			for i := range s.Trials {
				s.Trials[i].Metrics = nil
				for m := range 100 {
					s.Trials[i].Metrics = append(s.Trials[i].Metrics, metric.Metric{Name: fmt.Sprintf("m%d", m), Quantity: quantity.Exactly(1+r.NormFloat64()/10, results.Seconds)})
				}
			}
			return s
		}
		var names []string
		for m := range 100 {
			names = append(names, fmt.Sprintf("m%d", m))
		}
		result, err := Sets(make1("base"), make1("head"), Options{Alpha: 0.05, Metrics: names})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range result.Rows {
			if row.Verdict.Found() {
				red++
				break
			}
		}
	}
	if limit := suites*0.05 + 3*math.Sqrt(suites*0.05*0.95); float64(red) > limit {
		t.Errorf("%d of %d suites of equals are red", red, suites)
	}
}

func TestFisher(t *testing.T) {
	for _, c := range []struct {
		a, m, b, n int
		p          float64
	}{{1, 10, 11, 14, 0.00275945618}, {0, 5, 5, 5, 0.00793651}, {0, 5, 0, 5, 1}} { // SciPy's fisher_exact
		if p := fisher(c.a, c.m, c.b, c.n).P; math.Abs(p-c.p) > 1e-6 {
			t.Errorf("%+v: %v", c, p)
		}
	}
}

func TestHalvedIsFair(t *testing.T) {
	aa, err := Halved(set("run", map[string][]float64{"a": around(4, 24), "b": around(5, 24)}), 40, Options{Alpha: 0.05, Seed: 2})
	if err != nil || aa.Comparisons != 40 || aa.Least != 12 || aa.Tests != 2 || aa.Red > 8 {
		t.Errorf("%+v %v", aa, err)
	}
}

func sampleResult(t *testing.T) Result {
	t.Helper()
	r, err := Sets(
		set("base|1", map[string][]float64{"a": around(4, 10), "b": {1, 2}, "c": around(1, 5)}),
		set("head", map[string][]float64{"a": around(4.4, 10), "b": {1.1, -9}}), Options{Alpha: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFormats(t *testing.T) {
	r := sampleResult(t)
	var b bytes.Buffer
	if err := WriteText(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 worse", "+10.", "only base has c", "n is too small", "unknown"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("text lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	var back jsonResult
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back.Rows) != len(r.Rows) || back.Rows[2].Shift != nil {
		t.Errorf("%v %+v", err, back)
	}
	computed := map[bool]int{}
	for i, row := range back.Rows {
		for _, test := range row.Tests {
			computed[test.Known]++
			if (test.P != nil) != test.Known || (test.Statistic != nil) != test.Known {
				t.Errorf("row %d: a test of which %v is known has p %v and statistic %v", i, test.Known, test.P, test.Statistic)
			}
		}
	}
	if computed[true] == 0 || computed[false] == 0 {
		t.Errorf("tests that are known, and not: %v", computed)
	}
	b.Reset()
	if err := WriteJUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil || suites.Tests != 4 || suites.Failures != 1 || suites.Skipped != 2 {
		t.Errorf("%v %+v\n%s", err, suites, b.String())
	}
	b.Reset()
	if err := WriteMarkdown(&b, r); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := strings.Count(line, "|") - strings.Count(line, `\|`); strings.HasPrefix(line, "|") && n != len(head)+2 {
			t.Errorf("a row has %d bars: %s", n, line)
		}
	}
}

func TestUnlike(t *testing.T) {
	a := results.Manifest{Name: "x", SpecHash: "1", Facts: []results.Fact{{Subject: "machine", Name: "cpu.model", Value: "A"}, {Subject: "machine", Name: "old", Value: "1"}}}
	b := results.Manifest{Name: "x", SpecHash: "2", Facts: []results.Fact{{Subject: "machine", Name: "cpu.model", Value: "B"}, {Subject: "machine", Name: "new", Value: "1"}}}
	if got := Unlike(a, b); len(got) != 4 {
		t.Errorf("%q", got)
	}
	if got := Unlike(a, a); got != nil {
		t.Errorf("%q", got)
	}
}
