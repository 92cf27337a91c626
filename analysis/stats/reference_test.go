package stats

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// alike reports whether two figures are equal but for rounding.
func alike(a, b, relative float64) bool {
	return a == b || math.Abs(a-b) <= relative*math.Max(math.Abs(a), math.Abs(b))
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

type referenceCase struct {
	Name             string
	Base, Head       []float64
	MannWhitneyP     float64  `json:"mannwhitney_p"`
	ScipyExactP      *float64 `json:"scipy_exact_p"`
	WelchT           float64  `json:"welch_t"`
	WelchP           float64  `json:"welch_p"`
	PermutationP     float64  `json:"permutation_p"`
	ScipyPermutation float64  `json:"scipy_permutation_p"`
	Shift, Cliff     float64
	PairedT          *float64 `json:"paired_t"`
	PairedTP         *float64 `json:"paired_t_p"`
	WilcoxonP        *float64 `json:"wilcoxon_p"`
	ScipyWilcoxon    *float64 `json:"scipy_wilcoxon_p"`
	PairedShift      *float64 `json:"paired_shift"`
}

// blocked numbers the blocks of a sample, one a datum.
func blocked(values ...float64) Sample {
	list := data(values...).Data()
	for i := range list {
		list[i].Block = list[i].Trial
	}
	return sample(list...)
}

func byName(c Comparison, name string) Test {
	for _, t := range c.Tests {
		if t.Name == name {
			return t
		}
	}
	return Test{}
}

// TestAgainstSciPy holds every test against what SciPy says, or against the enumeration of all ways to deal out the data.
func TestAgainstSciPy(t *testing.T) {
	var reference struct{ Cases []referenceCase }
	readJSON(t, "testdata/reference.json", &reference)
	if len(reference.Cases) < 5 {
		t.Fatalf("%d cases", len(reference.Cases))
	}
	for _, r := range reference.Cases {
		t.Run(r.Name, func(t *testing.T) {
			same := func(what string, got, want float64) {
				t.Helper()
				if !alike(got, want, 1e-9) {
					t.Errorf("%s is %.12g, SciPy says %.12g", what, got, want)
				}
			}
			c := Compare(data(r.Base...), data(r.Head...), How{Confidence: 0.95, Others: true})
			if c.Decides.Name != MannWhitneyTest || !c.Decides.Exact {
				t.Errorf("decided by %+v", c.Decides)
			}
			same("p of Mann–Whitney", c.Decides.P, r.MannWhitneyP)
			if r.ScipyExactP != nil {
				same("exact p", c.Decides.P, *r.ScipyExactP)
			}
			same("t of Welch", byName(c, WelchTest).Statistic, r.WelchT*sign(byName(c, WelchTest).Statistic, r.WelchT))
			same("p of Welch", byName(c, WelchTest).P, r.WelchP)
			if p := byName(c, PermutationTest); !p.Exact {
				t.Error("the permutation test drew ways")
			} else {
				same("p of the permutation", p.P, r.PermutationP)
				if len(r.Base) == len(r.Head) {
					same("SciPy's p of the permutation", p.P, r.ScipyPermutation)
				}
			}
			same("shift", c.Shift.Value, r.Shift)
			same("Cliff's delta", c.Delta.Value, r.Cliff)
			if r.WilcoxonP == nil {
				return
			}
			c = Compare(blocked(r.Base...), blocked(r.Head...), How{Confidence: 0.95, Blocked: true, Others: true})
			if c.Decides.Name != WilcoxonTest || c.Pairs != len(r.Base) {
				t.Errorf("%d pairs decided by %+v", c.Pairs, c.Decides)
			}
			same("p of Wilcoxon", c.Decides.P, *r.WilcoxonP)
			if r.ScipyWilcoxon != nil {
				same("SciPy's p of Wilcoxon", c.Decides.P, *r.ScipyWilcoxon)
			}
			same("p of the paired t", byName(c, PairedTTest).P, *r.PairedTP)
			same("paired shift", c.Shift.Value, *r.PairedShift)
		})
	}
}

// sign undoes that a library's t may be of base less head.
func sign(got, want float64) float64 {
	if got*want < 0 {
		return -1
	}
	return 1
}

func TestBCaAgainstSciPy(t *testing.T) {
	var reference struct {
		BCa struct {
			Data         []float64
			Mean, Median [2]float64
		}
	}
	readJSON(t, "testdata/reference.json", &reference)
	s := data(reference.BCa.Data...)
	for name, c := range map[string]struct {
		statistic func([]float64) float64
		want      [2]float64
	}{"mean": {MeanOf, reference.BCa.Mean}, "median": {MedianOf, reference.BCa.Median}} {
		e := BCa(s, c.statistic, How{Confidence: 0.95, Seed: 1})
		// SciPy drew 200,000 resamples; 5000 give the ends to a few percent of the width.
		width := c.want[1] - c.want[0]
		if !e.Known || math.Abs(e.Low-c.want[0]) > 0.12*width || math.Abs(e.High-c.want[1]) > 0.12*width {
			t.Errorf("%s: %+v, SciPy says %v", name, e, c.want)
		}
		if again := BCa(s, c.statistic, How{Confidence: 0.95, Seed: 1}); again != e {
			t.Errorf("%s: the same seed gave %+v, then %+v", name, e, again)
		}
	}
}

func TestAgainstR(t *testing.T) {
	var r struct {
		Time, Over             []float64
		Steps, Above, SE, Risk []float64
		Median                 []float64
		MedianLow              []float64 `json:"median_low"`
		MedianHigh             []float64 `json:"median_high"`
		HolmP                  []float64 `json:"holm_p"`
		Holm                   []float64
		Base, Head             []float64
		ShiftInterval          []float64 `json:"shift_interval"`
		PairedInterval         []float64 `json:"paired_interval"`
	}
	readJSON(t, "testdata/reference-r.json", &r)
	var list []Datum
	for i, v := range r.Time {
		list = append(list, Datum{Value: v, Known: true, Censored: r.Over[i] == 0})
	}
	v := KaplanMeier(sample(list...), 0.95)
	if len(v.Steps) != len(r.Steps) {
		t.Fatalf("%d steps, R has %d", len(v.Steps), len(r.Steps))
	}
	for i, s := range v.Steps {
		if s.Time != r.Steps[i] || !alike(s.Above, r.Above[i], 1e-9) || !alike(s.SE, r.SE[i], 1e-9) || s.Risk != int(r.Risk[i]) {
			t.Errorf("step %d is %+v, R says %v %v %v %v", i, s, r.Steps[i], r.Above[i], r.SE[i], r.Risk[i])
		}
	}
	if v.Median != (Estimate{Value: r.Median[0]}) || v.Interval.Low != (Estimate{Value: r.MedianLow[0]}) {
		t.Errorf("median %+v in %+v, R says %v from %v", v.Median, v.Interval, r.Median, r.MedianLow)
	}
	if high := v.Interval.High; high.AtLeast != (r.MedianHigh == nil) || (r.MedianHigh != nil && high.Value != r.MedianHigh[0]) {
		t.Errorf("the interval ends at %+v, R says %v", high, r.MedianHigh)
	}
	for i, p := range Holm(r.HolmP) {
		if !alike(p, r.Holm[i], 1e-12) {
			t.Errorf("Holm's %d is %v, R says %v", i, p, r.Holm[i])
		}
	}
	c := Compare(data(r.Base...), data(r.Head...), How{Confidence: 0.95, Others: true})
	if !alike(c.Shift.Low, r.ShiftInterval[0], 1e-9) || !alike(c.Shift.High, r.ShiftInterval[1], 1e-9) {
		t.Errorf("shift within %v…%v, R says %v", c.Shift.Low, c.Shift.High, r.ShiftInterval)
	}
	c = Compare(blocked(r.Base...), blocked(r.Head...), How{Confidence: 0.95, Blocked: true})
	if !alike(c.Shift.Low, r.PairedInterval[0], 1e-9) || !alike(c.Shift.High, r.PairedInterval[1], 1e-9) {
		t.Errorf("paired shift within %v…%v, R says %v", c.Shift.Low, c.Shift.High, r.PairedInterval)
	}
}
