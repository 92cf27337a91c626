package stream

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Moment is an instant, and the interval in which the truth lies.
type Moment struct {
	Time     int64 `json:"t"`        // ns since the Unix epoch, on the clock of the capture
	Earliest int64 `json:"earliest"` // at most Time
	Latest   int64 `json:"latest"`   // at least Time
	Inferred bool  `json:"inferred,omitempty"`
}

func momentOf(r results.Record) Moment {
	m := at(r.Time)
	m.Inferred = inferred(r)
	if _, ok := r.Attrs["earliest"]; ok {
		m.Earliest = min(m.Earliest, number(r, "earliest"))
	}
	if _, ok := r.Attrs["latest"]; ok {
		m.Latest = max(m.Latest, number(r, "latest"))
	}
	return m
}

// at is an instant that is known to the ns.
func at(t int64) Moment { return Moment{Time: t, Earliest: t, Latest: t} }

// Since is the time from a to m in s, with its interval. It is unknown if m surely came before a.
func (m Moment) Since(a Moment) quantity.Quantity {
	if m.Latest < a.Earliest {
		return quantity.Unknown(results.Seconds, "its end came before its begin")
	}
	return quantity.Within(max(0, seconds(m.Time-a.Time)), max(0, seconds(m.Earliest-a.Latest)), seconds(m.Latest-a.Earliest), results.Seconds)
}

// seconds converts ns to s.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }
