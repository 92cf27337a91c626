package stats

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestSequenceAgainstReference holds ranks and spent chance against those of sequential.py.
func TestSequenceAgainstReference(t *testing.T) {
	text, err := os.ReadFile("testdata/sequential.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Confidence  float64
		First, Last int
		Ranks       []int
		Spent       float64
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range cases {
		s := NewSequence(c.Confidence, c.First, c.Last)
		for i, want := range c.Ranks {
			if got := s.Rank(i + 1); got != want {
				t.Errorf("%v, %d to %d: rank %d after %d, want %d", c.Confidence, c.First, c.Last, got, i+1, want)
			}
		}
		if math.Abs(s.Spent()-c.Spent) > 1e-12 || s.Spent() > 1-c.Confidence+1e-12 {
			t.Errorf("%v, %d to %d: spent %v, want %v", c.Confidence, c.First, c.Last, s.Spent(), c.Spent)
		}
	}
}

// A single look is Summary.MedianInterval.
func TestOneLookIsTheOrdinaryInterval(t *testing.T) {
	for n := 6; n <= 60; n++ {
		var data []Datum
		for i := range n {
			data = append(data, Datum{Trial: fmt.Sprint(i), Value: float64(i), Known: true})
		}
		sample, _ := NewSample(data)
		one, want := NewSequence(0.95, n, n).Median(sample), Summarise(sample, 0.95).MedianInterval
		if one.Low != want.Low || one.High != want.High || math.Abs(one.Confidence-want.Confidence) > 1e-9 {
			t.Errorf("n %d: %+v, want %+v", n, one, want)
		}
	}
}

func TestSequenceOfCensoredAndUnknown(t *testing.T) {
	var data []Datum
	for i := range 12 {
		data = append(data, Datum{Trial: fmt.Sprint(i), Value: float64(i), Known: true})
	}
	data[11].Censored = true
	data[2].Censored = true
	data = append(data, Datum{Trial: "none"})
	sample, err := NewSample(data)
	if err != nil {
		t.Fatal(err)
	}
	got := NewSequence(0.95, 5, 12).Median(sample)
	// k is 3: two values may be anything above, so the third largest has no upper bound that is known.
	if !got.Known || got.Low.Value != 2 || !got.Low.AtLeast || !got.High.AtLeast {
		t.Errorf("%+v", got)
	}
	data[2].Censored, data[11].Censored = false, true
	sample, _ = NewSample(data)
	if got = NewSequence(0.95, 5, 12).Median(sample); got.Low.AtLeast || got.High.AtLeast || got.High.Value != 9 {
		t.Errorf("one censored value above the interval does not open it: %+v", got)
	}
}

func TestSequenceSaysWhyThereIsNone(t *testing.T) {
	few, _ := NewSample([]Datum{{Trial: "a", Value: 1, Known: true}, {Trial: "b", Value: 2, Known: true}})
	var none Sample
	for name, c := range map[string]struct {
		s    Sequence
		want string
	}{
		"confidence": {NewSequence(1, 2, 9), "not between"},
		"order":      {NewSequence(0.9, 9, 8), "before the first"},
		"early":      {NewSequence(0.9, 5, 8), "first look is after 5"},
		"few":        {NewSequence(0.95, 2, 20), "possible after 7"},
		"too many":   {NewSequence(0.95, 1, 1), "planned up to 1"},
		"never":      {NewSequence(0.95, 2, 3), "more than 3"},
		"zero":       {Sequence{}, "planned up to 0"},
	} {
		if got := c.s.Median(few); got.Known || !strings.Contains(got.Why, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
		c.s.Median(none)
	}
}

// The distributions of simulated trials, each with its median.
var simulated = []struct {
	name   string
	draw   func(*rand.Rand) float64
	median float64
}{
	{"normal", func(r *rand.Rand) float64 { return 100 + 10*r.NormFloat64() }, 100},
	{"lognormal", func(r *rand.Rand) float64 { return 100 * math.Exp(0.3*r.NormFloat64()) }, 100},
	{"bimodal", func(r *rand.Rand) float64 {
		if r.Float64() < 0.4 {
			return 80 + 4*r.NormFloat64()
		}
		return 104 + 4*r.NormFloat64()
	}, 100.13}, // F = 0.4·Φ((x−80)/4) + 0.6·Φ((x−104)/4) is ½: Φ((x−104)/4) = 1/6
	{"whole numbers", func(r *rand.Rand) float64 { return math.Round(100 + 3*r.NormFloat64()) }, 100},
}

// TestCoverageWhereTrialsStop stops simulated trials when an interval has become narrow, and counts how often it then holds the
// median, and how often all intervals until the last trial do. The sequence's hold what they say; of the ordinary interval, looked at as
// often, neither is true. Run it with -v for the table of docs/sequential.md.
func TestCoverageWhereTrialsStop(t *testing.T) {
	const rounds, confidence, first, last = 4000, 0.95, 5, 50
	sequence := NewSequence(confidence, first, last)
	slack := 3 * math.Sqrt(confidence*(1-confidence)/rounds)
	naive := func(sample Sample) Interval {
		sorted := values(sample.data)
		return medianInterval(sorted, sorted, confidence)
	}
	worst := 1.0
	for i, d := range simulated {
		for _, share := range []float64{0.05, 0.10} {
			run := simulation{d.draw, d.median, share, first, last, rounds, uint64(i)}
			ours, theirs := run.with(sequence.Median), run.with(naive)
			t.Logf("%-13s within %2.0f %%: sequence %.1f %% where it stops, %.1f %% in all looks, %.1f trials; ordinary %.1f %%, %.1f %%, %.1f",
				d.name, 100*share, 100*ours.held, 100*ours.always, ours.trials, 100*theirs.held, 100*theirs.always, theirs.trials)
			if ours.held < confidence-slack || ours.always < confidence-slack {
				t.Errorf("%s within %v: the interval holds the median in %+v", d.name, share, ours)
			}
			if theirs.always > confidence-2*slack && i < 3 { // of whole numbers many tie with the median
				t.Errorf("%s: the ordinary interval always holds the median in %+v: this simulation would show no fault", d.name, theirs)
			}
			worst = min(worst, theirs.held)
		}
	}
	if worst > confidence-slack {
		t.Errorf("the ordinary interval holds the median in %.2f %% at worst: this simulation would show no fault", 100*worst)
	}
}

type simulation struct {
	draw                func(*rand.Rand) float64
	median, share       float64
	first, last, rounds int
	seed                uint64
}

// A covering says how often an interval held the median: where the trials stopped, and in every look; and after how many they did.
type covering struct{ held, always, trials float64 }

func (s simulation) with(of func(Sample) Interval) (c covering) {
	r := rand.New(rand.NewPCG(s.seed, 7))
	for range s.rounds {
		var data []Datum // sorted by value
		stopped, always := false, true
		for n := 1; n <= s.last; n++ {
			d := Datum{Trial: "any", Value: s.draw(r), Known: true}
			at, _ := slices.BinarySearchFunc(data, d, func(a, b Datum) int { return cmp.Compare(a.Value, b.Value) })
			data = slices.Insert(data, at, d)
			if n < s.first {
				continue
			}
			in := of(Sample{data})
			holds := in.Known && in.Low.Value <= s.median && s.median <= in.High.Value
			always = always && (holds || !in.Known)
			if !stopped && (n == s.last || in.Known && narrow(data, in, s.share)) {
				stopped = true
				c.trials += float64(n)
				c.held += one(holds)
			}
		}
		c.always += one(always)
	}
	n := float64(s.rounds)
	return covering{c.held / n, c.always / n, c.trials / n}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func narrow(sorted []Datum, in Interval, share float64) bool {
	m := Quantile(values(sorted), 0.5)
	return max(in.High.Value-m, m-in.Low.Value) <= share*m
}

// TestComparingWhatStopped compares equals whose numbers of trials were set by their own spread. The tests take the numbers as set
// beforehand, and find a difference more often than alpha says, if less than twice as often: so compare warns, and does not gate.
func TestComparingWhatStopped(t *testing.T) {
	const rounds, alpha, first, last = 600, 0.05, 5, 30
	sequence := NewSequence(0.95, first, last)
	for i, d := range simulated[:3] {
		r := rand.New(rand.NewPCG(uint64(i), 11))
		stopped := func() (data []Datum) {
			for len(data) < last {
				data = append(data, Datum{Trial: fmt.Sprint(len(data)), Value: d.draw(r), Known: true})
				sample := Sample{data}
				if in := sequence.Median(sample); in.Known && narrow(known(sample), in, 0.10) {
					break
				}
			}
			return data
		}
		found := 0.0
		for range rounds {
			found += one(Decide(Sample{stopped()}, Sample{stopped()}, How{Confidence: 0.95}).P < alpha)
		}
		t.Logf("%-13s %.1f %% of comparisons of equals", d.name, 100*found/rounds)
		if limit := 2*alpha + 3*math.Sqrt(2*alpha*(1-2*alpha)/rounds); found/rounds > limit {
			t.Errorf("%s: %.2f %% of comparisons of equals find a difference", d.name, 100*found/rounds)
		}
	}
}
