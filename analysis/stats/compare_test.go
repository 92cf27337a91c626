package stats

import (
	"fmt"
	"math"
	"testing"
)

func blocked(prefix string, blocks []string, values ...float64) Sample {
	var list []Datum
	for i, v := range values {
		list = append(list, Datum{Trial: fmt.Sprint(prefix, i), Block: blocks[i], Value: v, Known: true})
	}
	s, err := NewSample(list)
	if err != nil {
		panic(err)
	}
	return s
}

func TestCompareTooFew(t *testing.T) {
	for _, c := range []struct {
		base, head Sample
		how        How
	}{
		{data(1), data(1, 2, 3), How{Confidence: 0.95}},
		{data(), data(1, 2, 3), How{Confidence: 0.95}},
		{sample(Datum{}, Datum{}), data(1, 2, 3), How{Confidence: 0.95}},
		{blocked("b", []string{"1"}, 1), blocked("h", []string{"1"}, 1), How{Confidence: 0.95}},
		{blocked("b", []string{"1", "1"}, 1, 2), blocked("h", []string{"2", "2"}, 1, 2), How{Confidence: 0.95, Blocked: true}},
	} {
		got := Compare(c.base, c.head, c.how)
		if got.Decides.Known || got.Shift.Known || got.Ratio.Known || got.Delta.Known || got.Decides.Why == "" || got.Shift.Why == "" {
			t.Errorf("%+v", got)
		}
	}
	got := Compare(data(1, 2, 3), data(4, 5, 6), How{Confidence: 0.95})
	if got.Shift.Known || got.Shift.Why != "n = 3 and 3 are too few: 4 on each side are needed for 95 %" {
		t.Errorf("shift of 3 and 3: %+v", got.Shift)
	}
	near(t, "least p of 3 and 3", got.Decides.Least, 0.1)
}

func TestCompareConstants(t *testing.T) {
	same := Compare(data(5, 5, 5, 5), data(5, 5, 5, 5), How{Confidence: 0.95})
	if !same.Decides.Known || same.Decides.P != 1 || !same.Shift.Known || same.Shift.Value != 0 || same.Shift.Low != 0 || same.Shift.High != 0 {
		t.Errorf("equal constants: %+v", same)
	}
	other := Compare(data(5, 5, 5, 5, 5, 5), data(7, 7, 7, 7, 7, 7), How{Confidence: 0.95})
	if !other.Decides.Known || other.Decides.P > 0.01 || other.Shift.Value != 2 || other.Delta.Value != 1 || other.Ratio.Value < 1.39999 {
		t.Errorf("constants that differ: %+v", other)
	}
	pairs := []string{"1", "2", "3", "4", "5", "6"}
	p := Compare(blocked("b", pairs, 5, 5, 5, 5, 5, 5), blocked("h", pairs, 5, 5, 5, 5, 5, 5), How{Confidence: 0.95, Blocked: true})
	if p.Pairs != 6 || p.Decides.P != 1 || !p.Shift.Known || p.Shift.Value != 0 {
		t.Errorf("equal pairs: %+v", p)
	}
}

func TestHolm(t *testing.T) {
	// R: p.adjust(c(0.01, 0.04, 0.03, 0.5), "holm")
	for i, v := range Holm([]float64{0.01, 0.04, 0.03, 0.5, math.NaN()}) {
		near(t, "adjusted", v, []float64{0.04, 0.09, 0.09, 0.5, math.NaN()}[i])
	}
}
