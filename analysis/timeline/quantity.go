package timeline

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

func exactly(v float64, u results.Unit) Quantity { return within(v, v, v, u) }

// within is a known quantity. The interval is widened to hold the value, so that rounding cannot put it outside.
func within(v, low, high float64, u results.Unit) Quantity {
	if math.IsNaN(v) || math.IsInf(v, 0) || math.IsNaN(low) || math.IsInf(low, 0) || math.IsNaN(high) || math.IsInf(high, 0) {
		return unknown(u, "the arithmetic overflowed: a record holds an absurd value")
	}
	return Quantity{Value: v, Low: min(v, low), High: max(v, high), Unit: u, Known: true}
}

func unknown(u results.Unit, why string) Quantity { return Quantity{Unit: u, Why: why} }

func atLeast(v float64, u results.Unit, why string) Quantity {
	q := within(v, v, v, u)
	q.Censored, q.Why = q.Known, why
	return q
}

// seconds converts ns to s.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// quantile is the p-quantile of sorted values by linear interpolation between order statistics (Hyndman and Fan 1996,
// type 7). There must be a value.
func quantile(sorted []int64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return float64(sorted[len(sorted)-1])
	}
	return float64(sorted[i]) + (h-float64(i))*float64(sorted[i+1]-sorted[i])
}
