package timeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// maxTime bounds the times that Build takes, in ns: sums and differences of two cannot overflow.
const maxTime = 1 << 61

// An index holds the records by name, on the controller's clock, in order of time.
type index struct {
	byName     map[string][]results.Record
	clocks     map[string]Clock
	controller string // the runner's host; "" if the runner recorded nothing
}

func newIndex(records []results.Record) (*index, error) {
	clocks, err := readClocks(records)
	if err != nil {
		return nil, err
	}
	x := &index{byName: map[string][]results.Record{}, clocks: clocks}
	for i := range records {
		r := records[i]
		if r.Time < 0 || r.Time > maxTime {
			return nil, fmt.Errorf("index record %d (%s): time %d ns is not a time since 1970", i+1, r.Name, r.Time)
		}
		if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
			return nil, fmt.Errorf("index record %d (%s): value %v is not a number", i+1, r.Name, r.Value)
		}
		if r.Source == results.SourceRunner && x.controller == "" {
			x.controller = r.Host
		}
		r.Time -= int64(clocks[r.Host].Offset)
		x.byName[r.Name] = append(x.byName[r.Name], r)
	}
	for _, list := range x.byName {
		slices.SortStableFunc(list, func(a, b results.Record) int { return cmp.Compare(a.Time, b.Time) })
	}
	return x, nil
}

// A window is a span of time on the controller's clock, in ns. Both ends are part of it.
type window struct{ from, to int64 }

func (w window) holds(t int64) bool       { return t >= w.from && t <= w.to }
func (w window) overlaps(a, b int64) bool { return b >= w.from && a <= w.to }
func (w window) length() int64            { return w.to - w.from }

// in returns the records of a name within w. The caller must not change them.
func (x *index) in(name string, w window) []results.Record {
	list := x.byName[name]
	from := sort.Search(len(list), func(i int) bool { return list[i].Time >= w.from })
	to := sort.Search(len(list), func(i int) bool { return list[i].Time > w.to })
	if from >= to {
		return nil
	}
	return list[from:to]
}

// An Edge is an instant at which a span begins or ends.
type Edge = edges.Edge

func (x *index) edge(r results.Record) Edge {
	e := Edge{Time: r.Time, Clock: x.clocks[r.Host].Bound, Host: r.Host, What: r.Name}
	if r.Source == results.SourceQMP {
		e.Stamp = edges.QMPStamp
	}
	return e
}

// between is the time from a to b in s, with its error.
func between(a, b Edge) quantity.Quantity { return edges.Between(a, b) }

// nanoseconds reads an attribute that holds ns; ok is false if it does not.
func nanoseconds(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n <= maxTime
}
