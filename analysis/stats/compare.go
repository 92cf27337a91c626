package stats

import (
	"fmt"
	"slices"
)

// A Test is a null hypothesis of no difference, tested.
type Test struct {
	Name      string  `json:"name"`
	Statistic float64 `json:"statistic"`
	P         float64 `json:"p"` // two-sided
	Exact     bool    `json:"exact"`
	Known     bool    `json:"known"`
	Why       string  `json:"why,omitempty"` // why it is not known, or what it assumes
}

// An Effect is a difference of two samples, with an interval of the confidence that was asked for.
type Effect struct {
	Value      float64 `json:"value"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"` // that the interval really has
	Known      bool    `json:"known"`      // false: Why says why, and no number is read
	Why        string  `json:"why,omitempty"`
}

// How samples are compared.
type How struct {
	Confidence float64 // of intervals, in (0, 1)
	Blocked    bool    // data of one block belong together: pairs, or strata where a block has several
	Seed       uint64  // of resampling: the same seed gives the same figures
	Others     bool    // make the tests that do not decide, too
}

// A Comparison is what head has beyond base.
type Comparison struct {
	Base, Head Summary
	Pairs      int    // of blocks with one datum each; 0 of unpaired samples
	Decides    Test   // the test that decides
	Tests      []Test // all that were made, the deciding one first
	Shift      Effect // Hodges–Lehmann, head less base, in the metric's unit
	Ratio      Effect // head over base, 1 is equal
	Delta      Effect // Cliff's delta, −1…1: P(head > base) − P(head < base)
}

// Compare tests whether head differs from base, and says by how much.
//
// Which test decides is fixed by the design, not by the data's figures: Mann–Whitney of unblocked samples, Wilcoxon's signed
// rank of pairs, van Elteren's of blocks with several data a side, and where a datum is censored the permutation of Gehan's
// scores. The others stand beside it. A block without data on both sides says nothing of the difference and is left out.
func Compare(base, head Sample, how How) Comparison {
	c := Comparison{Base: Summarise(base, how.Confidence), Head: Summarise(head, how.Confidence)}
	if !(how.Confidence > 0 && how.Confidence < 1) {
		return c.unknown(fmt.Sprintf("confidence %v is not between 0 and 1", how.Confidence))
	}
	l := layout{base: base.known(), head: head.known(), how: how, censored: base.censored()+head.censored() > 0}
	if len(l.base) == 0 || len(l.head) == 0 {
		return c.unknown("a side has no data")
	}
	if !how.Blocked {
		l.strata, l.isHead = [][]Datum{slices.Concat(l.base, l.head)}, [][]bool{slices.Concat(make([]bool, len(l.base)), trues(len(l.head)))}
	} else if !l.block() {
		return c.unknown("no block has data on both sides")
	}
	c.Delta = cliff(l.base, l.head, how.Confidence)
	if l.censored {
		return l.compareCensored(c)
	}
	return l.compare(c)
}

func (c Comparison) unknown(why string) Comparison {
	c.Decides = cannot("", why)
	c.Shift, c.Ratio, c.Delta = Effect{Why: why}, Effect{Why: why}, Effect{Why: why}
	return c
}

func trues(n int) []bool {
	list := make([]bool, n)
	for i := range list {
		list[i] = true
	}
	return list
}

// A layout is the data of a comparison by stratum.
type layout struct {
	base, head []Datum
	strata     [][]Datum
	isHead     [][]bool
	paired     bool // each stratum has one datum a side
	censored   bool
	how        How
}

// block arranges the data by block; it reports whether any has data on both sides.
func (l *layout) block() bool {
	l.paired = true
	var base, head []Datum
	var done []string
	for _, d := range l.base {
		if slices.Contains(done, d.Block) {
			continue
		}
		done = append(done, d.Block)
		b, h := inBlock(l.base, d.Block), inBlock(l.head, d.Block)
		if len(h) == 0 {
			continue
		}
		l.paired = l.paired && len(b) == 1 && len(h) == 1
		base, head = append(base, b...), append(head, h...)
		l.strata = append(l.strata, slices.Concat(b, h))
		l.isHead = append(l.isHead, slices.Concat(make([]bool, len(b)), trues(len(h))))
	}
	l.base, l.head = base, head
	return len(l.strata) > 0
}

func inBlock(data []Datum, block string) []Datum {
	var list []Datum
	for _, d := range data {
		if d.Block == block {
			list = append(list, d)
		}
	}
	return list
}

// compareCensored tests by ranks. How large the difference is cannot be known where a truth is larger than what was seen.
func (l *layout) compareCensored(c Comparison) Comparison {
	c.Decides = ranked(GehanTest, l.strata, l.isHead, l.how.Seed)
	c.Decides.Why = "assumes that both sides were given up alike, such as by one time limit"
	c.Tests = []Test{c.Decides}
	why := "censored trials: the truth of some is larger than what was seen, so how much it differs is not known"
	c.Shift, c.Ratio = Effect{Why: why}, Effect{Why: why}
	return c
}

func (l *layout) compare(c Comparison) Comparison {
	base, head := numbers(l.base), numbers(l.head)
	switch {
	case l.how.Blocked && l.paired:
		c.Pairs = len(l.strata)
		c.Decides = wilcoxon(base, head)
		c.Shift = pairedShift(base, head, l.how.Confidence)
	case l.how.Blocked:
		c.Decides = ranked(VanElterenTest, l.strata, l.isHead, l.how.Seed)
		c.Shift = l.alignedShift(numbers)
	default:
		c.Decides = mannWhitney(base, head)
		c.Shift = hodgesLehmann(base, head, l.how.Confidence)
	}
	c.Ratio = l.ratio(base, head)
	c.Tests = append([]Test{c.Decides}, l.others(base, head)...)
	return c
}

// others are the tests that do not decide.
func (l *layout) others(base, head []float64) []Test {
	if !l.how.Others {
		return nil
	}
	list := []Test{permuted(l.strata, l.isHead, l.how.Seed)}
	switch {
	case l.how.Blocked && l.paired:
		list = append(list, pairedT(base, head))
	case !l.how.Blocked:
		list = append(list, welch(base, head))
	}
	return list
}

func (l *layout) ratio(base, head []float64) Effect {
	b, positive := logs(base)
	h, also := logs(head)
	switch {
	case !positive || !also:
		return Effect{Why: "a value is not above 0: a ratio says nothing"}
	case l.how.Blocked && l.paired:
		return asRatio(pairedShift(b, h, l.how.Confidence))
	case l.how.Blocked:
		return asRatio(l.alignedShift(func(d []Datum) []float64 { list, _ := logs(numbers(d)); return list }))
	}
	return asRatio(hodgesLehmann(b, h, l.how.Confidence))
}

// alignedShift takes each block's mean from its data first (Hodges and Lehmann, Annals of Mathematical Statistics 33, 1962).
func (l *layout) alignedShift(of func([]Datum) []float64) Effect {
	var base, head []float64
	for i, stratum := range l.strata {
		values := of(stratum)
		mean, _ := moments(values)
		for j, v := range values {
			if l.isHead[i][j] {
				head = append(head, v-mean)
			} else {
				base = append(base, v-mean)
			}
		}
	}
	e := hodgesLehmann(base, head, l.how.Confidence)
	if e.Why == "" {
		e.Why = "aligned by block: the interval is approximate"
	}
	return e
}

func numbers(data []Datum) []float64 {
	list := make([]float64, len(data))
	for i, d := range data {
		list[i] = d.Value
	}
	return list
}
