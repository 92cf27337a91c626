package stats

// A Test is a null hypothesis of no difference, tested.
type Test struct {
	Name      string  `json:"name"`
	Statistic float64 `json:"statistic"`
	P         float64 `json:"p"`               // two-sided
	Up        int     `json:"up"`              // 1: head's are larger than chance would have them, −1: smaller, 0: neither, or not computed
	Least     float64 `json:"least,omitempty"` // the smallest p that any outcome of this size has; 0 if that is not computed
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
}

// A Comparison is what head has beyond base.
type Comparison struct {
	Base, Head Summary
	Pairs      int    // of blocks with one datum each; 0 of unpaired samples
	Decides    Test   // the test that decides
	Tests      []Test // all that were made, the deciding one among them
	Shift      Effect // Hodges–Lehmann, head less base, in the metric's unit
	Ratio      Effect // head over base, 1 is equal
	Delta      Effect // Cliff's delta, −1…1: P(head > base) − P(head < base)
}

// Compare compares two samples. Data that are not known are left out, and Why says how many. With fewer than two known values on
// a side, or fewer than two pairs, nothing is known.
//
// Of a blocked design, data are compared within their blocks alone: as pairs if each block has one of both sides, as strata
// otherwise. Censored data are never dropped; what they leave open is not known.
func Compare(base, head Sample, how How) Comparison {
	c := Comparison{Base: Summarise(base, how.Confidence), Head: Summarise(head, how.Confidence)}
	a := arrange(base, head, how.Blocked)
	if a.paired {
		c.Pairs = len(a.blocks)
	}
	if a.why != "" {
		no := Effect{Why: a.why}
		c.Decides, c.Shift, c.Ratio, c.Delta = Test{Name: "Mann–Whitney", Why: a.why}, no, no, no
		c.Tests = []Test{c.Decides}
		return c
	}
	c.Decides = rankTest(a)
	c.Tests = []Test{c.Decides, permutationTest(a, how.Seed), studentTest(a)}
	c.Shift, c.Ratio = shift(a, how.Confidence), ratio(a, how.Confidence)
	c.Delta = delta(a, how.Confidence)
	return c
}

// Decide is the test that decides in Compare, alone.
func Decide(base, head Sample, how How) Test {
	a := arrange(base, head, how.Blocked)
	if a.why != "" {
		return Test{Name: "Mann–Whitney", Why: a.why}
	}
	return rankTest(a)
}
