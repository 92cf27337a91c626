package stats

import (
	"cmp"
	"math"
	"slices"
)

const gehan = "censored values are ranked by what is certain about them (Gehan, Biometrika 52, 1965), " +
	"which assumes that both sides were censored alike, as by one time limit"

// rankTest is the test that decides. Of unpaired samples it is Mann and Whitney's, of pairs Wilcoxon's signed rank, of strata van
// Elteren's (Bulletin de l'Institut International de Statistique 37, 1960). All are permutation tests of their scores: exact,
// ties included, up to a size where the normal approximation, corrected for ties and steps, takes over.
func rankTest(a arrangement) Test {
	censored := a.censored()
	switch {
	case a.paired && censored:
		return pairedGehan(a)
	case a.paired:
		return signedRank(a)
	}
	t := strataTest(a)
	switch {
	case len(a.blocks) > 1 && censored:
		t.Name = "van Elteren, Gehan scores"
	case len(a.blocks) > 1:
		t.Name = "van Elteren"
	case censored:
		t.Name = "Gehan–Wilcoxon"
	default:
		t.Name = "Mann–Whitney"
	}
	if censored {
		t.Why = join(gehan, t.Why)
	}
	return t
}

// strataTest sums head's scores, weighted by block. The statistic of one block is Mann and Whitney's U: how many pairs have the
// head above, half of those that tie; of several blocks it is the weighted sum of what head has over chance.
func strataTest(a arrangement) Test {
	weights := elterenWeights(a.blocks)
	var strata []stratum
	sum := 0
	for i, b := range a.blocks {
		all := append(slices.Clone(b.base), b.head...)
		scores := gehanScores(all)
		for j := range scores {
			scores[j] *= weights[i]
		}
		for _, s := range scores[len(b.base):] {
			sum += s
		}
		strata = append(strata, stratum{scores, len(b.head)})
	}
	t := sumTest(strata, sum, float64(slices.Min(weights)))
	t.Statistic = float64(sum)
	if len(a.blocks) == 1 {
		t.Statistic = (float64(sum) + float64(len(a.blocks[0].base)*len(a.blocks[0].head))) / 2
	}
	t.Why = a.note
	return t
}

func sumTest(strata []stratum, sum int, correction float64) Test {
	mean, variance := normalSum(strata)
	t := Test{Known: true, Up: cmp.Compare(float64(sum), mean)}
	if d, ok := exactSum(strata); ok {
		t.P, t.Least, t.Exact = d.twoSided(sum), d.least(), true
		return t
	}
	t.P = normalTwoSided(float64(sum), mean, variance, correction)
	return t
}

// gehanScores is by how many others each datum is surely above, less by how many it is surely below: 2·midrank − n − 1 where
// nothing is censored.
func gehanScores(list []Datum) []int {
	scores := make([]int, len(list))
	for i := range list {
		for j := range i {
			o := order(list[i], list[j])
			scores[i] += o
			scores[j] -= o
		}
	}
	return scores
}

// elterenWeights are in proportion to 1/(size+1), as whole numbers; all 1 where these would grow too large, which costs
// power and no validity.
func elterenWeights(blocks []block) []int {
	whole := 1
	for _, b := range blocks {
		n := b.size() + 1
		whole = whole / gcd(whole, n) * n
		if whole > 1e6 {
			return slices.Repeat([]int{1}, len(blocks))
		}
	}
	var list []int
	common := 0
	for _, b := range blocks {
		list = append(list, whole/(b.size()+1))
		common = gcd(common, list[len(list)-1])
	}
	for i := range list {
		list[i] /= common
	}
	return list
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// signedRank is Wilcoxon's, zeros ranked and then left out (Pratt, JASA 54, 1959). The statistic is the sum of the ranks of
// pairs with the head above.
func signedRank(a arrangement) Test {
	var diffs []float64
	rounding := 0.0 // differences that it alone tells apart tie
	for _, b := range a.blocks {
		x, y := b.base[0].Value, b.head[0].Value
		diffs = append(diffs, y-x)
		rounding = max(rounding, 1e-15*math.Abs(x), 1e-15*math.Abs(y))
	}
	slices.SortFunc(diffs, func(x, y float64) int { return cmp.Compare(math.Abs(x), math.Abs(y)) })
	var scores []int // twice the midranks of those that are not 0
	sum := 0
	for i := 0; i < len(diffs); {
		end := i
		for end < len(diffs) && math.Abs(diffs[end])-math.Abs(diffs[i]) <= min(rounding, math.Abs(diffs[i])) {
			end++
		}
		for _, d := range diffs[i:end] {
			if d != 0 {
				scores = append(scores, i+1+end)
			}
			if d > 0 {
				sum += i + 1 + end
			}
		}
		i = end
	}
	all := 0
	for _, s := range scores {
		all += s
	}
	t := Test{Name: "Wilcoxon signed rank", Known: true, Statistic: float64(sum) / 2, Up: cmp.Compare(2*sum, all), Why: a.note}
	if d, ok := subsetSum(scores); ok {
		t.P, t.Least, t.Exact = d.twoSided(sum), d.least(), true
		return t
	}
	var mean, variance float64
	for _, s := range scores {
		mean, variance = mean+float64(s)/2, variance+float64(s)*float64(s)/4
	}
	t.P = normalTwoSided(float64(sum), mean, variance, 1)
	return t
}

// pairedGehan ranks all data together and exchanges sides within pairs, as O'Brien and Fleming do (Biometrics 43, 1987) with
// other scores: the difference of a pair with a censored side has no rank of its own.
func pairedGehan(a arrangement) Test {
	var all []Datum
	for _, b := range a.blocks {
		all = append(all, b.base[0], b.head[0])
	}
	scores := gehanScores(all)
	var strata []stratum
	sum := 0
	for i := 0; i < len(scores); i += 2 {
		strata = append(strata, stratum{scores[i : i+2], 1})
		sum += scores[i+1]
	}
	t := sumTest(strata, sum, 1)
	t.Name, t.Statistic = "paired Gehan–Wilcoxon", float64(sum)
	t.Why = join(gehan, a.note)
	return t
}
