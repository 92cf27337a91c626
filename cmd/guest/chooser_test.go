package main

import (
	"math"
	"slices"
	"testing"
	"virtscope/testbed/guest/agent"
)

func count(pick func() int, n, picks int) []int {
	seen := make([]int, n)
	for range picks {
		seen[pick()]++
	}
	return seen
}

func TestChooser(t *testing.T) {
	const pages, picks = 200, 20_000
	none := 0.0
	for _, tt := range []struct {
		name      string
		w         agent.Workload
		low, high float64 // share of the picks that the tenth of the pages with the most of them have
		all       bool    // each page is chosen
	}{
		{"sequential", agent.Workload{}, 0.1, 0.1, true},
		{"random", agent.Workload{Pattern: patternRandom}, 0.1, 0.13, true},
		{"hot spot", agent.Workload{Pattern: patternHotSpot}, 0.89, 0.91, true},
		{"hotter spot", agent.Workload{Pattern: patternHotSpot, HotShare: 0.05, HotWrites: ptr(0.97)}, 0.965, 0.985, false},
		{"all hot", agent.Workload{Pattern: patternHotSpot, HotShare: 1, HotWrites: &none}, 0.1, 0.13, true},
		{"none hot", agent.Workload{Pattern: patternHotSpot, HotShare: 0.5, HotWrites: &none}, 0.2, 0.25, false},
	} {
		tt.w.Seed = 5
		seen := count(chooser(&tt.w, pages), pages, picks)
		if tt.all && slices.Contains(seen, 0) {
			t.Errorf("%s: page %d was never chosen", tt.name, slices.Index(seen, 0))
		}
		sorted := slices.Clone(seen)
		slices.Sort(sorted)
		top := 0
		for _, n := range sorted[pages*9/10:] {
			top += n
		}
		if share := float64(top) / picks; share < tt.low || share > tt.high {
			t.Errorf("%s: %.3f of the picks are in the hottest tenth, want %v to %v", tt.name, share, tt.low, tt.high)
		}
		one := chooser(&tt.w, 1)
		for range 100 {
			if one() != 0 {
				t.Fatalf("%s: a single page is not chosen", tt.name)
			}
		}
	}
}

func ptr(v float64) *float64 { return &v }

// Runs are of neighbouring pages, whole but for the last of the region.
func TestChooserRuns(t *testing.T) {
	const pages, run = 21, 4
	for _, pattern := range []string{patternSequential, patternRandom, patternZipf} {
		choose := chooser(&agent.Workload{Pattern: pattern, WriteSize: run*pageSize - 100, Seed: 3}, pages)
		seen := make([]int, pages)
		for range 2000 {
			first := choose()
			if first%run != 0 {
				t.Fatalf("%s: a run begins at page %d", pattern, first)
			}
			for at := first; at < min(first+run, pages); at++ {
				if at != first && choose() != at {
					t.Fatalf("%s: the run at %d has a gap before %d", pattern, first, at)
				}
				seen[at]++
			}
		}
		if slices.Contains(seen, 0) {
			t.Errorf("%s: page %d was never chosen", pattern, slices.Index(seen, 0))
		}
	}
}

func TestScatterIsBijective(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 10, 97, 1000, 4096, 65_537} {
		place, seen := scatter(n), make([]bool, n)
		for i := range n {
			seen[place(i)] = true
		}
		if slices.Contains(seen, false) {
			t.Errorf("%d items: %d is never the place of one", n, slices.Index(seen, false))
		}
	}
}

// The hot tenth of a region must not lie in one corner.
func TestScatterSpreads(t *testing.T) {
	const n = 8192
	place, parts := scatter(n), make([]int, 8)
	for i := range n / 10 {
		parts[place(i)*len(parts)/n]++
	}
	for i, got := range parts {
		if want := n / 10 / len(parts); got < want-3 || got > want+3 {
			t.Errorf("part %d has %d hot items, want about %d", i, got, want)
		}
	}
}

// Chi-square against the exact probabilities. Ranks are put together until enough are expected of each.
func TestZipfIsExact(t *testing.T) {
	const picks = 200_000
	for _, n := range []int{1, 2, 10, 1000, 300_000} {
		for _, q := range []float64{0.2, 0.99, 1, 1.00000001, 1.5, 3, 5} {
			z, d := newZipf(n, q), dice{mix(uint64(n) + uint64(q*100))}
			seen := count(func() int { return z.rank(d.uniform) - 1 }, n, picks)
			sum := 0.0
			for i := range n {
				sum += math.Pow(float64(i+1), -q)
			}
			var chi, expected, observed float64
			bins := 0
			for i := range n {
				expected += picks * math.Pow(float64(i+1), -q) / sum
				observed += float64(seen[i])
				if expected < 20 && i < n-1 {
					continue
				}
				if expected > 0 {
					chi += (observed - expected) * (observed - expected) / max(expected, 1)
				}
				bins++
				expected, observed = 0, 0
			}
			// Wilson and Hilferty's approximation of the quantile that chance exceeds once in 10^5.
			df := max(float64(bins-1), 1)
			limit := df * math.Pow(1-2/(9*df)+4.27*math.Sqrt(2/(9*df)), 3)
			if chi > limit {
				t.Errorf("n %d, exponent %v: chi-square %.1f in %d bins, want at most %.1f", n, q, chi, bins, limit)
			}
		}
	}
}

func TestZipfOfMany(t *testing.T) {
	const n = 1 << 28
	for _, q := range []float64{0.01, 0.99, 1, 5} {
		z, d := newZipf(n, q), dice{9}
		most := 0
		for range 100_000 {
			k := z.rank(d.uniform)
			if k < 1 || k > n {
				t.Fatalf("exponent %v: rank %d", q, k)
			}
			most = max(most, k)
		}
		if q <= 1 && most < n/2 {
			t.Errorf("exponent %v: the highest rank of 100,000 is %d", q, most)
		}
	}
}
