package anova

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/stats"

	"gonum.org/v1/gonum/mathext"
)

// An Effect is a factor, an interaction of factors, or the block, tested.
type Effect struct {
	Name     string   `json:"name"`    // such as "memory × algorithm"
	Factors  []string `json:"factors"` // in the order given
	Block    bool     `json:"block,omitempty"`
	SS       float64  `json:"ss"` // type III, in squares of the metric's unit
	DF       int      `json:"df"`
	F        float64  `json:"f"`
	P        float64  `json:"p"`
	Adjusted float64  `json:"adjusted"` // P by Holm over the effects that are no block; of the block it is P
	// PartialEta2 is SS/(SS + residual SS), 0…1: the share explained of what no other effect does.
	PartialEta2 float64 `json:"partial_eta2"`
	// PartialOmega2 is the same without what chance explains; it may be below 0 (Olejnik and Algina, Psychological Methods 8, 2003).
	PartialOmega2 float64 `json:"partial_omega2"`
	Known         bool    `json:"known"`
	Why           string  `json:"why,omitempty"`
}

// A Table is an analysis of variance.
type Table struct {
	N          int     `json:"n"` // known observations
	ResidualSS float64 `json:"residual_ss"`
	ResidualDF int     `json:"residual_df"`
	// Effects are those of the values, Aligned those of their aligned ranks: the most explaining first, those not known last.
	Effects []Effect `json:"effects"`
	Aligned []Effect `json:"aligned"`
	// Normality is Anderson and Darling's test of the residuals, Spread is Brown and Forsythe's of equal spread in all cells.
	Normality stats.Test `json:"normality"`
	Spread    stats.Test `json:"spread"`
	// Ranks says that the residuals are not normal at the confidence asked for: Aligned decides, else Effects.
	Ranks bool     `json:"ranks"`
	Notes []string `json:"notes,omitempty"` // what was left out, what is assumed
	Known bool     `json:"known"`
	Why   string   `json:"why,omitempty"`
}

// Decides are the effects to read.
func (t Table) Decides() []Effect {
	if t.Ranks {
		return t.Aligned
	}
	return t.Effects
}

// Analyse tests each factor and interaction given all others: sums of squares of type III with sum-to-zero contrasts, the block
// an additive factor. The design may be unbalanced. An interaction with an empty cell is not estimable; the others are tested
// without it. Where n is too small for the interactions of most factors, these count as error, and say so. A censored value has
// no place in a mean: nothing is known then. A misuse of the unit, or a trial without a level, is an error.
func Analyse(obs []Observation, factors []string, confidence float64) (Table, error) {
	if !(confidence > 0 && confidence < 1) {
		return Table{}, fmt.Errorf("analyse variance: confidence %v is not between 0 and 1", confidence)
	}
	in, err := read(obs, factors)
	if err != nil {
		return Table{}, err
	}
	t := Table{N: len(in.y), Notes: in.notes, Why: in.why}
	if t.Why != "" {
		return t, nil
	}
	y, why := centred(in.y)
	if why != "" {
		t.Why = why
		return t, nil
	}
	list := fitTerms(in.terms(), len(y))
	x := matrix(list, -1, len(y))
	_, columns := x.Dims()
	if columns >= len(y) {
		t.Why = fmt.Sprintf("n = %d leaves nothing to tell error by: replicate more", len(y))
		return t, nil
	}
	t.ResidualDF = len(y) - columns
	full := decompose(x)
	if full == nil {
		t.Why = "the design confounds its factors, or a factor with the block: their effects cannot be told apart"
		return t, nil
	}
	f, err := full.fit(y)
	if err != nil {
		return t, fmt.Errorf("analyse variance: %w", err)
	}
	t.Known, t.ResidualSS = true, f.rss
	if slices.ContainsFunc(list, func(t term) bool { return t.why != "" }) {
		t.Notes = append(t.Notes, "interactions that are not known are assumed to be none")
	}
	t.Normality, t.Spread = normality(f.residuals, t.ResidualDF), spread(in)
	t.Ranks = t.Normality.Known && t.Normality.P < 1-confidence
	if t.Spread.Known && t.Spread.P < 1-confidence {
		t.Notes = append(t.Notes, fmt.Sprintf("cells differ in spread (Brown–Forsythe p = %.2g): F assumes that they do not", t.Spread.P))
	}
	if !t.Normality.Known {
		t.Notes = append(t.Notes, "normal residuals are assumed, not tested: "+t.Normality.Why)
	}
	if t.Effects, err = effects(list, full, func(int) []float64 { return y }); err != nil {
		return t, fmt.Errorf("analyse variance: %w", err)
	}
	if t.Aligned, err = effects(list, full, func(i int) []float64 { return aligned(list, i, f) }); err != nil {
		return t, fmt.Errorf("analyse variance of aligned ranks: %w", err)
	}
	return t, nil
}

