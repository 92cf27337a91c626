package anova

import (
	"cmp"
	"math"
	"slices"
)

// aligned are the ranks of the response with all effects but that of term i taken off (Wobbrock and others, CHI 2011). Effects
// are the least-squares estimates, which in a balanced design are the differences of means that the paper uses.
func aligned(list []term, i int, f fit) []float64 {
	y := slices.Clone(f.residuals)
	column := 1 // after the mean
	for j, t := range list {
		if t.why != "" {
			continue
		}
		if j == i {
			for k, c := range t.columns {
				for row, v := range c {
					y[row] += f.beta[column+k] * v
				}
			}
		}
		column += len(t.columns)
	}
	return centredRanks(y)
}

// centredRanks are midranks less their mean. Values that rounding alone tells apart tie.
func centredRanks(y []float64) []float64 {
	order := make([]int, len(y))
	scale := 0.0
	for i, v := range y {
		order[i] = i
		scale = max(scale, math.Abs(v))
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(y[a], y[b]) })
	ranks := make([]float64, len(y))
	for i := 0; i < len(order); {
		end := i + 1
		for end < len(order) && y[order[end]]-y[order[end-1]] <= 1e-11*scale {
			end++
		}
		for _, o := range order[i:end] {
			ranks[o] = float64(i+end-len(y)) / 2
		}
		i = end
	}
	return ranks
}
