package probes

import (
	"math/rand/v2"
	"testing"
	"time"
	"virtscope/results"
)

func TestEstimateTakesShortestDelay(t *testing.T) {
	t.Parallel()
	// RFC 5905's formula by hand: ((1070-1000)+(1080-1110))/2 = 20, delay (1110-1000)-(1080-1070) = 100.
	got, err := Estimate([]Exchange{
		{Sent: 0, Received: 900, Answered: 910, Returned: 1000},
		{Sent: 1000, Received: 1070, Answered: 1080, Returned: 1110},
		{Sent: 2000, Received: 2400, Answered: 2410, Returned: 2500},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Offset{Value: 20, Bound: 52}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

// Whatever the true offset and however unequal the two ways are, the bound holds.
func TestEstimateBoundHolds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		truth := r.Int64N(2e18) - 1e18
		now := int64(1.7e18)
		var exchanges []Exchange
		for range 1 + r.IntN(8) {
			there, serve, back := r.Int64N(1e8), r.Int64N(1e6), r.Int64N(1e8)
			exchanges = append(exchanges, Exchange{
				Sent: now, Received: now + there + truth, Answered: now + there + serve + truth, Returned: now + there + serve + back,
			})
			now += 1e9
		}
		o, err := Estimate(exchanges)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := (o.Value - time.Duration(truth)).Abs(); wrong > o.Bound {
			t.Fatalf("offset %v is off by %v, more than its bound %v", o.Value, wrong, o.Bound)
		}
	}
}

func TestEstimateRefuses(t *testing.T) {
	t.Parallel()
	for name, exchanges := range map[string][]Exchange{
		"none":            nil,
		"back before":     {{Sent: 10, Received: 5, Answered: 5, Returned: 9}},
		"answered before": {{Sent: 10, Received: 15, Answered: 14, Returned: 30}},
		"negative delay":  {{Sent: 10, Received: 15, Answered: 40, Returned: 30}},
	} {
		if o, err := Estimate(exchanges); err == nil {
			t.Errorf("%s: got %+v, want an error", name, o)
		}
	}
}

func TestSameKernelRecord(t *testing.T) {
	t.Parallel()
	r := SameKernel().Record("controller", results.SourceRunner, "src", time.Unix(3, 5))
	if r.Name != results.ClockOffset || r.Unit != results.Seconds || r.Value != 0 || r.Time != 3_000_000_005 ||
		r.Attrs["host"] != "src" || r.Attrs["bound"] != "0" || r.Host != "controller" || r.Source != results.SourceRunner {
		t.Fatalf("got %+v", r)
	}
}

func TestStepDetector(t *testing.T) {
	t.Parallel()
	d := NewStepDetector()
	if err := d.Check(); err != nil {
		t.Fatalf("no step was made: %v", err)
	}
	d.base.value -= 50 * time.Millisecond // as if the clock had been set forward
	if err := d.Check(); err == nil {
		t.Fatal("a step of 50 ms was not noticed")
	}
	if err := d.Check(); err != nil {
		t.Fatalf("one step was reported twice: %v", err)
	}
}
