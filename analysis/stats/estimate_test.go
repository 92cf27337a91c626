package stats

import (
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func TestEstimateIsRoundedToItsSide(t *testing.T) {
	for _, c := range []struct {
		e    Estimate
		side quantity.Side
		want string
	}{
		{Estimate{Value: 15.0087}, quantity.Nearest, "15.01 s"},
		{Estimate{Value: 15.0087, AtLeast: true}, quantity.Nearest, "≥ 15.00 s"},
		{Estimate{Value: 15.0087, AtLeast: true}, quantity.Up, "≥ 15.00 s"},
		{Estimate{Value: 15.0087}, quantity.Down, "15.00 s"},
		{Estimate{Value: 15.0012}, quantity.Up, "15.01 s"},
	} {
		if got := c.e.Show(results.Seconds, c.side); got != c.want {
			t.Errorf("%+v is %q, want %q", c.e, got, c.want)
		}
	}
}
