package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// studentTest is Welch's t of unpaired samples (Biometrika 34, 1947), Student's of pairs. It assumes means that are normal.
func studentTest(a arrangement) Test {
	t := Test{Name: "Welch t", Why: a.note}
	if a.paired {
		t.Name = "paired t"
	}
	switch {
	case a.censored():
		t.Why = "a censored value has no place in a mean"
		return t
	case len(a.blocks) > 1 && !a.paired:
		t.Why = "not made of strata"
		return t
	}
	var difference, variance, freedom float64
	if a.paired {
		difference, variance, freedom = pairedMoments(a)
	} else {
		difference, variance, freedom = welchMoments(a.blocks[0])
	}
	switch {
	case variance == 0 && difference == 0:
		t.P, t.Known = 1, true
		return t
	case variance == 0:
		t.Why = "no value varies: t is infinite"
		return t
	}
	t.Statistic = difference / math.Sqrt(variance)
	t.P = min(1, 2*distuv.StudentsT{Sigma: 1, Nu: freedom}.CDF(-math.Abs(t.Statistic)))
	t.Known = !math.IsNaN(t.P)
	if !t.Known {
		t.Why, t.Statistic, t.P = "the arithmetic overflowed", 0, 0
	}
	return t
}

func pairedMoments(a arrangement) (difference, variance, freedom float64) {
	var list []float64
	for _, b := range a.blocks {
		list = append(list, b.head[0].Value-b.base[0].Value)
	}
	mean, sd := moments(list)
	return mean, sd * sd / float64(len(list)), float64(len(list) - 1)
}

func welchMoments(b block) (difference, variance, freedom float64) {
	base, sdBase := moments(values(b.base))
	head, sdHead := moments(values(b.head))
	n, m := float64(len(b.base)), float64(len(b.head))
	x, y := sdBase*sdBase/n, sdHead*sdHead/m
	return head - base, x + y, (x + y) * (x + y) / (x*x/(n-1) + y*y/(m-1))
}

func values(list []Datum) []float64 {
	var v []float64
	for _, d := range list {
		v = append(v, d.Value)
	}
	return v
}
