package stream

import (
	"math"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Kinds of page records, in the order in which they are shown.
var Kinds = []string{
	results.PageNormal, results.PageMultifd, results.PageZero, results.PageXBZRLE, results.PageCompressed, results.PageUnknown,
}

// Pages count page records by kind, one of results.Page…. A kind that did not occur is left out.
type Pages map[string]quantity.Quantity

// Of counts the records of some kinds. A kind that is not there did not occur; where nothing was counted, or a capture with
// holes shows none, the count is unknown.
func (p Pages) Of(kinds ...string) quantity.Quantity {
	if len(p) == 0 {
		return quantity.Unknown(results.One, "no page record was decoded")
	}
	holes := false
	for _, q := range p {
		holes = holes || q.Censored
	}
	sum, found := 0.0, false
	for _, kind := range kinds {
		if q, ok := p[kind]; ok {
			sum, found = sum+q.Value, true
		}
	}
	switch {
	case holes && !found:
		return quantity.Unknown(results.One, "none was decoded, and "+missing)
	case holes:
		return quantity.AtLeast(sum, results.One, missing)
	}
	return quantity.Exactly(sum, results.One)
}

// All counts the records of all kinds.
func (p Pages) All() quantity.Quantity {
	q := p.Of(Kinds...)
	if lost := p[results.PageUnknown]; q.Known && lost.Value > 0 {
		return quantity.AtLeast(q.Value, results.One, missing)
	}
	return q
}

// byKind collects the last record of each kind.
func (l *log) byKind(name string, u results.Unit, attrs ...string) Pages {
	pages := Pages{}
	for _, kind := range l.values(name, "kind", attrs...) {
		pages[kind] = l.total(name, u, "", append([]string{"kind", kind}, attrs...)...)
	}
	return pages
}

// maxHead is the longest head of a page record: be64, u8, idstr.
const maxHead = 8 + 1 + 255

// pageSize is the target's page size in B. The stream need not tell it, but pages that were sent whole do: with their heads
// of 8 to 264 B they are a little longer than the power of two that it is.
func pageSize(pages, bytes Pages) quantity.Quantity {
	n, b := pages[results.PageNormal], bytes[results.PageNormal]
	if !n.Known || !b.Known || n.Value <= 0 {
		return quantity.Unknown(results.Bytes, "no page was sent whole in the main channel, which would show its size")
	}
	mean := b.Value / n.Value
	size := math.Exp2(math.Floor(math.Log2(max(1, mean-8))))
	if size < 1024 || mean-size > maxHead {
		return quantity.Unknown(results.Bytes, "the page records' length fits no page size")
	}
	return quantity.Exactly(size, results.Bytes)
}
