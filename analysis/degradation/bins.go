package degradation

import (
	"cmp"
	"math"
	"slices"
)

// A bin is what was done in a span of time.
type bin struct {
	from, to int64 // ns
	done     float64
	want     float64 // what was asked for in it, in the same unit; only where a track asks
}

// least is how many requests are due in a bin on average, at least: one answer that slips into the next bin is then 5 %.
const least = 20

// widen joins neighbouring bins, as many as it takes for least of want on average in the baseline. The first bin of the
// action begins one. A hole in the bins ends one early.
func widen(bins []bin, w Windows) []bin {
	want, n := 0.0, 0
	for _, b := range bins {
		if w.inBaseline(b) {
			want += b.want
			n++
		}
	}
	if n == 0 || want <= 0 || want/float64(n) >= least {
		return bins
	}
	by := int(min(float64(len(bins)), math.Ceil(least*float64(n)/want)))
	first := slices.IndexFunc(bins, w.inAction)
	if first < 0 {
		first = 0
	}
	var joined []bin
	for i, b := range bins {
		last := len(joined) - 1
		if last >= 0 && (i-first)%by != 0 && joined[last].to == b.from {
			joined[last].to, joined[last].done, joined[last].want = b.to, joined[last].done+b.done, joined[last].want+b.want
			continue
		}
		joined = append(joined, b)
	}
	return joined
}

func sortBins(bins []bin) {
	slices.SortFunc(bins, func(a, b bin) int { return cmp.Compare(a.from, b.from) })
}
