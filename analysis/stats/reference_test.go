package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// figures are testdata/compare.json, which compare.py beside it made with SciPy.
type figures struct {
	Unpaired []struct {
		Base, Head, Welch, Perm, Interval, Delta []float64
		U, P, Shift, Ratio                       float64
		SciPy                                    *float64 `json:"scipy_p"`
	}
	Big struct {
		Base, Head []float64
		P          float64
	}
	Paired []struct {
		Base, Head, T, Interval []float64
		P, Shift, Perm          float64
		SciPy                   *float64 `json:"scipy_p"`
	}
	Strata []struct {
		Blocks [][][]float64
		P      float64
	}
	BCa []struct{ Values, Mean, Median []float64 }
}

func reference(t *testing.T) (f figures) {
	t.Helper()
	text, err := os.ReadFile("testdata/compare.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func close9(t *testing.T, what string, got, want float64) {
	t.Helper()
	within(t, what, got, want, 1e-9)
}

func within(t *testing.T, what string, got, want, part float64) {
	t.Helper()
	if !(math.Abs(got-want) <= part*max(1e-3, math.Abs(want))) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

func interval(t *testing.T, what string, e Effect, want []float64) {
	t.Helper()
	if want == nil {
		if e.Known {
			t.Errorf("%s: %+v, want unknown", what, e)
		}
		return
	}
	close9(t, what+" low", e.Low, want[0])
	close9(t, what+" high", e.High, want[1])
	close9(t, what+" confidence", e.Confidence, want[2])
}

func TestUnpairedReference(t *testing.T) {
	how := How{Confidence: 0.95}
	for i, c := range reference(t).Unpaired {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			got := Compare(data(c.Base...), data(c.Head...), how)
			close9(t, "U", got.Decides.Statistic, c.U)
			close9(t, "Mann–Whitney p", got.Decides.P, c.P)
			if c.SciPy != nil {
				close9(t, "SciPy's p", got.Decides.P, *c.SciPy)
			}
			close9(t, "difference of means", got.Tests[1].Statistic, c.Perm[0])
			close9(t, "permutation p", got.Tests[1].P, c.Perm[1])
			close9(t, "Welch t", got.Tests[2].Statistic, c.Welch[0])
			close9(t, "Welch p", got.Tests[2].P, c.Welch[1])
			if c.Interval != nil {
				close9(t, "shift", got.Shift.Value, c.Shift)
				close9(t, "ratio", got.Ratio.Value, c.Ratio)
			}
			interval(t, "shift", got.Shift, c.Interval)
			close9(t, "delta", got.Delta.Value, c.Delta[0])
			if len(c.Delta) == 3 {
				within(t, "delta low", got.Delta.Low, c.Delta[1], 1e-6)
				within(t, "delta high", got.Delta.High, c.Delta[2], 1e-6)
			}
		})
	}
}

// Above the size of exact distributions, the approximation is SciPy's.
func TestApproximation(t *testing.T) {
	c := reference(t).Big
	a := arrange(data(c.Base...), data(c.Head...), false)
	list := append(known(data(c.Base...)), known(data(c.Head...))...)
	scores := gehanScores(list)
	sum := 0
	for _, s := range scores[len(c.Base):] {
		sum += s
	}
	mean, variance := normalSum([]stratum{{scores, len(c.Head)}})
	close9(t, "p", normalTwoSided(float64(sum), mean, variance, 1), c.P)
	exact := rankTest(a)
	if exact.Exact || math.Abs(exact.P-c.P) > 1e-6 {
		t.Errorf("%+v, want about %v by approximation", exact, c.P)
	}
}

func TestPairedReference(t *testing.T) {
	for i, c := range reference(t).Paired {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var names []string
			for j := range c.Base {
				names = append(names, fmt.Sprint("block ", j))
			}
			got := Compare(blocked("b", names, c.Base...), blocked("h", names, c.Head...), How{Confidence: 0.95, Blocked: true})
			if got.Pairs != len(c.Base) {
				t.Fatalf("%d pairs, want %d", got.Pairs, len(c.Base))
			}
			close9(t, "p", got.Decides.P, c.P)
			if c.SciPy != nil {
				close9(t, "SciPy's p", got.Decides.P, *c.SciPy)
			}
			close9(t, "shift", got.Shift.Value, c.Shift)
			interval(t, "shift", got.Shift, c.Interval)
			close9(t, "permutation p", got.Tests[1].P, c.Perm)
			close9(t, "t", got.Tests[2].Statistic, c.T[0])
			close9(t, "p of t", got.Tests[2].P, c.T[1])
		})
	}
}

func TestStrataReference(t *testing.T) {
	for i, c := range reference(t).Strata {
		var base, head []float64
		var baseBlocks, headBlocks []string
		for j, b := range c.Blocks {
			for _, v := range b[0] {
				base, baseBlocks = append(base, v), append(baseBlocks, fmt.Sprint(j))
			}
			for _, v := range b[1] {
				head, headBlocks = append(head, v), append(headBlocks, fmt.Sprint(j))
			}
		}
		got := Compare(blocked("b", baseBlocks, base...), blocked("h", headBlocks, head...), How{Confidence: 0.95, Blocked: true})
		close9(t, fmt.Sprint("p of strata ", i), got.Decides.P, c.P)
		if !got.Decides.Exact || got.Decides.Name != "van Elteren" {
			t.Errorf("%+v", got.Decides)
		}
	}
}

// 1.1 − 1 and 2.1 − 2 are one difference, though not in binary; the second pair ties and has no sign.
func TestSignedRankTies(t *testing.T) {
	names := []string{"1", "2", "3", "4"}
	got := Compare(blocked("b", names, 1, 2, 5, 7), blocked("h", names, 1.1, 2.1, 5, 6.9), How{Confidence: 0.95, Blocked: true})
	// Ranks 3, 3 for, 3 against, the zero's 1 left out: the sum is 6, and 4 of the 8 signs give as much or more.
	close9(t, "statistic", got.Decides.Statistic, 6)
	close9(t, "p", got.Decides.P, 1)
}
