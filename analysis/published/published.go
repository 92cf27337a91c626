// Package published holds what a paper published against what a run measured.
//
// A published figure is never turned into something else: it is told as the paper tells it, with its source, and where it cannot be
// held against a measured one, with why. Nothing is judged on medians alone: without an interval the answer is open.
package published

import (
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A Paper is a publication whose experiment a run repeats.
type Paper struct {
	Citation string
	Link     string // DOI or address; "" if there is none
	Year     int    // 0 if it is not said
	Changes  string // of the experiment against the paper's
	Claims   []Claim
}

// A Kind is what of a run a claim is compared with.
type Kind string

// The kinds.
const (
	Value  Kind = "value"  // the median of the metric, at one treatment
	Each   Kind = "each"   // the same, at each of several treatments
	Ratio  Kind = "ratio"  // the metric at one treatment over that at another
	Change Kind = "change" // that less 1
	Share  Kind = "share"  // the metric over an amount
	Spread Kind = "spread" // the largest median over the smallest
	More   Kind = "more"   // it is more at one treatment than at another
	Less   Kind = "less"
	Grows  Kind = "grows" // the median rises from level to level of a factor
	None   Kind = "none"  // with nothing
)

// A Comparable says how far a claim may be held against a measured figure.
type Comparable string

// How far.
const (
	Yes     Comparable = "yes"
	InTrend Comparable = "in-trend" // in its direction alone
	No      Comparable = "no"
)

// A Claim is one figure, or relation, that a paper published.
type Claim struct {
	Name    string
	Kind    Kind
	Metric  string
	Where   [][]results.Level // treatments that it is compared with
	Against [][]results.Level // the one treatment of a relation
	Over    string            // the factor of Grows
	Of      float64           // B: what a Share is of
	OfName  string
	// Value, Low and High as the paper has them, in Unit; nil where it has none. Low alone is at least so much, High alone at most.
	Value, Low, High *float64
	Unit             string       // the paper's
	Factor           float64      // of Unit in Base
	Base             results.Unit // of the metric
	Conditions       string
	Source           string
	Recalled         bool // from memory, not read in the paper
	Comparable       Comparable
	Why              string
}

// A Verdict is what comes of a comparison.
type Verdict string

// The verdicts.
const (
	Agrees    Verdict = "agrees"
	Disagrees Verdict = "disagrees"
	Open      Verdict = "open" // too little was measured to say
	NotJudged Verdict = "not compared"
)

// A Row is a claim beside what was measured, as text for reading.
type Row struct {
	Name      string
	Metric    string // "" of None
	At        string // the treatments
	Published string
	Measured  string // "—" if nothing is known
	Interval  string // of the confidence that was asked for, or the range where there are too few trials for one; "" for neither
	Detail    string // of a figure of several treatments, each of them; "" of others
	N         string // trials with a value, of each treatment; "3 of 5" where some that count have none
	Verdict   Verdict
	InTrend   bool   // it is the direction alone that agrees or disagrees
	Why       string // why it is not compared, open, or not known; "" if there is nothing to say
	Source    string // in the paper, with the conditions
	Recalled  bool
}

// How rows are made.
type How struct {
	Confidence float64 // of intervals, in (0, 1)
	// Ratio is head over base, with its interval. An effect that is not known, or nil: the ratio of the medians is shown, which has no
	// interval, and what it is compared with stays open.
	Ratio func(base, head stats.Sample) stats.Effect
}
