package quantity

import (
	"fmt"
	"math"
	"slices"
	"virtscope/results"
)

// Quantile is the p-quantile of quantities of one unit (type 7 of Hyndman and Fan), of samples within one trial.
//
// A censored one may be anything from its value on, and one that is not known anything at all, though not below 0. The bounds
// hold whatever they are. Where nothing bounds it from above, the quantile is censored if none is unknown, and unknown if one is.
func Quantile(list []Quantity, p float64, u results.Unit, none string) Quantity {
	if len(list) == 0 {
		return Unknown(u, none)
	}
	var value, low, high []float64
	lacking, why, censored := 0, "", ""
	for _, q := range list {
		switch {
		case !q.Known:
			lacking, why = lacking+1, q.Why
			low, high = append(low, 0), append(high, math.Inf(1))
		case q.Censored:
			censored = q.Why
			value, low, high = append(value, q.Value), append(low, q.Value), append(high, math.Inf(1))
		default:
			value, low, high = append(value, q.Value), append(low, q.Low), append(high, q.High)
		}
	}
	for _, v := range [][]float64{value, low, high} {
		slices.Sort(v)
	}
	top := sorted(high, p)
	switch {
	case lacking == len(list):
		return Unknown(u, why)
	case math.IsInf(top, 1) && lacking > 0:
		return Unknown(u, fmt.Sprintf("%d of %d: %s", lacking, len(list), why))
	case math.IsInf(top, 1):
		return AtLeast(sorted(low, p), u, censored)
	}
	return Within(sorted(value, p), sorted(low, p), top, u)
}

// sorted is the p-quantile of sorted values by linear interpolation.
func sorted(list []float64, p float64) float64 {
	h := p * float64(len(list)-1)
	i := int(h)
	if part := h - float64(i); part > 0 {
		if math.IsInf(list[i+1], 1) {
			return list[i+1]
		}
		return list[i] + part*(list[i+1]-list[i])
	}
	return list[i]
}

// Median is the 0.5-quantile.
func Median(list []Quantity, u results.Unit, none string) Quantity {
	return Quantile(list, 0.5, u, none)
}

// Sum adds quantities of one unit up. It is unknown if one is, and censored if one is.
func Sum(list []Quantity, u results.Unit, none string) Quantity {
	if len(list) == 0 {
		return Unknown(u, none)
	}
	var value, low, high float64
	why := ""
	for _, q := range list {
		if !q.Known {
			return Unknown(u, q.Why)
		}
		if q.Censored {
			why = q.Why
		}
		value, low, high = value+q.Value, low+q.Low, high+q.High
	}
	if why != "" {
		return AtLeast(value, u, why)
	}
	return Within(value, low, high, u)
}

// Less is a − b; it may be below 0. It is unknown if b is censored.
func Less(a, b Quantity) Quantity {
	switch {
	case !a.Known:
		return Unknown(a.Unit, a.Why)
	case !b.Known:
		return Unknown(a.Unit, b.Why)
	case b.Censored:
		return Unknown(a.Unit, b.Why)
	case a.Censored:
		return AtLeast(a.Value-b.High, a.Unit, a.Why)
	}
	return Within(a.Value-b.Value, a.Low-b.High, a.High-b.Low, a.Unit)
}
