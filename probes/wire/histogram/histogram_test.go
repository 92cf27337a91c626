package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantilesAreWithinTheirBound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 7, 1000} {
		var h Times
		all := make([]int64, n)
		for i := range all {
			all[i] = int64(math.Exp(rng.Float64() * 40))
			h.Add(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0, .01, .5, .9, .99, 1} {
			want := float64(all[max(1, int(math.Ceil(q*float64(n))))-1])
			if got := h.Quantile(q); math.Abs(got-want) > .008*want+.5 {
				t.Errorf("n=%d q=%v: got %v want %v", n, q, got, want)
			}
		}
		if h.Min() != all[0] || h.Max() != all[n-1] || h.Count() != int64(n) {
			t.Errorf("n=%d: min %d max %d count %d", n, h.Min(), h.Max(), h.Count())
		}
	}
}

func TestExtremes(t *testing.T) {
	var h Times
	if h.Quantile(.5) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram is not 0")
	}
	h.Add(-5)
	h.Add(math.MaxInt64)
	if h.Min() != 0 || h.Max() != math.MaxInt64 || h.Quantile(1) < .99*math.MaxInt64 {
		t.Errorf("min %d max %d p100 %v", h.Min(), h.Max(), h.Quantile(1))
	}
	if n := testing.AllocsPerRun(100, func() { h.Add(12345) }); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}
