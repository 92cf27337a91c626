package live

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"virtscope/results"
)

// A probe that told all at its end, in the order of sending, as older ones do.
func TestEchoInTheOrderOfSending(t *testing.T) {
	s := migrating()
	tr := s.trial()
	unknown(t, "before it told", tr.unanswered(), "told anything yet")
	tr.add(&results.Record{Time: 950 * ms, Host: "client", Source: "echo", Name: results.EchoRTT, Value: 0.001})
	unknown(t, "told of the baseline alone", tr.unanswered(), "does not reach")
	for at := int64(900); at < 3000; at += 10 {
		switch {
		case at >= 1500 && at < 1600:
			s.add(at, "client", "echo", results.EchoLost, 0)
		case at >= 1600 && at < 1700: // held up, answered together
			s.add(at, "client", "echo", results.EchoRTT, float64(1701-at)/1e3)
		default:
			s.add(at, "client", "echo", results.EchoRTT, 0.001)
		}
	}
	tr = s.trial()
	same(t, "so far", tr.unanswered(), 0.211, true)
	same(t, "longest round trip so far", tr.longestTrip(), 0.101, true)
	lost, failed := slices.Clone(*s), slices.Clone(*s)
	failed.add(3000, "client", "echo", results.ProbeWall, 2)
	same(t, "a probe that could not go on", failed.trial().unanswered(), 0.211, true)
	s.add(900, "client", "echo", results.EchoInterval, 0.01)
	same(t, "records in the order of time", s.trial().unanswered(), 0.211, true)
	s.end(900)
	tr = s.trial()
	// The last one before was sent at 1490; the next answer came at 1701.
	same(t, "without an answer", tr.unanswered(), 0.211, false)
	same(t, "longest round trip", tr.longestTrip(), 0.101, false)
	p50, p99 := tr.trips()
	same(t, "median", p50, 0.001, false)
	if p99.Value < 0.05 {
		t.Errorf("p99 %v", p99.Value)
	}
	lost.add(3000, "client", "echo", results.EchoLost, 0)
	lost.add(3500, "client", "echo", results.EchoLost, 0)
	lost.end(900)
	same(t, "lost to the end", lost.trial().unanswered(), 0.51, true)
}

// A probe that tells while it runs: the outage grows as it goes on.
func TestEchoInTheOrderOfArrival(t *testing.T) {
	s := migrating()
	silent := func(at int64) { s.add(at, "client", "echo", results.EchoSilent, 0) }
	rtt := func(sent, answered int64) {
		s.add(sent, "client", "echo", results.EchoRTT, float64(answered-sent)/1e3)
	}
	unanswered := func(what string, want float64, goesOn bool) {
		t.Helper()
		same(t, what, s.trial().unanswered(), want, goesOn)
	}
	silent(900)
	unknown(t, "silent before the action", s.trial().unanswered(), "does not reach")
	silent(1010)
	unknown(t, "nothing was ever answered", s.trial().unanswered(), "no probe was answered")
	rtt(970, 1021)
	unanswered("the first answer begins the count", 0.010, true)
	rtt(1030, 1031)
	unanswered("another probe may have been answered before 1031, but not before 1030", 0.030, true)
	silent(1100)
	unanswered("goes on", 0.070, true)
	silent(1300)
	unanswered("goes on still", 0.270, true)
	rtt(1050, 1401)
	rtt(1380, 1402)
	rtt(1410, 1411)
	unanswered("late answers ended it", 0.371, true)
	s.add(1040, "client", "echo", results.EchoLost, 0)
	s.end(970)
	unanswered("over", 0.371, false)
}

func TestEchoSilentToTheEnd(t *testing.T) {
	s := migrating()
	s.add(990, "client", "echo", results.EchoRTT, 0.001)
	s.add(1500, "client", "echo", results.EchoSilent, 0)
	same(t, "goes on", s.trial().unanswered(), 0.5, true)
	for _, at := range []int64{1000, 1500, 2000} {
		s.add(at, "client", "echo", results.EchoLost, 0)
	}
	s.end(990)
	same(t, "never again", s.trial().unanswered(), 1, true)
}

