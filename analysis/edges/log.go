package edges

import (
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"
	"virtscope/results"
)

// A Log is the records of a trial on the controller's clock. Nobody changes it.
type Log struct {
	byName map[string][]results.Record
	bounds map[string]time.Duration
}

// NewLog takes records by name, each list in the order of time, and the error bound of each host's clock.
func NewLog(byName map[string][]results.Record, bounds map[string]time.Duration) *Log {
	return &Log{byName, bounds}
}

// With is l with other records of a name, in the order of time.
func (l *Log) With(name string, list []results.Record) *Log {
	byName := maps.Clone(l.byName)
	byName[name] = list
	return &Log{byName, l.bounds}
}

// A Window is a span of time on the controller's clock, in ns. Both ends are part of it.
type Window struct{ From, To int64 }

// Seconds is how long the window is.
func (w Window) Seconds() float64 { return seconds(max(0, w.To-w.From)) }

// Named are the records of a name, in the order of time. The caller must not change them.
func (l *Log) Named(name string) []results.Record { return l.byName[name] }

// In are the records of a name within w. The caller must not change them.
func (l *Log) In(name string, w Window) []results.Record {
	list := l.byName[name]
	from := sort.Search(len(list), func(i int) bool { return list[i].Time >= w.From })
	to := sort.Search(len(list), func(i int) bool { return list[i].Time > w.To })
	if from >= to {
		return nil
	}
	return list[from:to]
}

// All are the records of some names within w, in the order of time; those of one instant in the order of the names.
func (l *Log) All(w Window, names ...string) []results.Record {
	var list []results.Record
	for _, name := range names {
		list = append(list, l.In(name, w)...)
	}
	slices.SortStableFunc(list, func(a, b results.Record) int { return int(min(1, max(-1, a.Time-b.Time))) })
	return list
}

// Names are the names of all records.
func (l *Log) Names() []string {
	var list []string
	for name := range l.byName {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Edge is the instant of a record. Its attr "bound" (s), where it has one, is by how much the truth may be earlier.
func (l *Log) Edge(r results.Record) Edge {
	e := Edge{Time: r.Time, Clock: l.bounds[r.Host], Host: r.Host, What: r.Name}
	if r.Source == results.SourceQMP {
		e.Stamp = QMPStamp
	}
	if v, ok := Seconds(r, "bound"); ok {
		e.Early = time.Duration(v * 1e9)
	}
	return e
}

// most bounds what is believed of an attribute: 30 years in s.
const most = 1e9

// Seconds reads an attribute that holds s, not below 0; ok is false if it does not.
func Seconds(r results.Record, attr string) (v float64, ok bool) {
	v, err := strconv.ParseFloat(r.Attrs[attr], 64)
	if err != nil || !(v >= 0 && v <= most) {
		return 0, false
	}
	return v, true
}

// Number reads an attribute that holds a number, not below 0; ok is false if it does not.
func Number(r results.Record, attr string) (v float64, ok bool) {
	v, err := strconv.ParseFloat(r.Attrs[attr], 64)
	if err != nil || !(v >= 0) || math.IsInf(v, 1) {
		return 0, false
	}
	return v, true
}

// Mono reads attr "mono", the guest's clock in ns; ok is false if there is none.
func Mono(r results.Record) (ns int64, ok bool) {
	ns, err := strconv.ParseInt(r.Attrs["mono"], 10, 64)
	return ns, err == nil && ns >= 0 && ns <= 1<<61
}
