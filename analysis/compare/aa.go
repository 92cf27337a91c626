package compare

import (
	"math/rand/v2"
	"virtscope/analysis/dataset"
)

// An AA is what many comparisons of equals came to: of halves of one run's trials, dealt out by chance.
type AA struct {
	Comparisons int
	Red         int // that had a regression: a gate would have failed
	Found       int // that had any difference
	Tests       int // of one comparison
	Least       int // trials of the smaller half of the treatment that has fewest
	Worst       []Row
}

// Halved compares random halves of each treatment's trials n times. The halves of one run share its day and its machine, so this
// measures the tests and their correction, not how much two days differ. The comparisons share trials: they are not independent of each other.
func Halved(set dataset.Set, n int, o Options) (AA, error) {
	var aa AA
	r := rand.New(rand.NewPCG(o.Seed, 3)) //nolint:gosec // it must be repeatable
	for range n {
		base, head := set.Halves(dealt(r))
		result, err := Sets(base, head, o)
		if err != nil {
			return aa, err
		}
		aa.Comparisons++
		aa.Tests = result.Family
		red, found := false, false
		for _, row := range result.Rows {
			red = red || row.Verdict == Worse
			found = found || row.Verdict.Found()
			if row.Verdict.Found() {
				aa.Worst = append(aa.Worst, row)
			}
		}
		aa.Red += asOne(red)
		aa.Found += asOne(found)
	}
	for _, t := range set.Treatments() {
		if half := len(t.Trials) / 2; aa.Least == 0 || half < aa.Least {
			aa.Least = half
		}
	}
	return aa, nil
}

func asOne(b bool) int {
	if b {
		return 1
	}
	return 0
}

// dealt deals half of each treatment's trials to the first side.
func dealt(r *rand.Rand) func(string, int, int) bool {
	first := map[string][]int{}
	return func(treatment string, i, n int) bool {
		if i == 0 {
			first[treatment] = r.Perm(n)
		}
		return first[treatment][i] < n/2
	}
}
