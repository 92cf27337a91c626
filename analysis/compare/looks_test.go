package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/results"
)

// upTo are the sides after each look, of the values that each look added, by treatment.
func upTo(base, head []map[string][]float64) (at []Sides) {
	var bases, heads []dataset.Set
	for i := range base {
		bases = append(bases, set(fmt.Sprintf("base%d", i+1), base[i]))
		heads = append(heads, set(fmt.Sprintf("head%d", i+1), head[i]))
		if i == 0 {
			at = append(at, Sides{Base: bases[0], Head: heads[0]})
			continue
		}
		at = append(at, Sides{Base: dataset.Merge(bases, true), Head: dataset.Merge(heads, true), Blocked: true})
	}
	return at
}

type values = map[string][]float64

func TestLooksDecideWhatWasOpen(t *testing.T) {
	at := upTo(
		[]values{{"a": around(4, 4), "b": around(4, 4)}, {"a": around(4, 5)}},
		[]values{{"a": around(4.4, 4), "b": around(4.4, 4)}, {"a": around(4.4, 5)}},
	)
	o := Options{Alpha: 0.05}
	first, err := Looks(at[:1], 2, o)
	if err != nil || verdicts(first)["a total"] != Undecided || first.Alpha != 0.025 || first.Total != 0.05 {
		t.Fatalf("%v, alpha %v, %v", verdicts(first), first.Alpha, err)
	}
	second, err := Looks(at, 2, o)
	if err != nil || verdicts(second)["a total"] != Worse || verdicts(second)["b total"] != Undecided {
		t.Fatalf("%v, %v", verdicts(second), err)
	}
	row := second.Rows[second.place(Row{Treatment: "a", Metric: "total"})]
	if row.Base.N != 9 || row.Shift.Confidence < 0.975 || !strings.Contains(strings.Join(second.Notes, ""), "look 2 of at most 2, each at alpha 0.025") {
		t.Errorf("n %d, confidence %v, %q", row.Base.N, row.Shift.Confidence, second.Notes)
	}
	if second.Rows[second.place(Row{Treatment: "b", Metric: "total"})].Base.N != 4 {
		t.Error("b has no trials of the second look")
	}
	if _, err := Looks(append(at, Sides{Base: dataset.Merge([]dataset.Set{at[0].Base, at[0].Base}, true), Head: at[0].Head}), 3, o); err == nil {
		t.Error("a run that is merged twice has each trial twice")
	}
	if _, err := Looks(nil, 1, o); err == nil {
		t.Error("nothing was looked at")
	}
}

// One look is the plain comparison.
func TestOneLook(t *testing.T) {
	at := upTo([]values{{"a": around(4, 8)}}, []values{{"a": around(4.4, 8)}})
	one, _ := Looks(at, 1, Options{Alpha: 0.05})
	plain, _ := Sets(at[0].Base, at[0].Head, Options{Alpha: 0.05})
	if one.Rows[0].P != plain.Rows[0].P || one.Alpha != plain.Alpha || len(one.Notes) != 0 {
		t.Errorf("%+v", one)
	}
}

// What one look decided stands, whatever comes later.
func TestLooksKeepWhatIsDecided(t *testing.T) {
	at := upTo([]values{{"a": around(4, 10)}, {"a": around(4.4, 10)}}, []values{{"a": around(4.4, 10)}, {"a": around(4, 10)}})
	first, _ := Looks(at[:1], 2, Options{Alpha: 0.05})
	second, err := Looks(at, 2, Options{Alpha: 0.05})
	if err != nil || verdicts(second)["a total"] != Worse || second.Rows[0].P != first.Rows[0].P {
		t.Errorf("%v, %v", verdicts(second), err)
	}
}

// That none failed at first hides no failures that come later.
func TestLooksSeeNewFailures(t *testing.T) {
	failing := slices.Repeat([]float64{-10}, 12)
	at := upTo([]values{{"a": around(4, 10)}, {"a": around(4, 12)}}, []values{{"a": around(4, 10)}, {"a": failing}})
	first, _ := Looks(at[:1], 2, Options{Alpha: 0.05})
	second, err := Looks(at, 2, Options{Alpha: 0.05})
	if err != nil || verdicts(first)["a "+Failures] != Same || verdicts(second)["a "+Failures] != Worse {
		t.Errorf("%v, then %v, %v", verdicts(first), verdicts(second), err)
	}
}

