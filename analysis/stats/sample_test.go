package stats

import (
	"math"
	"strings"
	"testing"
)

func TestTrialIsTheUnit(t *testing.T) {
	for _, c := range []struct {
		data []Datum
		want string
	}{
		{[]Datum{{Trial: "1", Value: 1, Known: true}, {Trial: "1", Value: 2, Known: true}}, "trial 1 has two data"},
		{[]Datum{{Value: 1, Known: true}}, "names no trial"},
		{[]Datum{{Trial: "1", Value: math.NaN(), Known: true}}, "not finite"},
	} {
		if _, err := NewSample(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	given := []Datum{{Trial: "1", Value: 1, Known: true}}
	s, err := NewSample(given)
	if err != nil {
		t.Fatal(err)
	}
	given[0].Value = 2
	s.Data()[0].Value = 3
	if s.Data()[0].Value != 1 {
		t.Error("a sample changed")
	}
}
