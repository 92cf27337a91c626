package published

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// pageSize is that of the pages that metrics count, in B (x86 guests).
const pageSize = 4096

// A figure is a metric over the trials of one treatment.
type figure struct {
	at     []results.Level
	sample stats.Sample
	unit   results.Unit
	have   int    // known values
	why    string // why none, or some, are not known
}

// figure finds a claim's metric at a treatment.
func (r run) figure(c Claim, at []results.Level) figure {
	i := slices.IndexFunc(r.treatments, func(t dataset.Treatment) bool { return slices.Equal(t.Levels, at) })
	if i < 0 {
		return figure{at: at, why: "no trial at " + r.name(at) + " has ended"}
	}
	t := r.treatments[i]
	sample, unit, err := t.Sample(c.Metric)
	if err != nil {
		return figure{at: at, why: err.Error()}
	}
	f := figure{at: at, sample: sample, unit: unit}
	for _, d := range sample.Data() {
		if d.Known {
			f.have++
		}
	}
	f.why = missing(t, c.Metric, f.have, sample.Len(), r.name(at))
	return f
}

// missing says why trials have no value.
func missing(t dataset.Treatment, name string, have, all int, at string) string {
	if have == all && all > 0 {
		return ""
	}
	if all == 0 {
		return "no trial at " + at + " counts"
	}
	why := ""
	for _, trial := range t.Trials {
		m, ok := trial.Metric(name)
		switch {
		case !trial.Counted() || ok && m.Known:
			continue
		case !ok:
			why = "a trial has no such metric"
		case m.Why != "":
			why = m.Why
		default:
			why = "no reason was given"
		}
		break
	}
	if have == 0 {
		return fmt.Sprintf("%s at %s is not known: %s", name, at, why)
	}
	return fmt.Sprintf("%s at %s is not known of %d of %d trials: %s", name, at, all-have, all, why)
}

func (f figure) known() bool { return f.have > 0 }

// n is how many trials have a value.
func (f figure) n() string {
	if f.have == f.sample.Len() {
		return fmt.Sprint(f.have)
	}
	return fmt.Sprintf("%d of %d", f.have, f.sample.Len())
}

// over is each value over an amount in B. Counts are of pages.
func (f figure) over(amount float64) figure {
	switch f.unit {
	case results.Bytes:
	case results.One:
		amount /= pageSize
	default:
		if f.known() {
			f.have, f.why = 0, fmt.Sprintf("a figure in %s is no share of an amount of data", f.unit)
		}
		return f
	}
	if !(amount > 0) {
		f.have, f.why = 0, "the amount that it is a share of is not known"
		return f
	}
	data := f.sample.Data()
	for i := range data {
		data[i].Value /= amount
	}
	sample, err := stats.NewSample(data)
	if err != nil {
		f.have, f.why = 0, err.Error()
		return f
	}
	f.sample, f.unit = sample, results.One
	return f
}

// summary is the median, with its interval or the range.
func (f figure) summary(confidence float64) measured {
	s := stats.Summarise(f.sample, confidence)
	m := measured{
		value: s.Median.Value, atLeast: s.Median.AtLeast, known: true, why: f.why,
		from: s.Min.Value, to: s.Max.Value, ranged: s.Known > 1 && !s.Max.AtLeast,
	}
	i := s.MedianInterval
	if !i.Known {
		m.why = join(i.Why, m.why)
		return m
	}
	m.interval, m.low, m.high = true, i.Low.Value, i.High.Value
	if i.High.AtLeast {
		m.high = math.Inf(1)
	}
	return m
}

// ratio is head over base.
func (r run) ratio(base, head figure) measured {
	note := join(head.why, base.why)
	if r.how.Ratio != nil {
		e := r.how.Ratio(base.sample, head.sample)
		if e.Known {
			return measured{value: e.Value, low: e.Low, high: e.High, known: true, interval: true, why: join(e.Why, note)}
		}
		note = join(e.Why, note)
	}
	return medianRatio(base, head, note)
}

// medianRatio has no interval. What is censored bounds it on one side.
func medianRatio(base, head figure, note string) measured {
	b, h := stats.Summarise(base.sample, 0.95).Median, stats.Summarise(head.sample, 0.95).Median
	switch {
	case !(b.Value > 0) || !(h.Value >= 0):
		return measured{why: join("a ratio needs medians above 0", note)}
	case b.AtLeast && h.AtLeast:
		return measured{why: join("both medians are censored, so that nothing bounds their ratio", note)}
	}
	return measured{
		value: h.Value / b.Value, atLeast: h.AtLeast, atMost: b.AtLeast, known: true, why: join("the ratio of the medians, which has no interval", note),
	}
}
