package anova

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// A term is an effect in the model: a factor, an interaction, or the block.
type term struct {
	name    string
	factors []factor
	block   bool
	columns [][]float64 // sum-to-zero contrasts
	why     string      // why it is left out of the model
}

// terms are all factors and interactions, by order, and the block.
func (in input) terms() []term {
	var list []term
	if in.block != nil {
		list = append(list, term{name: in.block.name, factors: []factor{*in.block}, block: true})
	}
	for order := 1; order <= len(in.factors); order++ {
		for set := 1; set < 1<<len(in.factors); set++ {
			if bits.OnesCount(uint(set)) != order {
				continue
			}
			t := term{}
			var names []string
			for i, f := range in.factors {
				if set&(1<<i) != 0 {
					t.factors = append(t.factors, f)
					names = append(names, f.name)
				}
			}
			t.name = strings.Join(names, " × ")
			list = append(list, t)
		}
	}
	for i := range list {
		list[i].columns = contrasts(list[i].factors, len(in.y))
		list[i].why = emptyCell(list[i].factors)
	}
	return list
}

// contrasts of each factor are 1 at a level, −1 at the last, else 0; of an interaction, their products.
func contrasts(factors []factor, n int) [][]float64 {
	columns := [][]float64{slices.Repeat([]float64{1}, n)}
	for _, f := range factors {
		var next [][]float64
		last := len(f.levels) - 1
		for _, c := range columns {
			for level := range last {
				product := slices.Clone(c)
				for i, at := range f.at {
					switch at {
					case level:
					case last:
						product[i] = -product[i]
					default:
						product[i] = 0
					}
				}
				next = append(next, product)
			}
		}
		columns = next
	}
	return columns
}

// emptyCell names a combination of levels that no observation has: an interaction with one cannot be estimated.
func emptyCell(factors []factor) string {
	cells := 1
	for _, f := range factors {
		cells *= len(f.levels)
	}
	full := make([]bool, cells)
	for i := range factors[0].at {
		full[cell(factors, i)] = true
	}
	empty := slices.Index(full, false)
	if empty < 0 {
		return ""
	}
	var names []string
	for _, f := range slices.Backward(factors) {
		names = append(names, fmt.Sprintf("%s = %s", f.name, f.levels[empty%len(f.levels)]))
		empty /= len(f.levels)
	}
	slices.Reverse(names)
	return "not estimable: no known value at " + strings.Join(names, ", ")
}

// cell is the place of an observation's combination of levels.
func cell(factors []factor, i int) int {
	c := 0
	for _, f := range factors {
		c = c*len(f.levels) + f.at[i]
	}
	return c
}

// fitTerms leaves interactions out, those of most factors first, until something is left to tell error by.
func fitTerms(list []term, n int) []term {
	list = slices.Clone(list)
	for {
		columns, most := 1, -1
		for i, t := range list {
			if t.why != "" {
				continue
			}
			columns += len(t.columns)
			if !t.block && len(t.factors) > 1 && (most < 0 || len(t.factors) >= len(list[most].factors)) {
				most = i
			}
		}
		if columns < n || most < 0 {
			return list
		}
		list[most].why = fmt.Sprintf("n = %d is too small for it: what it explains counts as error", n)
	}
}

// matrix is the model's columns, without those of term skip (−1: of none).
func matrix(list []term, skip, n int) *mat.Dense {
	columns := [][]float64{slices.Repeat([]float64{1}, n)}
	for i, t := range list {
		if t.why == "" && i != skip {
			columns = append(columns, t.columns...)
		}
	}
	x := mat.NewDense(n, len(columns), nil)
	for j, c := range columns {
		x.SetCol(j, c)
	}
	return x
}
