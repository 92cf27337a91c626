package degradation

import "math"

// A Series is what a plot of a service draws.
type Series struct {
	Ratios  []RatioPoint   `json:"ratios,omitempty"`
	Latency []LatencyPoint `json:"latency,omitempty"`
}

// A RatioPoint is a bin: from T to T + Width, in s since the action began.
type RatioPoint struct {
	T     float64 `json:"t"`
	Width float64 `json:"width"`
	Ratio float64 `json:"ratio"` // of the baseline
}

// A LatencyPoint is the requests that were due in a bin; in s. A quantile that falls among requests that were never
// answered, or of a bin without any, is missing.
type LatencyPoint struct {
	T     float64  `json:"t"`
	Width float64  `json:"width"`
	P50   *float64 `json:"p50,omitempty"`
	P99   *float64 `json:"p99,omitempty"` // the longest, where there are fewer than 100
}

// series is empty of ratios where the baseline is not known.
func series(t *track, due []*requests) Series {
	var s Series
	for i, r := range t.ratios {
		if b := t.bins[i]; !math.IsNaN(r) {
			s.Ratios = append(s.Ratios, RatioPoint{seconds(b.from - t.w.Action.From), seconds(b.to - b.from), r})
		}
	}
	for _, q := range due {
		var p pool
		p.add(q)
		s.Latency = append(s.Latency, LatencyPoint{
			T: seconds(q.from - t.w.Action.From), Width: seconds(q.to - q.from), P50: p.point(0.5), P99: p.point(0.99),
		})
	}
	return s
}

// point is a quantile by the nearest rank, however few there are.
func (p *pool) point(q float64) *float64 {
	rank := max(1, int64(math.Ceil(q*float64(p.due()))))
	if p.hist == nil || rank > p.ok || p.hist.TotalCount() != p.ok {
		return nil
	}
	v := float64(p.hist.ValueAtPercentile(100*float64(rank)/float64(p.ok))) / 1e6
	return &v
}
