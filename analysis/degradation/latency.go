package degradation

import (
	"fmt"
	"math"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is how long the requests that were due in a window took, from when they were due, in s. One that failed or was
// never answered counts as slower than any that was answered: a quantile that falls among them is at least the longest
// latency seen. The bounds are the histogram's buckets (three significant digits).
type Latency struct {
	Due     int64 `json:"due"` // requests
	Failed  int64 `json:"failed"`
	Pending int64 `json:"pending"` // not answered when the client stopped

	P50 quantity.Quantity `json:"p50"`
	P90 quantity.Quantity `json:"p90"`
	P99 quantity.Quantity `json:"p99"`
	Max quantity.Quantity `json:"max"`
}

// requests are those that were due in one bin.
type requests struct {
	bin
	ok, failed, pending int64
	longest             float64                 // s
	late                float64                 // s: the client's own
	hist                *hdrhistogram.Histogram // µs; nil if none was answered
}

func (r *requests) due() int64 { return r.ok + r.failed + r.pending }

// A pool is requests of several bins together.
type pool struct {
	ok, failed, pending int64
	longest             float64
	hist                *hdrhistogram.Histogram
	lost                int64 // latencies that found no room
}

func (p *pool) add(r *requests) {
	p.ok += r.ok
	p.failed += r.failed
	p.pending += r.pending
	p.longest = max(p.longest, r.longest)
	if r.hist == nil {
		return
	}
	if p.hist == nil {
		p.hist = hdrhistogram.New(r.hist.LowestTrackableValue(), r.hist.HighestTrackableValue(), int(r.hist.SignificantFigures()))
	}
	p.lost += p.hist.Merge(r.hist)
}

func (p *pool) due() int64 { return p.ok + p.failed + p.pending }

// latency of the pool; none says why there are no requests in it.
func (p *pool) latency(none string) *Latency {
	l := &Latency{Due: p.due(), Failed: p.failed, Pending: p.pending}
	l.P50, l.P90, l.P99 = p.quantile(0.5, none), p.quantile(0.9, none), p.quantile(0.99, none)
	l.Max = p.most(none)
	return l
}

func (p *pool) unserved() string {
	return fmt.Sprintf("%d of %d requests failed or were not answered while they were observed", p.failed+p.pending, p.due())
}

func (p *pool) most(none string) quantity.Quantity {
	const u = results.Seconds
	switch {
	case p.due() == 0:
		return quantity.Unknown(u, none)
	case p.ok == 0:
		return quantity.Unknown(u, p.unserved())
	case p.ok < p.due():
		return quantity.AtLeast(p.longest, u, p.unserved())
	}
	return quantity.Exactly(p.longest, u)
}

// quantile is the least latency that a share of q of the requests did not exceed (nearest rank). It takes so many that one
// at least lies beyond.
func (p *pool) quantile(q float64, none string) quantity.Quantity {
	const u = results.Seconds
	n := p.due()
	switch {
	case n == 0:
		return quantity.Unknown(u, none)
	case p.lost > 0 || p.hist == nil && p.ok > 0 || p.hist != nil && p.hist.TotalCount() != p.ok:
		return quantity.Unknown(u, "the histograms do not hold as many latencies as requests were answered")
	case float64(n)*(1-q) < 1-1e-9:
		return quantity.Unknown(u, fmt.Sprintf("%d requests are too few for it", n))
	case p.ok == 0:
		return quantity.Unknown(u, p.unserved())
	}
	rank := max(1, int64(math.Ceil(q*float64(n)-1e-9)))
	if rank > p.ok {
		return quantity.AtLeast(p.longest, u, p.unserved())
	}
	low, high := bucket(p.hist, rank)
	// A value was rounded to whole µs before it was counted.
	return quantity.Within(float64(low+high)/2e6, max(0, float64(low)-0.5)/1e6, (float64(high)+0.5)/1e6, u)
}

// bucket is the bucket of the value with a rank, from 1 to the number of values, in µs.
func bucket(h *hdrhistogram.Histogram, rank int64) (low, high int64) {
	var sum int64
	for _, b := range h.Distribution() {
		sum += b.Count
		if sum >= rank && b.Count > 0 {
			return b.From, b.To
		}
	}
	return h.Max(), h.Max()
}

// slower is how many requests took longer than limit (s), the unserved among them. Those in the limit's own bucket did not.
func (p *pool) slower(limit float64) int64 {
	n := p.failed + p.pending
	if p.hist == nil {
		return n
	}
	for _, b := range p.hist.Distribution() {
		if float64(b.From) > limit*1e6 {
			n += b.Count
		}
	}
	return n
}

// The latency is back to normal where at most 1 % of the requests took longer than slowFactor times the baseline's p99.
const (
	slowFactor = 1.5
	slowShare  = 0.01
)

// fewRequests is how many must be due in the time of steady for a share of 1 % to say anything.
const fewRequests = 20

// latencyRecovery looks, from each bin on, at the requests that were due in the time of steady.
func latencyRecovery(list []*requests, w Windows, p99 quantity.Quantity) quantity.Quantity {
	const u = results.Seconds
	switch {
	case w.Resume == 0:
		return quantity.Unknown(u, "it is not known when the guest ran again")
	case !p99.Known:
		return quantity.Unknown(u, "the baseline's p99 is not known: "+p99.Why)
	case p99.Censored:
		return quantity.Unknown(u, "the baseline's p99 has no upper bound: "+p99.Why)
	}
	previous := w.Resume
	for i, q := range list {
		if q.to <= w.Resume {
			continue
		}
		began := seconds(max(0, q.from-w.Resume))
		if list[len(list)-1].to < q.from+steady || q.from >= w.span().To {
			return quantity.AtLeast(began, u, "the observation ended before it was back for 0.5 s")
		}
		var p pool
		for j := i; j < len(list) && list[j].from < q.from+steady; j++ {
			p.add(list[j])
		}
		if p.due() < fewRequests {
			return quantity.Unknown(u, fmt.Sprintf("only %d requests were due in 0.5 s", p.due()))
		}
		if float64(p.slower(slowFactor*p99.Value)) <= slowShare*float64(p.due()) {
			return quantity.Within(began, seconds(max(0, previous-w.Resume)), began, u)
		}
		previous = q.from
	}
	return quantity.Unknown(u, "no request was due after the guest ran again")
}
