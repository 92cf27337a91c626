package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// delta is Cliff's (Psychological Bulletin 114, 1993): P(head > base) − P(head < base) over all that may be compared; of pairs,
// within pairs. Its interval is the asymmetric one of Feng and Cliff (Journal of Modern Applied Statistical Methods 3, 2004),
// with Student's t, of nominal confidence.
func delta(a arrangement, confidence float64) Effect {
	if !(confidence > 0 && confidence < 1) {
		return Effect{Why: fmt.Sprintf("confidence %v is not between 0 and 1", confidence)}
	}
	var d, variance, total float64
	least := math.Inf(1) // of a side
	if a.paired {
		least = float64(len(a.blocks))
		var signs []float64
		for _, b := range a.blocks {
			v, why := dominance(b)
			if why != "" {
				return Effect{Why: why}
			}
			signs = append(signs, v[0][0])
		}
		mean, sd := moments(signs)
		if sd == 0 {
			sd = 1 // all tie: equality of these few is no proof of it
		}
		return feng(mean, sd*sd/least, least, least-1, confidence).noted(a.note)
	}
	for _, b := range a.blocks {
		total += float64(len(b.base) * len(b.head))
	}
	freedom := 0.0
	for _, b := range a.blocks {
		if len(b.base) < 2 || len(b.head) < 2 {
			return Effect{Why: "a block has one value of a side: the spread within blocks is not known"}
		}
		v, why := dominance(b)
		if why != "" {
			return Effect{Why: why}
		}
		each, s := cliff(v)
		w := float64(len(b.base)*len(b.head)) / total
		d, variance = d+w*each, variance+w*w*s
		least = min(least, float64(min(len(b.base), len(b.head))))
		freedom += float64(b.size() - 2)
	}
	return feng(d, variance, least*float64(len(a.blocks)), freedom, confidence).noted(a.note)
}

// dominance is, for each of head and base, who is above.
func dominance(b block) (list [][]float64, why string) {
	for _, y := range b.head {
		var row []float64
		for _, x := range b.base {
			o := order(y, x)
			if o == 0 && (x.Censored || y.Censored) {
				return nil, fmt.Sprintf("censored values leave open whether trial %s is above %s", y.Trial, x.Trial)
			}
			row = append(row, float64(o))
		}
		list = append(list, row)
	}
	return list, ""
}

// cliff is delta and its unbiased variance, by equation 7 of Cliff, which is kept above that of a delta without spread.
func cliff(v [][]float64) (d, variance float64) {
	m, n := len(v), len(v[0])
	columns := make([]float64, n)
	rows := make([]float64, m)
	for i, row := range v {
		for j, x := range row {
			rows[i] += x / float64(n)
			columns[j] += x / float64(m)
			d += x // whole numbers: ±1 comes out exactly
		}
	}
	d /= float64(m * n)
	var byRow, byColumn, each float64
	for i, row := range v {
		byRow += (rows[i] - d) * (rows[i] - d)
		for _, x := range row {
			each += (x - d) * (x - d)
		}
	}
	for _, c := range columns {
		byColumn += (c - d) * (c - d)
	}
	fm, fn := float64(m), float64(n)
	variance = (fn*fn*byRow + fm*fm*byColumn - each) / (fm * fn * (fm - 1) * (fn - 1))
	return d, max(variance, (1-d*d)/(fm*fn-1))
}

func feng(d, variance, n, freedom, confidence float64) Effect {
	z := distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile((1 + confidence) / 2)
	e := Effect{Value: d, Confidence: confidence, Known: true}
	if 1-math.Abs(d) < 1e-12 { // no spread is seen: the bound depends on how many there are
		e.Low, e.High = (n-z*z)/(n+z*z), 1
		if d < 0 {
			e.Low, e.High = -1, -e.Low
		}
		return e
	}
	half := z * math.Sqrt(variance) * math.Sqrt((1-d*d)*(1-d*d)+z*z*variance)
	under := 1 - d*d + z*z*variance
	e.Low, e.High = max(-1, (d-d*d*d-half)/under), min(1, (d-d*d*d+half)/under)
	return e
}
