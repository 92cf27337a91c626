package compare

import (
	"testing"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// The ends that are printed hold those that were computed.
func TestIntervalsAreRoundedOutward(t *testing.T) {
	row := Row{Unit: results.Seconds}
	row.Shift = stats.Effect{Value: 0.0123456, Low: -0.0123411, High: 0.0123411, Confidence: 0.95, Known: true}
	if got, want := row.difference(), "+12.35 ms [−12.35 ms, +12.35 ms]"; got != want {
		t.Errorf("difference %q, want %q", got, want)
	}
	row.Shift.Low, row.Shift.High = 0.0123456, 0.0
	if got, want := row.difference(), "+12.35 ms [+12.34 ms, 0]"; got != want {
		t.Errorf("difference %q, want %q", got, want)
	}
	if got, want := ratio(stats.Effect{Value: 1.0299, Low: 0.9799, High: 1.0301, Confidence: 0.95, Known: true}), "+3.0 % [-2.1, +3.1]"; got != want {
		t.Errorf("ratio %q, want %q", got, want)
	}
	s := stats.Summary{N: 5, Known: 5, Median: stats.Estimate{Value: 573.96, AtLeast: true}}
	if got, want := row.middle(s), "≥ 573.9 s, n 5"; got != want {
		t.Errorf("median %q, want %q", got, want)
	}
}
