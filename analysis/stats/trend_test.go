package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// ordered is a sample executed at these places.
func ordered(t *testing.T, name string, places, values []float64) Sample {
	t.Helper()
	var data []Datum
	for i, v := range values {
		data = append(data, Datum{Trial: fmt.Sprintf("%s-%d", name, i), Order: int(places[i]), Value: v, Known: true})
	}
	s, err := NewSample(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExecutionTrend(t *testing.T) {
	text, err := os.ReadFile("testdata/trend.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Cases []struct {
			Order, Values [][]float64
			S, P, Slope   float64
		}
	}
	if err := json.Unmarshal(text, &ref); err != nil || len(ref.Cases) < 5 {
		t.Fatalf("%d cases: %v", len(ref.Cases), err)
	}
	for i, c := range ref.Cases {
		var samples []Sample
		for j := range c.Order {
			samples = append(samples, ordered(t, fmt.Sprint(j), c.Order[j], c.Values[j]))
		}
		got := ExecutionTrend(samples)
		if !got.Test.Known || got.Test.Statistic != c.S || math.Abs(got.Test.P-c.P) > 1e-9*c.P+1e-12 {
			t.Errorf("case %d: %+v, want S %v, p %v", i, got.Test, c.S, c.P)
		}
		if !got.Slope.Known || math.Abs(got.Slope.Value-c.Slope) > 1e-12 {
			t.Errorf("case %d: slope %+v, want %v", i, got.Slope, c.Slope)
		}
	}
}

func TestExecutionTrendUnknown(t *testing.T) {
	one := ordered(t, "one", []float64{1}, []float64{5})
	same := ordered(t, "same", []float64{1, 2, 3}, []float64{5, 5, 5})
	for name, c := range map[string]struct {
		samples []Sample
		why     string
	}{
		"none":     {nil, "no treatment has two"},
		"one each": {[]Sample{one, ordered(t, "two", []float64{2}, []float64{9})}, "no treatment has two"},
		"constant": {[]Sample{same}, "the same"},
	} {
		if got := ExecutionTrend(c.samples); got.Test.Known || !strings.Contains(got.Test.Why, c.why) {
			t.Errorf("%s: %+v", name, got.Test)
		}
	}
}

// A bound tells of an order only where it must.
func TestExecutionTrendCensored(t *testing.T) {
	exact := func(v float64) Datum { return Datum{Value: v, Known: true} }
	bound := func(v float64) Datum { return Datum{Value: v, Known: true, Censored: true} }
	for _, c := range []struct {
		a, b Datum
		want float64
	}{
		{exact(3), bound(5), 1},
		{exact(5), bound(3), 0},
		{bound(5), exact(3), -1},
		{bound(3), exact(5), 0},
		{bound(3), bound(5), 0},
		{exact(2), exact(1), -1},
		{exact(2), exact(2), 0},
	} {
		if got := rises(c.a, c.b); got != c.want {
			t.Errorf("%+v then %+v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
	s, err := NewSample([]Datum{
		{Trial: "a", Order: 1, Value: 15, Known: true, Censored: true}, {Trial: "b", Order: 2, Value: 15, Known: true, Censored: true}, {Trial: "c", Order: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ExecutionTrend([]Sample{s}); got.Slope.Known || got.Test.Known && got.Test.P < 1 {
		t.Errorf("two bounds have a trend: %+v", got)
	}
}
