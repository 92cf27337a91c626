package stats

import (
	"errors"
	"fmt"
	"math"

	moremath "github.com/aclements/go-moremath/stats"
)

// Names of the tests.
const (
	MannWhitneyTest = "Mann–Whitney U"
	WilcoxonTest    = "Wilcoxon signed rank"
	VanElterenTest  = "van Elteren"
	GehanTest       = "Gehan–Wilcoxon, by permutation"
	PermutationTest = "permutation of means"
	WelchTest       = "Welch t"
	PairedTTest     = "paired t"
)

func cannot(name, why string) Test { return Test{Name: name, Why: why} }

// mannWhitney is exact up to 50 data a side without ties and 25 with (golang.org/x/perf uses the same); normal with corrections for
// ties and continuity beyond.
func mannWhitney(base, head []float64) Test {
	if len(base) == 0 || len(head) == 0 {
		return cannot(MannWhitneyTest, "a side has no data")
	}
	r, err := moremath.MannWhitneyUTest(base, head, moremath.LocationDiffers)
	switch {
	case errors.Is(err, moremath.ErrSamplesEqual):
		return Test{Name: MannWhitneyTest, Statistic: float64(len(base)*len(head)) / 2, P: 1, Exact: true, Known: true}
	case err != nil:
		return cannot(MannWhitneyTest, err.Error())
	}
	limit := moremath.MannWhitneyExactLimit
	if ties(base, head) {
		limit = moremath.MannWhitneyTiesExactLimit
	}
	return Test{Name: MannWhitneyTest, Statistic: r.U, P: min(1, r.P), Exact: len(base) <= limit && len(head) <= limit, Known: true}
}

func ties(base, head []float64) bool {
	seen := map[float64]bool{}
	for _, list := range [][]float64{base, head} {
		for _, v := range list {
			if seen[v] {
				return true
			}
			seen[v] = true
		}
	}
	return false
}

// welch is Welch's t-test (Biometrika 34, 1947): it assumes that means are nearly normal, and not that spreads are equal.
func welch(base, head []float64) Test {
	if len(base) < 2 || len(head) < 2 {
		return cannot(WelchTest, "it needs two data a side")
	}
	a, b := &moremath.Sample{Xs: base}, &moremath.Sample{Xs: head}
	if a.Variance() == 0 && b.Variance() == 0 {
		return cannot(WelchTest, "neither side varies: it has no measure of chance")
	}
	r, err := moremath.TwoSampleWelchTTest(a, b, moremath.LocationDiffers)
	if err != nil {
		return cannot(WelchTest, err.Error())
	}
	return Test{Name: WelchTest, Statistic: r.T, P: min(1, r.P), Known: true, Why: "assumes means that are nearly normal"}
}

func pairedT(base, head []float64) Test {
	if len(base) < 2 {
		return cannot(PairedTTest, "it needs two pairs")
	}
	same := true
	for i := range base {
		same = same && base[i]-head[i] == base[0]-head[0]
	}
	if same {
		return cannot(PairedTTest, "all pairs differ alike: it has no measure of chance")
	}
	r, err := moremath.PairedTTest(base, head, 0, moremath.LocationDiffers)
	if err != nil {
		return cannot(PairedTTest, err.Error())
	}
	return Test{Name: PairedTTest, Statistic: r.T, P: min(1, r.P), Known: true, Why: "assumes differences that are nearly normal"}
}

// wilcoxon is the signed-rank test of head less base, exact for any number of pairs. Zeros take part in the ranking and
// are then left out (Pratt, Journal of the American Statistical Association 54, 1959).
func wilcoxon(base, head []float64) Test {
	sizes, positive := make([]float64, len(base)), make([]bool, len(base))
	for i := range base {
		d := head[i] - base[i]
		sizes[i], positive[i] = math.Abs(d), d > 0
	}
	ranks := midranks(sizes)
	var doubled []int // twice a midrank is whole
	up, all := 0, 0
	for i, r := range ranks {
		if sizes[i] == 0 {
			continue
		}
		k := int(math.Round(2 * r))
		doubled = append(doubled, k)
		all += k
		if positive[i] {
			up += k
		}
	}
	if len(doubled) == 0 {
		return Test{Name: WilcoxonTest, P: 1, Exact: true, Known: true}
	}
	chances := subsetChances(doubled)
	tail := 0.0
	far := math.Abs(float64(2*up - all))
	for sum, c := range chances {
		if math.Abs(float64(2*sum-all)) >= far {
			tail += c
		}
	}
	return Test{Name: WilcoxonTest, Statistic: float64(up) / 2, P: min(1, tail), Exact: true, Known: true}
}

// subsetChances is the chance of each sum of the parts when each is in it with probability ½.
func subsetChances(parts []int) []float64 {
	total := 0
	for _, k := range parts {
		total += k
	}
	chances := make([]float64, total+1)
	chances[0] = 1
	reach := 0
	for _, k := range parts {
		reach += k
		for s := reach; s >= 0; s-- {
			v := chances[s] / 2
			if s >= k {
				v += chances[s-k] / 2
			}
			chances[s] = v
		}
	}
	return chances
}

// permuted tests the difference of means without a distribution: by stratum where there are some.
func permuted(strata [][]Datum, isHead [][]bool, seed uint64) Test {
	list := make([][]scored, len(strata))
	for i, stratum := range strata {
		for j, d := range stratum {
			list[i] = append(list[i], scored{d.Value, isHead[i][j]})
		}
	}
	statistic, p, exact := permuteStrata(list, seed)
	return Test{Name: PermutationTest, Statistic: statistic, P: p, Exact: exact, Known: true}
}

// ranked tests by Gehan's scores within strata, each weighed by 1/(n+1) (van Elteren, Bulletin of the International
// Statistical Institute 37, 1960). Of one stratum without censored data that is Mann–Whitney's test.
func ranked(name string, strata [][]Datum, isHead [][]bool, seed uint64) Test {
	list := make([][]scored, len(strata))
	for i, stratum := range strata {
		for j, d := range stratum {
			score := 0
			for _, other := range stratum {
				score += surely(d, other)
			}
			list[i] = append(list[i], scored{float64(score) / float64(len(stratum)+1), isHead[i][j]})
		}
	}
	statistic, p, exact := permuteStrata(list, seed)
	return Test{Name: name, Statistic: statistic, P: p, Exact: exact, Known: true}
}

// Holm adjusts the p-values of a family so that the chance of any false alarm among them is bounded (Holm, Scandinavian
// Journal of Statistics 6, 1979). NaNs are not of the family and stay.
func Holm(p []float64) []float64 {
	adjusted := make([]float64, len(p))
	var known []float64
	for i, v := range p {
		adjusted[i] = v
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	order := argsort(known)
	steps := make([]float64, len(known))
	highest := 0.0
	for place, i := range order {
		highest = max(highest, min(1, float64(len(known)-place)*known[i]))
		steps[i] = highest
	}
	next := 0
	for i, v := range p {
		if !math.IsNaN(v) {
			adjusted[i] = steps[next]
			next++
		}
	}
	return adjusted
}

func needs(n int) string { return fmt.Sprintf("n is too small: %d replicates a side are needed", n) }
