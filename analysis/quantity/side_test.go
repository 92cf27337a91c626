package quantity_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func TestBoundsAreRoundedOutward(t *testing.T) {
	const s, b, n = results.Seconds, results.Bytes, results.One
	for _, c := range []struct{ name, got, want string }{
		{"bytes", quantity.Show(quantity.AtLeast(573.96*(1<<20), b, "x")), "≥ 573.9 MiB"},
		{"as exact as it is written", quantity.Show(quantity.AtLeast(0.3, s, "x")), "≥ 300.0 ms"},
		{"just below a unit", quantity.Show(quantity.AtLeast(0.99999, s, "x")), "≥ 0.999 s"},
		{"below what is written", quantity.Show(quantity.AtLeast(2e-11, s, "x")), "≥ 0.000 µs"},
		{"a count that is none", quantity.Show(quantity.AtLeast(2.99999, n, "x")), "≥ 2.999"},
		{"a count", quantity.Count(quantity.AtLeast(12345678, n, "x")), "≥ 12,345,678"},
		{"difference", quantity.Signed(quantity.AtLeast(1.23456, s, "x")), "≥ +1.234 s"},
		{"difference below 0", quantity.Signed(quantity.AtLeast(-1.23451, s, "x")), "≥ −1.235 s"},
		{"interval", quantity.ShowBounds(quantity.Within(0.08, 0.07869, 0.08301, s)), "[78.6, 83.1] ms"},
		{"interval about 0", quantity.ShowBounds(quantity.Within(0, -0.07861, 0.08301, s)), "[-79, 84] ms"},
		{"share", quantity.Percent(quantity.AtLeast(0.999, n, "x")), "≥ 99 %"},
		{"share as a known one", quantity.Percent(quantity.Exactly(0.999, n)), "100 %"},
		{"no share", quantity.Percent(quantity.Unknown(n, "x")), "—"},
		{"time", quantity.Brief(quantity.AtLeast(0.012396, s, "x")), "≥ 12.39 ms"},
		{"time of a known one", quantity.Brief(quantity.Exactly(0.012396, s)), "12.40 ms"},
		{"digits down", quantity.Digits(0.00123456, 1, 4, quantity.Down), "0.001234"},
		{"digits up", quantity.Digits(9.9999, 1, 4, quantity.Up), "10"},
		{"digits of much", quantity.Digits(-574999999, 1, 4, quantity.Down), "-5.75e+08"},
		{"digits in percent", quantity.Digits(0.000123456, 0.01, 3, quantity.Up), "0.0124"},
		{"change down", quantity.Change(1.0599, quantity.Down), "+5.9"},
		{"change up", quantity.Change(0.94999, quantity.Up), "-5.0"},
		{"a change that is exact", quantity.Change(1.05, quantity.Up), "+5.0"},
		{"error bound", quantity.RoundUp(12001*time.Nanosecond, 10*time.Microsecond).String(), "20µs"},
		{"error bound that is round", quantity.RoundUp(20*time.Microsecond, 10*time.Microsecond).String(), "20µs"},
		{"not finite", quantity.Fixed(math.Inf(1), 1, 2, quantity.Up), "+Inf"},
	} {
		if c.got != c.want {
			t.Errorf("%s is written %q, want %q", c.name, c.got, c.want)
		}
	}
}

// What is printed, read back, never says more than the quantity knows.
func FuzzBounds(f *testing.F) {
	for _, v := range []float64{573.54 * (1 << 20), 573.96 * (1 << 20), 0.99999, -0.0123456, 1e-9, 0, 1 << 52, 999.99999e6, -5e-324, 1.7e308} {
		f.Add(v, v/1000)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		v := (2*r.Float64() - 1) * math.Pow(10, 24*r.Float64()-12)
		f.Add(v, v*r.Float64())
	}
	f.Fuzz(func(t *testing.T, v, width float64) {
		for _, u := range []results.Unit{results.Seconds, results.Bytes, results.BytesPerSecond, results.One, results.Hertz, "J"} {
			low := quantity.AtLeast(v, u, "x")
			interval := quantity.Within(v, v-math.Abs(width), v+math.Abs(width), u)
			if !low.Known || !interval.Known {
				continue
			}
			for _, show := range []func(quantity.Quantity) string{
				quantity.Show, quantity.Cell, quantity.Count, quantity.Full, quantity.Signed, quantity.ShowWithin, quantity.Brief,
			} {
				text := show(low)
				if got := read(t, text); !strings.HasPrefix(text, "≥ ") || got > v {
					t.Errorf("at least %v %s is written %q: that is %v", v, u, text, got)
				}
			}
			if interval.Low == interval.High {
				continue
			}
			text := quantity.ShowBounds(interval)
			ends, unit, _ := strings.Cut(strings.Trim(text, "["), "]")
			from, to, _ := strings.Cut(ends, ", ")
			if a, b := read(t, from+unit), read(t, to+unit); a > interval.Low || b < interval.High {
				t.Errorf("[%v, %v] %s is written %q: that is [%v, %v]", interval.Low, interval.High, u, text, a, b)
			}
		}
		sided(t, v)
	})
}

// sided holds every way to write a number by itself against both sides.
func sided(t *testing.T, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	for _, c := range []struct {
		name  string
		write func(quantity.Side) string
	}{
		{"four digits", func(s quantity.Side) string { return quantity.Digits(v, 1, 4, s) }},
		{"two decimals", func(s quantity.Side) string { return quantity.Fixed(v, 1, 2, s) }},
	} {
		down, up := read(t, c.write(quantity.Down)), read(t, c.write(quantity.Up))
		if down > v || up < v {
			t.Errorf("%v with %s is written %q and %q", v, c.name, c.write(quantity.Down), c.write(quantity.Up))
		}
	}
	if v > 0 && v < 1e15 {
		down, up := read(t, quantity.Change(v, quantity.Down)), read(t, quantity.Change(v, quantity.Up))
		if slack := 1e-13 * (1 + v); down/100+1 > v+slack || up/100+1 < v-slack {
			t.Errorf("× %v is written as %v %% and %v %%", v, down, up)
		}
	}
}

// read is what a text says, in the base unit.
func read(t *testing.T, text string) float64 {
	t.Helper()
	number, unit, _ := strings.Cut(strings.TrimPrefix(text, "≥ "), " ")
	number = strings.NewReplacer("−", "-", ",", "").Replace(number)
	factor := map[string]float64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[strings.TrimSuffix(unit, "/s")]
	exponent := map[string]int{"ms": -3, "µs": -6, "MHz": 6, "GHz": 9}[unit]
	if digits, more, ok := strings.Cut(number, "e"); ok {
		n, err := strconv.Atoi(more)
		if err != nil {
			t.Fatalf("read %q: %v", text, err)
		}
		number, exponent = digits, exponent+n
	}
	v, err := strconv.ParseFloat(fmt.Sprintf("%se%d", number, exponent), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // then it is infinite, and so is what was claimed
		t.Fatalf("read %q: %v", text, err)
	}
	if factor != 0 {
		v *= factor
	}
	return v
}
