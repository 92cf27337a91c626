package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// noisy is a trace of n points a ms apart with one peak, one trough and one gap.
func noisy(n int) timeline.Trace {
	rnd := rand.New(rand.NewPCG(1, 1))
	t := timeline.Trace{Panel: "p", Label: "l", Unit: results.Seconds}
	for i := range n {
		t.T, t.V = append(t.T, int64(i)*1_000_000-5_000_000), append(t.V, 1+rnd.Float64())
	}
	t.V[n/3], t.V[n/2], t.V[n/4] = 99.5, -7.25, math.NaN()
	return t
}

func packed(t *testing.T, traces ...timeline.Trace) Series {
	t.Helper()
	s, err := Pack(&timeline.Timeline{}, timeline.Traces{From: -1e9, To: 1e9, List: traces})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Times come back to a µs, also after hours without a point; values to seven digits.
func TestPack(t *testing.T) {
	one, two := noisy(5000), timeline.Trace{Panel: "q", Rate: true, T: []int64{1_234_567_891, 100_000_000_000_123, 100_000_000_500_999}, V: []float64{1e300, 123456.7e300 / 1e5, math.NaN()}}
	head, list, err := packed(t, one, two).unpack()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || head.From != -1 || head.To != 1 || list[1].Panel != "q" || !list[1].Rate {
		t.Fatalf("%+v", head)
	}
	for i, at := range one.T {
		if d := list[0].t[i]*stepUnit - at; d < -500 || d > 500 {
			t.Fatalf("time %d: %d ns, want %d", i, list[0].t[i]*stepUnit, at)
		}
		if v := float64(list[0].v[i]); math.IsNaN(v) != math.IsNaN(one.V[i]) || math.Abs(v-one.V[i]) > 1e-6*math.Abs(one.V[i]) {
			t.Fatalf("value %d: %v, want %v", i, v, one.V[i])
		}
	}
	last := list[1]
	n := len(last.t)
	if n != 3+23 || last.t[0] != 1234568 || last.t[n-1] != 100_000_000_501 {
		t.Errorf("%d points: %v", n, last.t)
	}
	if v := float64(last.v[n-2]) * last.Scale; math.Abs(v/1.234567e300-1) > 1e-6 {
		t.Errorf("%v", v)
	}
	if _, err := Pack(&timeline.Timeline{}, timeline.Traces{List: []timeline.Trace{{T: []int64{2, 1}, V: []float64{0, 0}}}}); err == nil {
		t.Error("times that fall are packed")
	}
	for n := range 40 {
		if _, _, err := packed(t, one)[:n].unpack(); err == nil {
			t.Errorf("%d bytes are unpacked", n)
		}
	}
}

// However much a series is thinned, its extremes and its gap are left, and it says of how many points it is.
func TestThinned(t *testing.T) {
	s := packed(t, noisy(20_000), noisy(900))
	thin, err := s.thinned(1000)
	if err != nil {
		t.Fatal(err)
	}
	head, list, err := thin.unpack()
	if err != nil {
		t.Fatal(err)
	}
	long := list[0]
	if len(long.t) > 1001 || head.Traces[0].Of != 20_000 || head.Traces[0].By != 40 || head.Traces[1].Of != 0 || len(list[1].t) != 900 {
		t.Errorf("%+v", head.Traces)
	}
	low, high, gaps := math.Inf(1), math.Inf(-1), 0
	for i, v := range long.v {
		if i > 0 && long.t[i] <= long.t[i-1] {
			t.Fatal("times do not rise")
		}
		if math.IsNaN(float64(v)) {
			gaps++
			continue
		}
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	if low != -7.25 || high != 99.5 || gaps != 1 {
		t.Errorf("least %v, largest %v, %d gaps", low, high, gaps)
	}
}

func TestFitSeries(t *testing.T) {
	whole := packed(t, noisy(40_000))
	all := []Series{whole, nil, packed(t, noisy(1200))}
	if note, err := fitSeries(all, 1<<30); err != nil || note != "" || len(all[0]) != len(whole) {
		t.Errorf("there is room, and still: %q %v", note, err)
	}
	const room = 40_000
	note, err := fitSeries(all, room)
	if err != nil || !strings.Contains(note, "thinned") {
		t.Fatalf("%q %v", note, err)
	}
	if n := (len(all[0]) + len(all[2])) * 4 / 3; n > room {
		t.Errorf("%d bytes, want at most %d", n, room)
	}
	if head, _, err := all[2].unpack(); err != nil || head.Traces[0].Of != 0 {
		t.Errorf("the short one is thinned: %+v %v", head, err)
	}
}

func TestLevel(t *testing.T) {
	for _, c := range []struct {
		counts []int
		room   float64
		want   int
	}{
		{[]int{5000, 100}, 1e6, math.MaxInt}, {[]int{9000, 1000}, 4000, 3000}, {[]int{9000, 9000, 2000}, 12_000, 5000}, {[]int{9000}, 10, fewestPoints},
	} {
		if got := level(c.counts, c.room); got != c.want {
			t.Errorf("%v in %v: %d, want %d", c.counts, c.room, got, c.want)
		}
	}
}
