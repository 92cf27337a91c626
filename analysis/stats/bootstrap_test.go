package stats

import (
	"math"
	"testing"
)

// SciPy drew 200 000 resamples, this draws 9999: bounds differ by what drawing leaves to chance, a few per cent of the width.
func TestBootstrapReference(t *testing.T) {
	for _, c := range reference(t).BCa {
		got := Resample(data(c.Values...), 0.95, 1)
		for _, e := range []struct {
			name string
			got  Effect
			want []float64
			part float64
		}{{"mean", got.Mean, c.Mean, 0.03}, {"median", got.Median, c.Median, 0.1}} {
			width := e.want[1] - e.want[0]
			if !e.got.Known || math.Abs(e.got.Low-e.want[0]) > e.part*width || math.Abs(e.got.High-e.want[1]) > e.part*width {
				t.Errorf("%s: %+v, want %v", e.name, e.got, e.want)
			}
		}
	}
}

func TestBootstrapUnknown(t *testing.T) {
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	late := data(ten...).Data()
	late[3].Censored = true
	for _, s := range []Sample{data(ten[:9]...), data(), sample(late...), data(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)} {
		if b := Resample(s, 0.95, 1); b.Mean.Known || b.Median.Known || b.Mean.Why == "" {
			t.Errorf("%+v", b)
		}
	}
	if a, b := Resample(data(ten...), 0.95, 1), Resample(data(ten...), 0.95, 1); a != b {
		t.Error("one seed gave two intervals")
	}
}
