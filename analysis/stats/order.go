package stats

import (
	"math"
	"slices"
)

// values are the known data that are not censored.
func (s Sample) values() []float64 {
	var list []float64
	for _, d := range s.data {
		if d.Known && !d.Censored {
			list = append(list, d.Value)
		}
	}
	return list
}

// known are the known data, censored ones included.
func (s Sample) known() []Datum {
	return slices.DeleteFunc(s.Data(), func(d Datum) bool { return !d.Known })
}

// censored is the number of known data of which the truth is larger.
func (s Sample) censored() int {
	n := 0
	for _, d := range s.data {
		if d.Known && d.Censored {
			n++
		}
	}
	return n
}

// surely is 1 if a's truth is above b's, −1 if it is below, and 0 if they are equal or nobody can tell (Gehan, Biometrika 52,
// 1965): a censored datum is above another only if it was already above it when it was last seen.
func surely(a, b Datum) int {
	switch {
	case a.Censored && b.Censored:
		return 0
	case a.Censored:
		return asSign(a.Value >= b.Value)
	case b.Censored:
		return -asSign(b.Value >= a.Value)
	case a.Value > b.Value:
		return 1
	case a.Value < b.Value:
		return -1
	}
	return 0
}

func asSign(b bool) int {
	if b {
		return 1
	}
	return 0
}

// midranks are the ranks of values, from 1; equal ones share the mean of theirs.
func midranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	ranks := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			ranks[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return ranks
}

// median of values, which it sorts; NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return Quantile(values, 0.5)
}