// centred takes the mean off, so that no digits are lost to it.
func centred(y []float64) (list []float64, why string) {
	if len(y) < 3 {
		return nil, fmt.Sprintf("n = %d: 3 known values are needed", len(y))
	}
	if slices.Min(y) == slices.Max(y) {
		return nil, "no value varies: there is nothing to explain"
	}
	mean := 0.0
	for i, v := range y {
		mean += (v - mean) / float64(i+1)
	}
	for _, v := range y {
		list = append(list, v-mean)
	}
	return list, ""
}

// effects tests each term by what the fit loses without it; of is the response by term.
func effects(list []term, full *model, of func(int) []float64) ([]Effect, error) {
	n, columns := full.x.Dims()
	freedom := float64(n - columns)
	var out []Effect
	for i, t := range list {
		e := Effect{Name: t.name, Block: t.block, DF: len(t.columns), Why: t.why}
		for _, f := range t.factors {
			e.Factors = append(e.Factors, f.name)
		}
		if t.why != "" {
			out = append(out, e)
			continue
		}
		y := of(i)
		with, err := full.fit(y)
		if err != nil {
			return nil, err
		}
		reduced := decompose(matrix(list, i, n))
		if reduced == nil {
			e.Why = "not estimable: the design confounds it"
			out = append(out, e)
			continue
		}
		without, err := reduced.fit(y)
		if err != nil {
			return nil, err
		}
		out = append(out, e.test(max(0, without.rss-with.rss), with.rss, freedom, float64(n), squares(y)))
	}
	adjust(out)
	slices.SortStableFunc(out, func(a, b Effect) int {
		if a.Known != b.Known {
			return map[bool]int{true: -1, false: 1}[a.Known]
		}
		return cmp.Compare(b.PartialEta2, a.PartialEta2)
	})
	return out, nil
}

func (e Effect) test(ss, rss, freedom, n, total float64) Effect {
	if rss <= 1e-24*total {
		e.Why = "no value varies within its cell: there is no error to compare with"
		return e
	}
	df := float64(e.DF)
	e.SS, e.Known = ss, true
	e.F = ss / df / (rss / freedom)
	e.P = survivalF(e.F, df, freedom)
	e.PartialEta2 = ss / (ss + rss)
	e.PartialOmega2 = df * (e.F - 1) / (df*(e.F-1) + n)
	return e
}

func squares(list []float64) (sum float64) {
	for _, v := range list {
		sum += v * v
	}
	return sum
}

func adjust(list []Effect) {
	var p []float64
	for _, e := range list {
		v := e.P
		if !e.Known || e.Block {
			v = math.NaN()
		}
		p = append(p, v)
	}
	for i, v := range stats.Holm(p) {
		if !math.IsNaN(v) {
			list[i].Adjusted = v
		} else if list[i].Known {
			list[i].Adjusted = list[i].P
		}
	}
}

// survivalF is P(F > f), by the incomplete beta function so that a small one keeps its digits.
func survivalF(f, d1, d2 float64) float64 { return mathext.RegIncBeta(d2/2, d1/2, d2/(d2+d1*f)) }
