package degradation

import (
	"fmt"
	"math"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// What a baseline must have to hold anything against it.
const (
	shortest  = int64(1e9) // ns of bins that lie inside it
	fewest    = 8          // of them
	tooNoisy  = 0.2        // share of them below a level, from which on time below that level says nothing
	tooLossy  = 0.1        // s that noise alone loses each second
	fullSpeed = 0.9        // of the baseline
	steady    = int64(5e8) // ns for which full speed, or a latency, must hold
)

// A track is the bins of a service in order of time.
type track struct {
	bins []bin
	asks bool // want is what was asked for in each
	unit results.Unit
	w    Windows

	base    float64 // done of want, or done each second, in the baseline
	ratios  []float64
	own     []float64                                // ratios of the baseline's own bins
	why     string                                   // base is not known
	slack   int64                                    // ns by which work may lie outside the bin in which it was counted, at the edges of the span
	between func(from, to int64) (low, high float64) // bounds of what was done from one time to another; nil is what the bins say
	tail    int64                                    // ns at the end of the span that were cut off, as nothing is known of them
}

// prepare finds the baseline's level and the ratios.
func (t *track) prepare() {
	var done, want float64
	var inside []bin
	length := int64(0)
	for _, b := range t.bins {
		if t.w.inBaseline(b) {
			inside = append(inside, b)
			done += b.done
			want += b.want
			length += b.to - b.from
		}
	}
	if !t.asks {
		want = seconds(length)
	}
	switch {
	case len(t.bins) == 0:
		t.why = "there are no records of it"
	case t.w.Baseline.length() == 0:
		t.why = "there was no baseline"
	case len(inside) == 0:
		t.why = "there are no records of it in the baseline"
	case length < shortest || len(inside) < fewest:
		t.why = fmt.Sprintf("the baseline is too short: %d bins of it, %s together, lie inside; it takes %d and %s",
			len(inside), quantity.Duration(seconds(length)), fewest, quantity.Duration(seconds(shortest)))
	case want <= 0:
		t.why = "nothing was asked for in the baseline"
	case done <= 0:
		t.why = "nothing was done in the baseline"
	}
	if t.why != "" {
		return
	}
	t.base = done / want
	for _, b := range t.bins {
		t.ratios = append(t.ratios, t.ratio(b))
	}
	for _, b := range inside {
		if r := t.ratio(b); !math.IsNaN(r) {
			t.own = append(t.own, r)
		}
	}
}

// ratio is NaN if nothing was asked for, so that nobody knows what would have been done.
func (t *track) ratio(b bin) float64 {
	want := b.want
	if !t.asks {
		want = seconds(b.to - b.from)
	}
	if want <= 0 {
		return math.NaN()
	}
	return b.done / want / t.base
}

// trim ends the span with the last bin of which something is known, if that is not more than limit (ns) before its end.
func (t *track) trim(limit int64) {
	for i := len(t.ratios) - 1; i >= 0; i-- {
		if math.IsNaN(t.ratios[i]) {
			continue
		}
		end := t.bins[i].to
		if rest := t.w.span().To - end; rest > 0 && rest <= limit && end > t.w.Action.From {
			t.tail = rest
			t.w.Action.To = min(t.w.Action.To, end)
			t.w.After.To = max(t.w.After.From, min(t.w.After.To, end))
		}
		return
	}
}

// share of the baseline's own bins that are below a level.
func (t *track) share(level float64) float64 {
	n := 0
	for _, r := range t.own {
		if r < level {
			n++
		}
	}
	return float64(n) / float64(len(t.own))
}

func (t *track) noise() quantity.Quantity {
	if t.why != "" {
		return quantity.Unknown(results.One, t.why)
	}
	return quantity.Exactly(t.share(fullSpeed), results.One)
}

// level is the throughput over the bins of a window.
func (t *track) level(in func(bin) bool, none string) quantity.Quantity {
	var done float64
	length := int64(0)
	var all bin
	for _, b := range t.bins {
		if in(b) {
			if length == 0 {
				all.from = b.from
			}
			all.to = b.to
			done += b.done
			length += b.to - b.from
		}
	}
	switch {
	case len(t.bins) == 0:
		return quantity.Unknown(t.unit, "there are no records of it")
	case length == 0:
		return quantity.Unknown(t.unit, none)
	case t.between != nil:
		low, high := t.between(all.from, all.to)
		return quantity.Within(done/seconds(length), low/seconds(length), high/seconds(length), t.unit)
	}
	return quantity.Exactly(done/seconds(length), t.unit)
}

// missing is for how long of the span nobody knows the ratio.
func (t *track) missing() int64 {
	span := t.w.span()
	left := span.length()
	for i, b := range t.bins {
		if !math.IsNaN(t.ratios[i]) {
			left -= span.overlap(b)
		}
	}
	return left
}

// add sums up, over the bins of the span, what weigh makes of each one's ratio, as a share of its time. A bin across an
// edge of the span counts with its part inside; the bounds say how much of what it shows may lie on either side.
func (t *track) add(weigh func(ratio float64) float64) quantity.Quantity {
	if t.why != "" {
		return quantity.Unknown(results.Seconds, t.why)
	}
	span := t.w.span()
	var v, low, high float64
	for i, b := range t.bins {
		inside := seconds(span.overlap(b))
		if inside == 0 || math.IsNaN(t.ratios[i]) {
			continue
		}
		whole := weigh(t.ratios[i]) * seconds(b.to-b.from)
		v += min(whole, inside)
		low += max(0, whole-(seconds(b.to-b.from)-inside))
		high += min(whole, inside)
	}
	if m := t.missing(); m > 0 {
		return atLeastSome(low, results.Seconds, fmt.Sprintf("nothing was recorded of it for %s of the time", quantity.Duration(seconds(m))))
	}
	high = min(high+2*seconds(t.slack), seconds(span.length())) + seconds(t.tail)
	return quantity.Within(v, max(0, low-2*seconds(t.slack)), high, results.Seconds)
}

func (t *track) below(level float64) quantity.Quantity {
	if t.why == "" {
		if noise := t.share(level); noise > tooNoisy {
			return quantity.Unknown(results.Seconds, fmt.Sprintf("the baseline is too noisy: %.0f %% of its own bins are below %.0f %%", 100*noise, 100*level))
		}
	}
	return t.add(func(ratio float64) float64 {
		if ratio < level {
			return 1
		}
		return 0
	})
}

// rounding is what sums of floating-point numbers may be off by, as a share: less is no deficit.
const rounding = 1e-9

func deficit(ratio float64) float64 {
	if d := 1 - ratio; d > rounding {
		return d
	}
	return 0
}

func (t *track) lost() quantity.Quantity {
	if t.why == "" {
		if each := t.lossEach(); each > tooLossy {
			return quantity.Unknown(results.Seconds, fmt.Sprintf("the baseline is too noisy: it loses %.2f s each second itself", each))
		}
	}
	q := t.add(deficit)
	if floor := t.lostFloor(); q.Censored && q.Value <= floor.Value {
		return quantity.Unknown(q.Unit, q.Why+", and of the rest no more is lost than noise alone would lose")
	}
	return q
}

// lossEach is what the baseline loses to its own noise, in s each second.
func (t *track) lossEach() float64 {
	sum := 0.0
	for _, r := range t.own {
		sum += deficit(r)
	}
	return sum / float64(len(t.own))
}

func (t *track) lostFloor() quantity.Quantity {
	if t.why != "" {
		return quantity.Unknown(results.Seconds, t.why)
	}
	return quantity.Exactly(t.lossEach()*seconds(t.w.span().length()), results.Seconds)
}

func (t *track) recovery() quantity.Quantity {
	const u = results.Seconds
	if t.why != "" {
		return quantity.Unknown(u, t.why)
	}
	if noise := t.share(fullSpeed); noise > tooNoisy {
		return quantity.Unknown(u, fmt.Sprintf("the baseline is too noisy: %.0f %% of its own bins are below %.0f %%", 100*noise, 100*fullSpeed))
	}
	q := firstSteady(t.bins, t.w, func(i int) verdict {
		switch r := t.ratios[i]; {
		case math.IsNaN(r):
			return untold
		case r < fullSpeed:
			return bad
		}
		return good
	})
	if !q.Known || t.slack == 0 {
		return q
	}
	if q.Censored {
		return quantity.AtLeast(max(0, q.Value-seconds(t.slack)), u, q.Why)
	}
	return quantity.Within(q.Value, max(0, q.Low-seconds(t.slack)), q.High+seconds(t.slack), u)
}
