package load

import (
	"math"
	"math/rand/v2"
)

// How keys are chosen.
const (
	Zipf    = "zipf" // the n-th most popular key in proportion to n^-0.99
	Uniform = "uniform"
)

// exponent of the Zipf distribution: that of the Yahoo Cloud Serving Benchmark (Cooper et al., SoCC 2010).
const exponent = 0.99

// keys chooses among n keys, 0 to n-1.
type keys struct {
	random  *rand.Rand
	n       int
	zipf    *zipf // nil: each is as likely
	scatter uint64
}

func newKeys(pattern string, n int, seed uint64) *keys {
	k := &keys{random: rand.New(rand.NewPCG(seed, 2)), n: n, scatter: coprime(uint64(n))}
	if pattern == Zipf {
		k.zipf = newZipf(exponent, n)
	}
	return k
}

// next is a key. Popular ones do not lie side by side: they were written in order, and would share their pages of memory.
func (k *keys) next() int {
	if k.zipf == nil {
		return k.random.IntN(k.n)
	}
	rank := uint64(k.zipf.rank(k.random) - 1)
	return int(rank * k.scatter % uint64(k.n))
}

// coprime is a number near n divided by the golden ratio that has no divisor in common with n, so that multiplying by it
// modulo n reaches every key once.
func coprime(n uint64) uint64 {
	for c := max(1, uint64(float64(n)/math.Phi)); ; c++ {
		a, b := c, n
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return c
		}
	}
}

// A zipf draws ranks from 1 to n, rank r in proportion to r^-s. The standard library's needs s > 1.
//
// Rejection-inversion (Hörmann and Derflinger, ACM TOMACS 6(3), 1996): a continuous density that lies above the histogram
// of the ranks is inverted, and the draws that fall between the two are drawn again.
type zipf struct {
	s, n      float64
	low, high float64 // the integral's values at the ends of the range
	sure      float64 // a draw that lies this close below its rank is always taken
}

func newZipf(s float64, n int) *zipf {
	z := &zipf{s: s, n: float64(n)}
	z.low = z.integral(1.5) - 1
	z.high = z.integral(z.n + 0.5)
	z.sure = 2 - z.inverse(z.integral(2.5)-math.Pow(2, -s))
	return z
}

// integral of x^-s.
func (z *zipf) integral(x float64) float64 { return math.Expm1((1-z.s)*math.Log(x)) / (1 - z.s) }

func (z *zipf) inverse(y float64) float64 { return math.Exp(math.Log1p((1-z.s)*y) / (1 - z.s)) }

func (z *zipf) rank(random *rand.Rand) int {
	for {
		u := z.high + random.Float64()*(z.low-z.high)
		x := z.inverse(u)
		r := min(z.n, max(1, math.Round(x)))
		if r-x <= z.sure || u >= z.integral(r+0.5)-math.Pow(r, -z.s) {
			return int(r)
		}
	}
}
