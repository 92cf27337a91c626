// Package quantity holds values with the interval in which the truth lies, and writes them for reading.
package quantity

import (
	"math"
	"virtscope/results"
)

// A Quantity is a value with the interval in which the truth lies.
type Quantity struct {
	Value float64      `json:"value"` // in Unit; meaningless unless Known
	Low   float64      `json:"low"`   // the truth is not below
	High  float64      `json:"high"`  // the truth is not above; meaningless if Censored
	Unit  results.Unit `json:"unit"`
	Known bool         `json:"known"`
	// Censored: the truth is at least Value, and nobody saw by how much more.
	Censored bool `json:"censored,omitempty"`
	// Why it is not known or censored.
	Why string `json:"why,omitempty"`
}

// Exactly is a known quantity without error.
func Exactly(v float64, u results.Unit) Quantity { return Within(v, v, v, u) }

// Within is a known quantity. The interval is widened to hold the value, so that rounding cannot put it outside. It is
// unknown if a number is none, or infinite.
func Within(v, low, high float64, u results.Unit) Quantity {
	if math.IsNaN(v) || math.IsInf(v, 0) || math.IsNaN(low) || math.IsInf(low, 0) || math.IsNaN(high) || math.IsInf(high, 0) {
		return Unknown(u, "the arithmetic overflowed: a record holds an absurd value")
	}
	return Quantity{Value: v, Low: min(v, low), High: max(v, high), Unit: u, Known: true}
}

// Unknown has no value, and says why.
func Unknown(u results.Unit, why string) Quantity { return Quantity{Unit: u, Why: why} }

// AtLeast is a censored quantity: the truth is v or more, and why says why nobody knows.
func AtLeast(v float64, u results.Unit, why string) Quantity {
	q := Within(v, v, v, u)
	if q.Known {
		q.Censored, q.Why = true, why
	}
	return q
}

// Rate is what was counted, over the time in which it was; its unit is u.
func Rate(count, time Quantity, u results.Unit) Quantity {
	switch {
	case !count.Known:
		return Unknown(u, count.Why)
	case !time.Known:
		return Unknown(u, time.Why)
	case time.Low <= 0:
		return Unknown(u, "its duration is not above its error bound")
	case count.Censored && time.Censored:
		return Unknown(u, count.Why+"; "+time.Why)
	case time.Censored:
		return Unknown(u, time.Why)
	case count.Censored:
		return AtLeast(count.Value/time.High, u, count.Why)
	}
	return Within(count.Value/time.Value, count.Low/time.High, count.High/time.Low, u)
}
