package main

import "math"

// A zipf draws ranks from 1 to n with a probability in proportion to rank^-exponent, in constant time and memory, by
// rejection-inversion (Hörmann and Derflinger, Rejection-inversion to generate variates from monotone discrete
// distributions, ACM TOMACS 6(3), 1996). In the paper's words, h(x) = x^-exponent is the hat, H its integral.
type zipf struct {
	n        float64
	exponent float64
	first    float64 // H(3/2) − h(1): where rank 1's share begins
	last     float64 // H(n + 1/2)
	squeeze  float64 // a rank this close to its x needs no comparison
}

// newZipf takes n of at least 1 and an exponent above 0.
func newZipf(n int, exponent float64) zipf {
	z := zipf{n: float64(n), exponent: exponent}
	z.first = z.integral(1.5) - 1
	z.last = z.integral(z.n + 0.5)
	z.squeeze = 2 - z.inverse(z.integral(2.5)-z.hat(2))
	return z
}

// rank draws one; uniform gives numbers from 0 to below 1.
func (z *zipf) rank(uniform func() float64) int {
	for {
		u := z.last + uniform()*(z.first-z.last)
		x := z.inverse(u)
		k := min(max(math.Round(x), 1), z.n)
		if k-x <= z.squeeze || u >= z.integral(k+0.5)-z.hat(k) {
			return int(k)
		}
	}
}

func (z *zipf) hat(x float64) float64 { return math.Exp(-z.exponent * math.Log(x)) }

// integral is H(x) = (x^(1−q) − 1)/(1−q), and log x for q = 1: written so that it is exact near there too.
func (z *zipf) integral(x float64) float64 {
	log := math.Log(x)
	return expRatio((1-z.exponent)*log) * log
}

// inverse is H⁻¹(u) = (1 + u(1−q))^(1/(1−q)), and exp u for q = 1.
func (z *zipf) inverse(u float64) float64 {
	t := max(u*(1-z.exponent), -1) // rounding may take it past the pole
	return math.Exp(logRatio(t) * u)
}

// expRatio is (exp(x) − 1)/x, 1 at 0.
func expRatio(x float64) float64 {
	if math.Abs(x) < 1e-8 {
		return 1 + x/2
	}
	return math.Expm1(x) / x
}

// logRatio is log(1 + x)/x, 1 at 0.
func logRatio(x float64) float64 {
	if math.Abs(x) < 1e-8 {
		return 1 - x/2
	}
	return math.Log1p(x) / x
}
