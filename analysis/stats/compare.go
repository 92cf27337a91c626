package stats

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