// TestLooksKeepAlpha compares equals of two treatments, and looks again at what is open, with as many trials again, until nothing is or four looks
// were taken. Run it with -v for the figures of docs/compare.md.
func TestLooksKeepAlpha(t *testing.T) {
	const rounds, alpha, most = 300, 0.05, 4
	r := rand.New(rand.NewPCG(9, 9))
	draw := func(treatments []string, n int) values {
		v := values{}
		for _, name := range treatments {
			for range n {
				v[name] = append(v[name], 4+r.NormFloat64())
			}
		}
		return v
	}
	shared, full := 0, 0
	for range rounds {
		var base, head []values
		open := []string{"a", "b"}
		red, naively := false, false
		var result Result
		for look := 1; look <= most && len(open) > 0; look++ {
			base, head = append(base, draw(open, 6)), append(head, draw(open, 6))
			sides := upTo(base, head)[look-1]
			now, err := Sets(sides.Base, sides.Head, Options{Alpha: alpha / most, Blocked: sides.Blocked})
			if err != nil {
				t.Fatal(err)
			}
			naive := now
			naive.Rows, naive.Family = slices.Clone(now.Rows), 0
			naive.judge(Options{Alpha: alpha})
			if look > 1 { // as Looks does it, which would make the looks before anew each time
				now = result.again(now, Options{Alpha: alpha / most})
			}
			result = now
			red, naively = found(result), naively || found(naive)
			open = nil
			for _, row := range result.Rows {
				if row.Undecided() {
					open = append(open, row.Treatment)
				}
			}
		}
		shared, full = shared+asOne(red), full+asOne(naively)
	}
	t.Logf("%d series of equals: %.1f %% red in some look; %.1f %% with all of alpha in each", rounds, 100*float64(shared)/rounds, 100*float64(full)/rounds)
	const limit = 26 // 15 are expected at alpha, with a standard deviation of 3.8
	if shared > limit {
		t.Errorf("%d of %d series of equals are red, at most %d are chance", shared, rounds, limit)
	}
	if full <= limit {
		t.Errorf("%d of %d series are red with all of alpha in each look: this simulation would show no fault", full, rounds)
	}
}

func found(r Result) bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Verdict.Found() })
}

// A metric that nobody measured is no reason to run more; one that some trials have is.
func TestWhatIsNotMeasuredIsNotUndecided(t *testing.T) {
	for _, c := range []struct {
		verdict    Verdict
		metric     string
		base, head int
		want       bool
	}{
		{Unknown, "total", 0, 9, false},
		{Unknown, "total", 1, 9, true},
		{Undecided, "total", 9, 9, true},
		{Undecided, Failures, 0, 0, false},
		{Same, "total", 9, 9, false},
		{Worse, "total", 9, 9, false},
	} {
		row := Row{Verdict: c.verdict, Metric: c.metric}
		row.Base.Known, row.Head.Known = c.base, c.head
		if row.Undecided() != c.want {
			t.Errorf("%+v", c)
		}
	}
}

// Two runs whose treatments have one name and different factors have no treatment in common.
func TestTreatmentsAreMatchedByLevels(t *testing.T) {
	base, head := set("base", values{"a": around(4, 5)}), set("head", values{"a": around(4, 5)})
	level := func(s dataset.Set, factor string) {
		for i := range s.Trials {
			s.Trials[i].Treatment, s.Trials[i].Levels = "rate=8MiB/s", []results.Level{{Factor: factor, Value: "8MiB/s"}}
		}
	}
	level(base, "workload.rate")
	level(head, "testbed.link.rate")
	r, err := Sets(base, head, Options{Alpha: 0.05})
	if err != nil || len(r.Rows) != 0 || len(r.OnlyBase) != 1 || len(r.OnlyHead) != 1 {
		t.Errorf("%+v %v", r, err)
	}
	level(head, "workload.rate")
	if r, err = Sets(base, head, Options{Alpha: 0.05}); err != nil || len(r.Rows) != 2 {
		t.Errorf("%+v %v", r, err)
	}
}
