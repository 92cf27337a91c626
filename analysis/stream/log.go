package stream

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Bounds of what is believed: sums and differences of two cannot overflow.
const (
	maxTime  = 1 << 61 // ns
	maxCount = 1 << 60
)

// whole are the attributes that are whole numbers from 0 on.
var whole = []string{"earliest", "latest", "offset", "packet", "skipped", "frames", "round", "page"}

// check refuses what no decoder records.
func check(r results.Record) error {
	if r.Time < 0 || r.Time > maxTime {
		return fmt.Errorf("%s: time %d ns is not a time since 1970", r.Name, r.Time)
	}
	if !(r.Value >= 0 && r.Value <= maxCount) {
		return fmt.Errorf("%s: value %v is neither a count nor a time", r.Name, r.Value)
	}
	for _, name := range whole {
		text, ok := r.Attrs[name]
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 0 || n > maxTime {
			return fmt.Errorf("%s: %s %q is not a whole number from 0 on", r.Name, name, text)
		}
	}
	switch r.Name {
	case results.WireRound:
		if n := r.Value; n < 1 || n > 1e9 || n != math.Trunc(n) {
			return fmt.Errorf("%s: %v is not the number of a round", r.Name, n)
		}
	case results.WireBytes:
		if bin, err := strconv.ParseFloat(r.Attrs["bin"], 64); err != nil || !(bin >= 1e-9 && bin <= 1e6) {
			return fmt.Errorf("%s: bin %q is not a length in s", r.Name, r.Attrs["bin"])
		}
	}
	return nil
}

// number is a whole attribute that check has seen; 0 if there is none.
func number(r results.Record, name string) int64 {
	n, _ := strconv.ParseInt(r.Attrs[name], 10, 64)
	return n
}

// A log is what was recorded of one stream, or of one guest: by name, in order of time.
type log struct {
	name   string // of the stream; "" of a guest
	mac    string
	byName map[string][]results.Record
	notes  []string
}

func (l *log) note(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(l.notes, s) {
		l.notes = append(l.notes, s)
	}
}

// last is the last record of a name whose attributes are as given: name, value, …; an empty value wants it absent.
func (l *log) last(name string, attrs ...string) (results.Record, bool) {
	for _, r := range slices.Backward(l.byName[name]) {
		if has(r, attrs) {
			return r, true
		}
	}
	return results.Record{}, false
}

func has(r results.Record, attrs []string) bool {
	for i := 0; i+1 < len(attrs); i += 2 {
		if r.Attrs[attrs[i]] != attrs[i+1] {
			return false
		}
	}
	return true
}

// values lists the values of an attribute over the records of a name, in order of appearance.
func (l *log) values(name, attr string, attrs ...string) []string {
	var list []string
	for _, r := range l.byName[name] {
		if v := r.Attrs[attr]; v != "" && has(r, attrs) && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// Why a count is a lower bound.
const (
	missing = "packets are missing from the capture"
	unseen  = "the hypervisor makes synchronisations that leave no trace in the stream"
)

// sum is a record's value: exact, or at least that.
func sum(r results.Record) quantity.Quantity {
	if r.Attrs["atleast"] == "true" {
		why := missing
		if r.Name == results.WireSyncs {
			why = unseen
		}
		return quantity.AtLeast(r.Value, r.Unit, why)
	}
	return quantity.Exactly(r.Value, r.Unit)
}

// total is the last record of a name with such attributes; unknown for the reason given if there is none.
func (l *log) total(name string, u results.Unit, why string, attrs ...string) quantity.Quantity {
	r, ok := l.last(name, attrs...)
	if !ok {
		return quantity.Unknown(u, why)
	}
	r.Unit = u
	return sum(r)
}

// inferred reports whether a record was concluded from a stream's shape.
func inferred(r results.Record) bool { return r.Attrs["inferred"] == "true" }
