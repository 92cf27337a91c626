package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts the p of a family of tests so that the chance of any false one stays below what a p is compared with (Holm,
// Scandinavian Journal of Statistics 6, 1979). The order is kept. A NaN, of a test that is not known, stays one and counts as
// none of the family.
func Holm(p []float64) []float64 {
	adjusted := slices.Repeat([]float64{math.NaN()}, len(p))
	var rank []int
	for i, v := range p {
		if !math.IsNaN(v) {
			rank = append(rank, i)
		}
	}
	slices.SortFunc(rank, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	most := 0.0
	for place, i := range rank {
		most = max(most, min(1, float64(len(rank)-place)*p[i]))
		adjusted[i] = most
	}
	return adjusted
}
