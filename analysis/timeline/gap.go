package timeline

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A gap is a stretch without a sign of life, and what it says about the outage in it.
type gap struct {
	from, to int64
	outage   quantity.Quantity
	open     bool    // nothing came after it
	before   float64 // s: how long before the action it began, if it surely did (see since)
	whole    float64 // s: the estimate with that part
	step     float64 // s: of the guest's ticker; 0 for other gaps
}

// since cuts what came before the action off the gaps. The outage in a gap that began h before the action may have begun
// then, too, or with the next sign of life that was due. So of the bounds the lower one loses h, and the upper one stays;
// the value is at most the gap's part after the action.
func since(gaps []gap, action int64) []gap {
	cut := make([]gap, len(gaps))
	for i, g := range gaps {
		cut[i] = g
		if g.from >= action || g.to <= action {
			continue
		}
		head, rest := seconds(action-g.from), seconds(g.to-action)
		if g.outage.Low > rest {
			cut[i].before, cut[i].whole = head, g.outage.Value
		}
		low := max(0, g.outage.Low-head)
		if g.outage.Censored {
			cut[i].outage = quantity.AtLeast(low, results.Seconds, g.outage.Why)
			continue
		}
		cut[i].outage = quantity.Within(min(g.outage.Value, rest), low, g.outage.High, results.Seconds)
	}
	return cut
}

// longest is the gap of the largest estimate among those that meet w. Gaps that began before the action overlap there:
// they are views of one silence, which the one that began first tells best.
func longest(gaps []gap, w window) (best gap, ok bool) {
	for _, g := range gaps {
		longer := g.outage.Value > best.outage.Value
		if g.before > 0 && best.before > 0 {
			longer = g.whole > best.whole
		}
		if w.overlaps(g.from, g.to) && (!ok || longer) {
			best, ok = g, true
		}
	}
	return best, ok
}

// floor is the longest silence within the baseline. Of a gap that reaches over its edges, only what lies inside counts: of
// what lies outside, the end may be the action's doing, and the begin is not the baseline's.
func floor(gaps []gap, baseline window) quantity.Quantity {
	best := quantity.Unknown(results.Seconds, "nothing was seen in the baseline")
	for _, g := range gaps {
		from, to := max(g.from, baseline.from), min(g.to, baseline.to)
		if from >= to {
			continue
		}
		inside, outside := seconds(to-from), seconds((g.to-g.from)-(to-from))
		q := g.outage
		if outside > 0 {
			q = quantity.Within(max(0, q.Value-outside), max(0, q.Low-outside), min(q.High, inside), results.Seconds)
		}
		if !best.Known || q.Value > best.Value {
			best = q
		}
	}
	return best
}

// spanning is the gap that shares the most time with w; the longest one if several do.
func spanning(gaps []gap, w window) (best gap, ok bool) {
	shared := int64(-1)
	for _, g := range gaps {
		s := min(g.to, w.to) - max(g.from, w.from)
		if s > shared || s == shared && g.outage.Value > best.outage.Value {
			best, shared, ok = g, s, true
		}
	}
	return best, ok
}
