// Package model predicts what a pre-copy migration costs.
package model

import (
	"fmt"
	"math"
)

// A PreCopy is a migration to predict. Round 1 sends Memory; each further round sends what was dirtied in the one before.
//
// It assumes a constant dirty rate and link rate, that no page is dirtied twice in a round beyond WorkingSet, that
// nothing is compressed, and that setup and switch-over cost nothing. Pages that hold only zeros cost a few bytes, so
// Memory without them predicts better.
type PreCopy struct {
	Memory        float64 // B sent in round 1, above 0
	LinkRate      float64 // B/s, above 0
	DirtyRate     float64 // B/s, at least 0
	WorkingSet    float64 // B, the most that a round can dirty; 0 is all of Memory
	DowntimeLimit float64 // s, at least 0: the source stops the guest once the rest can be sent within it
	MaxRounds     int     // after which it gives up; 0 is no limit
}

// A Prediction is the cost of a pre-copy migration.
type Prediction struct {
	Converges bool
	Why       string  // why it does not converge
	Rounds    int     // while the guest runs
	Total     float64 // s, stop-and-copy included
	Downtime  float64 // s of stop-and-copy
	Bytes     float64 // B
}

// manyRounds is where a migration that makes no headway is given up.
const manyRounds = 10000

// Predict walks through the rounds: V₁ = M, Vᵢ₊₁ = min(D·Vᵢ/R, W), and the guest stops when Vᵢ₊₁ ≤ R·limit. Where the
// working set never limits a round this is the geometric series of Liu, Jin, Xu and Liao (Performance and energy modeling
// for live migration of virtual machines, HPDC 2011) and of Akoush et al. (Predicting the performance of
// virtual machine migration, MASCOTS 2010), see ClosedForm.
func (p PreCopy) Predict() (Prediction, error) {
	if err := p.check(); err != nil {
		return Prediction{}, err
	}
	set := p.WorkingSet
	if set == 0 {
		set = p.Memory
	}
	limit := p.MaxRounds
	if limit == 0 {
		limit = manyRounds
	}
	var out Prediction
	for volume := p.Memory; out.Rounds < limit; {
		out.Rounds++
		out.Bytes += volume
		rest := min(p.DirtyRate*volume/p.LinkRate, set, p.Memory)
		if rest <= p.LinkRate*p.DowntimeLimit {
			out.Converges = true
			out.Bytes += rest
			out.Downtime = rest / p.LinkRate
			out.Total = out.Bytes / p.LinkRate
			return out, nil
		}
		if rest >= volume && p.MaxRounds == 0 {
			break // every further round is like this one
		}
		volume = rest
	}
	out.Total = out.Bytes / p.LinkRate
	out.Why = fmt.Sprintf("what is dirtied in a round stays above what can be sent in %g s", p.DowntimeLimit)
	if p.DirtyRate >= p.LinkRate {
		out.Why = "memory is dirtied as fast as it is sent, or faster: " + out.Why
	}
	return out, nil
}

// ClosedForm is the geometric series itself, for λ = D/R < 1 and a working set that limits nothing:
//
//	n = the least whole number ≥ 1 with λⁿ·M ≤ R·limit
//	total = M/R · (1 − λⁿ⁺¹)/(1 − λ),  downtime = λⁿ·M/R
func (p PreCopy) ClosedForm() (Prediction, error) {
	if err := p.check(); err != nil {
		return Prediction{}, err
	}
	lambda := p.DirtyRate / p.LinkRate
	once := p.Memory / p.LinkRate
	switch {
	case lambda == 0:
		return Prediction{Converges: true, Rounds: 1, Total: once, Bytes: p.Memory}, nil
	case lambda >= 1:
		return Prediction{}, fmt.Errorf("predict pre-copy: dirty rate %g B/s is not below link rate %g B/s: the series diverges", p.DirtyRate, p.LinkRate)
	case p.DowntimeLimit == 0:
		return Prediction{}, fmt.Errorf("predict pre-copy: no number of rounds reaches a downtime limit of 0 s: set one above 0")
	}
	n := max(1, math.Ceil(math.Log(p.DowntimeLimit/once)/math.Log(lambda)-1e-12))
	total := once * (1 - math.Pow(lambda, n+1)) / (1 - lambda)
	return Prediction{
		Converges: true, Rounds: int(n), Total: total,
		Downtime: math.Pow(lambda, n) * once, Bytes: total * p.LinkRate,
	}, nil
}

func (p PreCopy) check() error {
	for _, q := range []struct {
		name  string
		value float64
		least float64
	}{
		{"memory", p.Memory, math.SmallestNonzeroFloat64},
		{"link rate", p.LinkRate, math.SmallestNonzeroFloat64},
		{"dirty rate", p.DirtyRate, 0},
		{"working set", p.WorkingSet, 0},
		{"downtime limit", p.DowntimeLimit, 0},
	} {
		if !(q.value >= q.least) || math.IsInf(q.value, 1) {
			return fmt.Errorf("predict pre-copy: %s is %g: it must be known and not be negative", q.name, q.value)
		}
	}
	if p.MaxRounds < 0 {
		return fmt.Errorf("predict pre-copy: at most %d rounds: give 0 for no limit", p.MaxRounds)
	}
	return nil
}
