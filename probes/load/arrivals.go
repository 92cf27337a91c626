package load

import "math/rand/v2"

// How requests arrive.
const (
	Poisson = "poisson" // the times between them are exponential, each independent of all others
	Fixed   = "fixed"
)

// arrivals is the times at which requests are due, in ns.
type arrivals struct {
	random  *rand.Rand // nil: at equal distances
	start   float64    // ns
	between float64    // ns, on average
	n       int64
	next    float64
}

// newArrivals begins at start (ns), at a rate per second.
func newArrivals(kind string, rate float64, start int64, seed uint64) *arrivals {
	a := &arrivals{start: float64(start), between: 1e9 / rate}
	if kind != Fixed {
		a.random = rand.New(rand.NewPCG(seed, 1))
	}
	a.step()
	return a
}

// due is when the next request is.
func (a *arrivals) due() int64 { return int64(a.next) }

// step goes on to the one after it.
func (a *arrivals) step() {
	if a.random == nil {
		a.next = a.start + float64(a.n)*a.between // never summed up: no error grows
		a.n++
		return
	}
	a.next = max(a.next, a.start) + a.random.ExpFloat64()*a.between
}