// Whatever the probes met, and in whatever order they are told: no bound is ever higher than the truth, and the truth is the same.
func TestEchoBoundsHold(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		probes := anyProbes(rng)
		a, b := bySending(probes), byArrival(probes, 1+rng.Int64N(300))
		end := boundsHold(t, seed, "sending", a)
		c := slices.Clone(*b)
		slices.SortStableFunc(c, func(x, y results.Record) int { return cmp.Compare(x.Time, y.Time) })
		if other := boundsHold(t, seed, "time", &c); end != other {
			t.Fatalf("seed %d: %v in the order of sending, %v in that of time", seed, end, other)
		}
		if other := boundsHold(t, seed, "arrival", b); end != other {
			t.Fatalf("seed %d: %v in the order of sending, %v in that of arrival", seed, end, other)
		}
	}
}

// anyProbes are prompt, slow, held up and answered together, or lost (answered 0), in ms.
func anyProbes(rng *rand.Rand) []probe {
	var list []probe
	for at := int64(900); at < 2500; at += 1 + rng.Int64N(20) {
		p := probe{at, at + 1 + rng.Int64N(4)}
		switch {
		case at > 1200 && at < 1200+int64(rng.IntN(400)):
			p.answered = 0
		case at > 1600 && at < 1800:
			p.answered = 1801 + rng.Int64N(5)
		case rng.IntN(20) == 0:
			p.answered = at + rng.Int64N(200) + 1
		case rng.IntN(40) == 0 || at > 2300 && rng.IntN(2) == 0:
			p.answered = 0
		}
		list = append(list, p)
	}
	return list
}

// end is what a probe tells last.
func (s *scene) end(first int64) {
	s.add(first, "client", "echo", results.EchoInterval, 0.01)
	s.add(3500, "client", "echo", results.ProbeWall, 2)
}

func (s *scene) probe(p probe) {
	if p.answered == 0 {
		s.add(p.sent, "client", "echo", results.EchoLost, 0)
		return
	}
	s.add(p.sent, "client", "echo", results.EchoRTT, float64(p.answered-p.sent)/1e3)
}

func bySending(list []probe) *scene {
	s := migrating()
	for _, p := range list {
		s.probe(p)
	}
	s.end(list[0].sent)
	return s
}

// byArrival wakes every so many ms.
func byArrival(list []probe, every int64) *scene {
	s := migrating()
	answered := slices.DeleteFunc(slices.Clone(list), func(p probe) bool { return p.answered == 0 })
	slices.SortFunc(answered, func(a, b probe) int { return cmp.Compare(a.answered, b.answered) })
	told, arrived := 0, int64(0)
	for horizon := int64(900); horizon < 2500; horizon += every {
		before := told
		for ; told < len(answered) && answered[told].answered <= horizon; told++ {
			s.probe(answered[told])
			arrived = answered[told].answered
		}
		asked := int64(0)
		for _, p := range list {
			if p.sent <= horizon {
				asked = p.sent
			}
		}
		if told == before && asked > arrived {
			s.add(asked, "client", "echo", results.EchoSilent, 0)
		}
	}
	for _, p := range answered[told:] {
		s.probe(p)
	}
	for _, p := range list {
		if p.answered == 0 {
			s.probe(p)
		}
	}
	s.end(list[0].sent)
	return s
}

// boundsHold returns what is said at the end, in s.
func boundsHold(t *testing.T, seed uint64, order string, s *scene) float64 {
	t.Helper()
	end := s.trial().unanswered()
	if !end.Known {
		t.Fatalf("seed %d, %s: %s", seed, order, end.Why)
	}
	tr := (&scene{}).trial()
	for i, r := range *s {
		tr.add(&r)
		if q := tr.unanswered(); q.Known && q.Value > end.Value+1e-9 {
			t.Fatalf("seed %d, %s: after %d of %d records at least %v s, at the end %v s", seed, order, i+1, len(*s), q.Value, end.Value)
		}
	}
	return end.Value
}
