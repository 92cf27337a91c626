package spec

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestArrivalTimes(t *testing.T) {
	b := DefaultBoot()
	b.Guests, b.Interval, b.Trace = 3, Duration(2*time.Second), "0s, 0.5s, 0.5s, 9s"
	for arrivals, want := range map[string][]time.Duration{
		"at-once": {0, 0, 0},
		"fixed":   {0, 2 * time.Second, 4 * time.Second},
		"trace":   {0, 500 * time.Millisecond, 500 * time.Millisecond},
	} {
		b.Arrivals = arrivals
		for seed := range uint64(2) {
			if got, err := b.ArrivalTimes(seed); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v", arrivals, got, err)
			}
		}
	}
	b.Guests, b.Arrivals = 5, "trace"
	if _, err := b.ArrivalTimes(1); err == nil || !strings.HasPrefix(err.Error(), "want a time for each") {
		t.Errorf("a guest too many: %v", err)
	}
}

// TestPoisson: a seed gives the same times for ever, another gives others, and the gaps are exponential: their mean is the
// interval, and a share of 1/e exceeds it.
func TestPoisson(t *testing.T) {
	b := DefaultBoot()
	b.Arrivals, b.Guests = "poisson", 10_000
	times, err := b.ArrivalTimes(1)
	again, _ := b.ArrivalTimes(1)
	other, _ := b.ArrivalTimes(2)
	if err != nil || !slices.Equal(times, again) || slices.Equal(times, other) || !slices.IsSorted(times) || times[0] != 0 {
		t.Fatalf("%v …, %v", times[:3], err)
	}
	// Known, so that a change of the generator is seen: it would change runs that are repeated.
	if got := Duration(times[1]).String(); got != poissonFirst {
		t.Errorf("the first gap of seed 1 is %s", got)
	}
	longer := 0
	for i := 1; i < len(times); i++ {
		if times[i]-times[i-1] > time.Second {
			longer++
		}
	}
	n := float64(b.Guests - 1)
	mean, share := times[len(times)-1].Seconds()/n, float64(longer)/n
	if math.Abs(mean-1) > 4/math.Sqrt(n) || math.Abs(share-1/math.E) > 4*0.49/math.Sqrt(n) {
		t.Errorf("the mean gap is %v s, a share of %v is longer than the interval", mean, share)
	}
}

const poissonFirst = "1.013092657s"

// TestArrivalsDoNotOverflow, at the longest intervals that a file can have.
func TestArrivalsDoNotOverflow(t *testing.T) {
	b := Boot{Guests: 10_000, Interval: math.MaxInt64}
	for _, b.Arrivals = range []string{"fixed", "poisson"} {
		if times, err := b.ArrivalTimes(3); err != nil || !slices.IsSorted(times) || times[9999] != math.MaxInt64 {
			t.Errorf("%s: %v, %v", b.Arrivals, times[9999], err)
		}
	}
}

func FuzzArrivals(f *testing.F) {
	for _, s := range []string{"0s, 0.5s, 2s", "0\n1ms\n1ms # same\n", "2s, 1s", ",", "#", "1s,,2s", "0s,\n1s,\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		times, err := ParseArrivals(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "want ") {
				t.Fatalf("%q: %v does not say what would be accepted", s, err)
			}
			return
		}
		if !slices.IsSorted(times) || len(times) == 0 || len(times) > MaxArrivals {
			t.Fatalf("%q is %v", s, times)
		}
		again, err := ParseArrivals(FormatArrivals(times))
		if err != nil || !slices.Equal(times, again) {
			t.Fatalf("%q is %v, read again %v, %v", s, times, again, err)
		}
	})
}
