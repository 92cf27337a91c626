package degradation

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Writes is how long the disk workload's writes took in the guest, by its own clock, in s: time for which the guest was
// stopped is not in it. The guest counts them by powers of two; a quantile lies within its bucket, and the value is the
// bucket's geometric middle. The longest is exact.
type Writes struct {
	Baseline WriteTimes `json:"baseline"`
	Action   WriteTimes `json:"action"`
	After    WriteTimes `json:"after"`
}

// WriteTimes are those of one window.
type WriteTimes struct {
	Count int64             `json:"count"`
	P50   quantity.Quantity `json:"p50"`
	P90   quantity.Quantity `json:"p90"`
	P99   quantity.Quantity `json:"p99"`
	Max   quantity.Quantity `json:"max"`
}

// tenth is the time that one report covers, in ns.
const tenth = int64(1e8)

// buckets is how many powers of two of a µs are believed: the last is 2^39 µs, six days.
const buckets = 40

type writeCounts struct {
	counts [buckets]int64
	n      int64
	most   float64
	wrong  bool
}

// writes sorts the reports into windows. One covers the tenth of a second of the guest's clock before its attribute mono,
// and is placed as a counter's reading is: a report may arrive seconds after the stall that it tells of. Where that tenth
// lies across an edge, or may, it belongs to the action.
func writes(records []results.Record, w Windows) *Writes {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b results.Record) int { return cmp.Compare(a.Time, b.Time) })
	ends := make([]reading, len(records))
	for i, r := range records {
		ends[i] = read(r, 0)
	}
	first, slack := settle(ends, w)
	slack = min(slack, lagLimit) // more is a time in which nothing was written
	var before, in, after writeCounts
	for i, r := range records {
		b := bin{from: ends[i].at - tenth - slack, to: ends[i].at + slack}
		if i >= first && ends[i].at-tenth < w.Resume {
			b.from -= w.Resume - w.Stop // while which the guest's clock stood still
		}
		switch {
		case w.inBaseline(b):
			before.add(r)
		case w.inAction(b):
			in.add(r)
		case w.inAfter(b):
			after.add(r)
		}
	}
	return &Writes{before.times(), in.times(), after.times()}
}

func (c *writeCounts) add(r results.Record) {
	fields := strings.Split(r.Attrs["counts"], ",")
	if len(fields) > buckets || r.Value < 0 {
		c.wrong = true
		return
	}
	c.most = max(c.most, r.Value)
	for i, f := range fields {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil || n < 0 || n > 1e12 {
			c.wrong = true
			return
		}
		c.counts[i] += n
		c.n += n
	}
}

func (c *writeCounts) times() WriteTimes {
	t := WriteTimes{Count: c.n, P50: c.quantile(0.5), P90: c.quantile(0.9), P99: c.quantile(0.99)}
	t.Max = c.why()
	if t.Max.Why == "" {
		t.Max = quantity.Exactly(c.most, results.Seconds)
	}
	return t
}

// why says why nothing is known, or nothing.
func (c *writeCounts) why() quantity.Quantity {
	switch {
	case c.wrong:
		return quantity.Unknown(results.Seconds, "a report of the disk's times could not be read")
	case c.n == 0:
		return quantity.Unknown(results.Seconds, "no write was done")
	}
	return quantity.Quantity{}
}

func (c *writeCounts) quantile(q float64) quantity.Quantity {
	if u := c.why(); u.Why != "" {
		return u
	}
	if float64(c.n)*(1-q) < 1-1e-9 {
		return quantity.Unknown(results.Seconds, strconv.FormatInt(c.n, 10)+" writes are too few for it")
	}
	rank := max(1, int64(math.Ceil(q*float64(c.n)-1e-9)))
	var sum int64
	i := slices.IndexFunc(c.counts[:], func(n int64) bool {
		sum += n
		return sum >= rank
	})
	high := math.Ldexp(1e-6, i)
	low := high / 2
	if i == 0 {
		low = 0 // below 1 µs
	}
	return quantity.Within(min(c.most, math.Sqrt(low*high)), low, min(high, max(low, c.most)), results.Seconds)
}
