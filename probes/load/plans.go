package load

import "math/rand/v2"

// nothing is the plan of one who only waits.
type nothing struct{}

func (nothing) next(int) (int64, bool) { return 0, false }
func (nothing) take() request          { return request{} }

// openLoop is the plan that is measured.
type openLoop struct {
	arrivals *arrivals
	keys     *keys // nil: kind request
	random   *rand.Rand
	gets     float64
	ended    bool
}

func newOpenLoop(c Config, start int64) *openLoop {
	p := &openLoop{arrivals: newArrivals(c.Arrivals, c.Rate, start, c.Seed), gets: c.Gets, random: rand.New(rand.NewPCG(c.Seed, 4))}
	if c.Kind != Request {
		p.keys = newKeys(c.Pattern, c.Keys, c.Seed)
	}
	return p
}

func (p *openLoop) next(int) (int64, bool) { return p.arrivals.due(), !p.ended }

func (p *openLoop) take() request {
	r := request{due: p.arrivals.due(), op: opAsk}
	p.arrivals.step()
	if p.keys == nil {
		return r
	}
	r.key, r.op = int32(p.keys.next()), opSet
	if p.random.Float64() < p.gets {
		r.op = opGet
	}
	return r
}

// window is how many requests of a list are unanswered at a time.
const window = 256

// list is a plan that asks as fast as it is answered, in closed loop: it prepares and is not measured. It observes itself.
type list struct {
	n    int
	make func(i int) request
	at   int

	answers []answer // to requests that were answered right, if kept
	keep    bool
	right   int
	wrong   int
	why     string // of the last wrong one
}

func (l *list) next(unanswered int) (int64, bool) { return 0, l.at < l.n && unanswered < window }

func (l *list) take() request {
	l.at++
	return l.make(l.at - 1)
}

func (l *list) done() bool { return l.right+l.wrong == l.n }

func (l *list) answered(_ request, a answer, right bool, _ int64) {
	if l.keep {
		l.answers = append(l.answers, a)
	}
	if right {
		l.right++
		return
	}
	l.wrong++
	l.why = "the guest said " + a.describe()
}

func (l *list) failed(request) {
	l.wrong++
	l.why = "the connection broke"
}

func (l *list) asked(request, int64)      {}
func (l *list) received(int, int64)       {}
func (l *list) reconnected(string, int64) {}
func (l *list) tick(int64)                {}
