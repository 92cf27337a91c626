package quantity_test

import (
	"math"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func TestText(t *testing.T) {
	const s, b, n = results.Seconds, results.Bytes, results.One
	for _, c := range []struct{ name, got, want string }{
		{"unknown", quantity.Show(quantity.Unknown(s, "x")), "unknown"},
		{"unknown cell", quantity.Cell(quantity.Unknown(s, "x")), "—"},
		{"exact", quantity.Show(quantity.Exactly(0.0801, s)), "80.10 ms"},
		{"within", quantity.Show(quantity.Within(0.0801, 0.078, 0.083, s)), "80.1 ms"},
		{"bounds", quantity.ShowBounds(quantity.Within(0.0801, 0.078, 0.083, s)), "[78.0, 83.0] ms"},
		{"no bounds", quantity.ShowBounds(quantity.Exactly(1, s)), ""},
		{"censored", quantity.Show(quantity.AtLeast(3<<20, b, "x")), "≥ 3.000 MiB"},
		{"count", quantity.Count(quantity.Exactly(1234567, n)), "1,234,567"},
		{"count below a thousand", quantity.Count(quantity.Exactly(999, n)), "999"},
		{"count at least", quantity.Count(quantity.AtLeast(1234, n, "x")), "≥ 1,234"},
		{"negative count", quantity.Count(quantity.Exactly(-1234, n)), "−1,234"},
		{"full", quantity.Full(quantity.Exactly(12345, n)), "12,345"},
		{"full time", quantity.Full(quantity.Exactly(0.5, s)), "500 ms"},
		{"plus", quantity.Signed(quantity.Exactly(12, n)), "+12"},
		{"minus", quantity.Signed(quantity.Exactly(-0.0023, s)), "−2.300 ms"},
		{"nought", quantity.Signed(quantity.Exactly(0, n)), "0"},
		{"difference at least", quantity.Signed(quantity.AtLeast(-2, n, "x")), "≥ −2"},
		{"no difference", quantity.Signed(quantity.Unknown(n, "x")), "—"},
	} {
		if c.got != c.want {
			t.Errorf("%s is written %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestRate(t *testing.T) {
	second := quantity.Within(2, 1, 4, results.Seconds)
	q := quantity.Rate(quantity.Within(8, 6, 10, results.Bytes), second, results.BytesPerSecond)
	if !q.Known || q.Value != 4 || q.Low != 1.5 || q.High != 10 || q.Unit != results.BytesPerSecond {
		t.Errorf("rate = %+v, want 4 in [1.5, 10] B/s", q)
	}
	if q := quantity.Rate(quantity.AtLeast(8, results.Bytes, "holes"), second, results.BytesPerSecond); !q.Censored || q.Value != 2 || q.Why != "holes" {
		t.Errorf("rate of a lower bound = %+v, want at least 2: the time may be 4 s", q)
	}
	for _, q := range []quantity.Quantity{
		quantity.Rate(quantity.Unknown(results.Bytes, "x"), second, results.BytesPerSecond),
		quantity.Rate(quantity.Exactly(1, results.Bytes), quantity.Unknown(results.Seconds, "x"), results.BytesPerSecond),
		quantity.Rate(quantity.Exactly(1, results.Bytes), quantity.Within(1, 0, 2, results.Seconds), results.BytesPerSecond),
		quantity.Rate(quantity.Exactly(1, results.Bytes), quantity.AtLeast(1, results.Seconds, "x"), results.BytesPerSecond),
		quantity.Exactly(math.Inf(1), results.Bytes), quantity.AtLeast(math.NaN(), results.Bytes, "x"),
	} {
		if q.Known || q.Censored || q.Why == "" {
			t.Errorf("%+v, want unknown with a reason", q)
		}
	}
}
