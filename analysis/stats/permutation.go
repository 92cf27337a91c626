package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	enumerate = 50000 // exchanges that are all made
	resamples = 9999  // else
)

// permutationTest exchanges sides within blocks. Its statistic is the difference of means, over blocks weighted by mn/(m+n). All
// exchanges are made where they are few; else some, drawn by the seed, of which the data are one: p = (b+1)/(r+1) (Phipson and
// Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010). p is twice the smaller tail.
func permutationTest(a arrangement, seed uint64) Test {
	t := Test{Name: "permutation of means", Why: a.note}
	if a.censored() {
		t.Why = "a censored value has no place in a mean"
		return t
	}
	var blocks []exchange
	ways := 1.0
	for _, b := range a.blocks {
		e := newExchange(b)
		blocks = append(blocks, e)
		ways *= binomial(len(e.values), e.head)
	}
	normalise(blocks)
	observed, scale := 0.0, 0.0
	for _, e := range blocks {
		observed += e.statistic(e.values[len(e.values)-e.head:])
		for _, v := range e.values {
			scale = max(scale, math.Abs(v))
		}
	}
	if math.IsInf(observed, 0) || math.IsNaN(observed) {
		t.Why = "the arithmetic overflowed"
		return t
	}
	base, head := a.count()
	near := 1e-13 * scale * float64(base+head) // sums of one multiset differ by rounding
	t.Statistic, t.Known = observed, true
	if ways <= enumerate {
		below, above := tails(all(blocks), observed, near)
		t.P, t.Least, t.Exact = min(1, 2*min(below, above)/ways), min(1, 2/ways), true
		return t
	}
	below, above := tails(some(blocks, seed), observed, near)
	t.P = min(1, 2*(min(below, above)+1)/(resamples+1))
	return t
}

// An exchange is one block of values, about their mean, any `head` of which could be head's.
type exchange struct {
	values []float64 // base's, then head's
	head   int
	weight float64
}

func newExchange(b block) exchange {
	v := append(values(b.base), values(b.head)...)
	mean, _ := moments(v)
	for i := range v {
		v[i] -= mean
	}
	n, m := float64(len(b.base)), float64(len(b.head))
	return exchange{v, len(b.head), n * m / (n + m)}
}

// normalise makes the weights add up to 1.
func normalise(blocks []exchange) {
	sum := 0.0
	for _, e := range blocks {
		sum += e.weight
	}
	for i := range blocks {
		blocks[i].weight /= sum
	}
}

// statistic is the weighted difference of means if these values are head's: the rest sums up to their negative.
func (e exchange) statistic(head []float64) float64 {
	sum := 0.0
	for _, v := range head {
		sum += v
	}
	base := float64(len(e.values) - e.head)
	return e.weight * (sum/float64(e.head) + sum/base)
}

func tails(list []float64, observed, near float64) (below, above float64) {
	for _, v := range list {
		if v <= observed+near {
			below++
		}
		if v >= observed-near {
			above++
		}
	}
	return below, above
}

func all(blocks []exchange) []float64 {
	sums := []float64{0}
	for _, e := range blocks {
		var next []float64
		chosen := make([]float64, 0, e.head)
		var choose func(from int)
		choose = func(from int) {
			if len(chosen) == e.head {
				v := e.statistic(chosen)
				for _, s := range sums {
					next = append(next, s+v)
				}
				return
			}
			for i := from; i <= len(e.values)-e.head+len(chosen); i++ {
				chosen = append(chosen, e.values[i])
				choose(i + 1)
				chosen = chosen[:len(chosen)-1]
			}
		}
		choose(0)
		sums = next
	}
	return sums
}

func some(blocks []exchange, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 0x5eed))
	list := make([]float64, resamples)
	for _, e := range blocks {
		v := slices.Clone(e.values)
		for i := range list {
			for j := range e.head {
				k := j + random.IntN(len(v)-j)
				v[j], v[k] = v[k], v[j]
			}
			list[i] += e.statistic(v[:e.head])
		}
	}
	return list
}

func binomial(n, k int) float64 {
	ways := 1.0
	for i := 1; i <= min(k, n-k); i++ {
		ways = ways * float64(n-i+1) / float64(i)
	}
	return ways
}
