package stats

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSampleTakesOneDatumATrial(t *testing.T) {
	for name, c := range map[string]struct {
		list []Datum
		want string
	}{
		"twice":     {[]Datum{{Trial: "a", Value: 1, Known: true}, {Trial: "a", Value: 2, Known: true}}, "the trial is the unit"},
		"nameless":  {[]Datum{{Value: 1, Known: true}}, "names no trial"},
		"no number": {[]Datum{{Trial: "a", Value: math.NaN(), Known: true}}, "not finite"},
		"infinite":  {[]Datum{{Trial: "a", Value: math.Inf(1), Known: true}}, "not finite"},
	} {
		if _, err := NewSample(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSample([]Datum{{Trial: "a", Value: math.NaN()}}); err != nil {
		t.Error("a value that is not known is not read:", err)
	}
}

func TestCompareSaysWhatItCannot(t *testing.T) {
	how := How{Confidence: 0.95}
	c := Compare(data(1, 2, 3), data(4, 5, 6), how)
	if c.Shift.Confidence != 0 || !strings.Contains(c.Shift.Why, "4 replicates a side") || !math.IsInf(c.Shift.High, 1) {
		t.Errorf("three a side have no interval of 95 %%: %+v", c.Shift)
	}
	if c := Compare(data(), data(1, 2), how); c.Decides.Known || c.Decides.Why == "" || c.Shift.Known {
		t.Errorf("an empty side: %+v", c)
	}
	if c := Compare(data(2, 2, 2, 2), data(2, 2, 2, 2), how); c.Decides.P != 1 || !c.Shift.Known || c.Shift.Value != 0 {
		t.Errorf("all equal: %+v", c)
	}
	if c := Compare(data(0, 0, 1, 0), data(1, 1, 1, 1), how); c.Ratio.Known || !strings.Contains(c.Ratio.Why, "above 0") {
		t.Errorf("a ratio to 0: %+v", c.Ratio)
	}
	if c := Compare(data(1, 2), data(3, 4), How{Confidence: 0.95, Blocked: true}); c.Pairs != 1 || c.Decides.Name != VanElterenTest && c.Decides.Name != WilcoxonTest {
		// Data without a block's name are of one block.
		t.Logf("one block: %+v", c.Decides)
	}
}

// A trial that failed after 10 s counts as at least 10 s: it is not dropped, and no size of the difference is claimed.
func TestCompareCensored(t *testing.T) {
	base := data(3, 3.1, 2.9, 3.2, 3.05, 2.95)
	head := sample(append(data(4, 4.1, 4.2, 3.9).Data(), Datum{Value: 10, Known: true, Censored: true}, Datum{Value: 10, Known: true, Censored: true})...)
	c := Compare(base, head, How{Confidence: 0.95})
	if c.Decides.Name != GehanTest || !alike(c.Decides.P, 2.0/924, 1e-9) { // of C(12, 6) ways two are as far apart
		t.Errorf("decided by %+v", c.Decides)
	}
	if c.Shift.Known || c.Delta.Value != 1 {
		t.Errorf("shift %+v, delta %+v", c.Shift, c.Delta)
	}
	early := sample(append(data(4, 4.1, 4.2, 3.9).Data(), Datum{Value: 1, Known: true, Censored: true})...)
	if d := Compare(base, early, How{Confidence: 0.95}).Delta.Value; d != 24.0/30 {
		t.Errorf("one that was given up before the others ended tells nothing: delta is %v, want 24/30", d)
	}
}

// Without censored data and with one stratum, the permutation of ranks is the Mann–Whitney test.
func TestRanksAreMannWhitney(t *testing.T) {
	base, head := data(1, 2, 2, 5, 7), data(2, 6, 8, 9)
	c := Compare(base, head, How{Confidence: 0.95})
	same := Compare(oneBlock(base, "a"), oneBlock(head, "a"), How{Confidence: 0.95, Blocked: true})
	if same.Decides.Name != VanElterenTest || !alike(same.Decides.P, c.Decides.P, 1e-9) {
		t.Errorf("%+v is not %+v", same.Decides, c.Decides)
	}
}

func oneBlock(s Sample, block string) Sample {
	list := s.Data()
	for i := range list {
		list[i].Block = block
	}
	return sample(list...)
}

// TestErrorRates draws samples without a difference, and counts how often one is found, and how often the interval holds the truth.
func TestErrorRates(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	draw := func(shift float64, n int) Sample {
		values := make([]float64, n)
		for i := range values {
			values[i] = math.Exp(r.NormFloat64()) + shift
		}
		return data(values...)
	}
	const rounds = 600
	found, held := 0, 0
	for range rounds {
		if Compare(draw(0, 8), draw(0, 8), How{Confidence: 0.95}).Decides.P < 0.05 {
			found++
		}
		if e := Compare(draw(0, 8), draw(2, 8), How{Confidence: 0.95}).Shift; e.Low <= 2 && 2 <= e.High {
			held++
		}
	}
	sigma := math.Sqrt(rounds * 0.05 * 0.95)
	if float64(found) > rounds*0.05+3*sigma {
		t.Errorf("%d of %d were called different", found, rounds)
	}
	if float64(held) < rounds*0.95-3*sigma {
		t.Errorf("%d of %d intervals held the truth", held, rounds)
	}
}

func TestOutliersAreNamed(t *testing.T) {
	s := data(1, 1.1, 0.9, 1.05, 0.95, 9)
	got := Outliers(s)
	if len(got) != 1 || got[0].Trial != "6" || got[0].Value != 9 {
		t.Errorf("%+v", got)
	}
	if Summarise(s, 0.95).Max.Value != 9 {
		t.Error("an outlier was left out")
	}
	if Outliers(data(1, 2, 100)) != nil {
		t.Error("three data have no fences")
	}
}

func TestDrawnPermutationsAreNotTooSmall(t *testing.T) {
	values := make([]float64, 40)
	for i := range values {
		values[i] = float64(i)
	}
	c := Compare(data(values[:20]...), data(values[20:]...), How{Confidence: 0.95, Seed: 3, Others: true})
	p := byName(c, PermutationTest)
	if p.Exact || p.P < 1.0/(draws+1) {
		t.Errorf("%+v", p)
	}
}
