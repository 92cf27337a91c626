package quantity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"virtscope/results"
)

// Show writes a quantity for reading: scaled, with no more digits than its bounds support; "≥" and rounded down if it is censored, and
// "unknown" if it is not known.
func Show(q Quantity) string {
	switch {
	case !q.Known:
		return "unknown"
	case q.Censored && q.Unit == results.One && q.Value == math.Trunc(q.Value):
		return Count(q)
	case q.Censored:
		return "≥ " + Bound(q.Value, math.Abs(q.Value)/200, q.Unit, Down)
	}
	return Scaled(q.Value, (q.High-q.Low)/2, q.Unit)
}

// Cell is Show for a table, where a dash stands for what is not known.
func Cell(q Quantity) string {
	if !q.Known {
		return "—"
	}
	return Show(q)
}

// Count writes a count in full, its thousands set off, such as "≥ 12,345"; a dash for what is not known.
func Count(q Quantity) string {
	switch {
	case !q.Known:
		return "—"
	case q.Censored:
		return "≥ " + thousands(q.Value)
	case q.Low < q.High:
		return Show(q)
	}
	return thousands(q.Value)
}

func thousands(v float64) string {
	digits := strconv.FormatFloat(math.Abs(v), 'f', -1, 64)
	whole, rest, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	if v < 0 {
		whole = "−" + whole
	}
	return whole
}

// WithSign writes v, of which text is the magnitude, with its sign; 0 has none.
func WithSign(v float64, text string) string {
	switch {
	case v > 0:
		return "+" + text
	case v < 0:
		return "−" + text
	}
	return text
}

// Signed writes a difference: with its sign, a count in full; a dash if it is not known.
func Signed(q Quantity) string {
	if !q.Known {
		return "—"
	}
	side, mark := Nearest, ""
	if q.Censored {
		side, mark = Down, "≥ "
	}
	text := Bound(math.Abs(q.Value), (q.High-q.Low)/2, q.Unit, side.Magnitude(q.Value))
	if q.Unit == results.One {
		text = thousands(math.Abs(q.Value))
	}
	return mark + WithSign(q.Value, text)
}

// Full writes a count in full, and everything else as Cell does.
func Full(q Quantity) string {
	if q.Unit == results.One {
		return Count(q)
	}
	return Cell(q)
}

// ShowBounds writes the interval of a quantity, such as "[18.1, 20.3] ms", rounded outward; "" if there is none.
func ShowBounds(q Quantity) string {
	if !q.Known || q.Censored || q.High <= q.Low {
		return ""
	}
	factor, unit := ScaleOf(max(math.Abs(q.Low), math.Abs(q.High)), q.Unit)
	d := Decimals((q.High-q.Low)/2/factor, q.High/factor)
	return fmt.Sprintf("[%s, %s] %s", Fixed(q.Low, factor, d, Down), Fixed(q.High, factor, d, Up), unit)
}

// Scaled writes v in a unit fit for reading. Digits that err, its error either way, makes meaningless are left out;
// at most four significant digits are written.
func Scaled(v, err float64, u results.Unit) string { return Bound(v, err, u, Nearest) }

// Bound is Scaled, rounded to a side.
func Bound(v, err float64, u results.Unit, side Side) string {
	factor, unit := ScaleOf(v, u)
	return strings.TrimSpace(Fixed(v, factor, Decimals(err/factor, v/factor), side) + " " + unit)
}

// ScaleOf is the factor and the name of the unit in which v is fit for reading.
func ScaleOf(v float64, u results.Unit) (factor float64, name string) {
	v = math.Abs(v)
	switch u {
	case results.Seconds:
		switch {
		case v >= 0.99995:
			return 1, "s"
		case v >= 0.99995e-3 || v == 0:
			return 1e-3, "ms"
		}
		return 1e-6, "µs"
	case results.Bytes, results.BytesPerSecond:
		suffix := strings.TrimPrefix(string(u), "B")
		switch {
		case v >= 1<<30:
			return 1 << 30, "GiB" + suffix
		case v >= 1<<20:
			return 1 << 20, "MiB" + suffix
		case v >= 1<<10:
			return 1 << 10, "KiB" + suffix
		}
		return 1, "B" + suffix
	case results.One:
		return 1, ""
	case results.Hertz:
		switch {
		case v >= 1e9:
			return 1e9, "GHz"
		case v >= 1e6:
			return 1e6, "MHz"
		}
	}
	return 1, string(u)
}

// Decimals is how many decimals a value deserves: it keeps two digits of the error and at most four significant digits of the value. Both are in the unit shown.
func Decimals(err, v float64) int {
	most := 3 - magnitude(v)
	if v == 0 {
		most = 1
	}
	if err > 0 {
		most = min(most, 1-magnitude(err))
	}
	if v == math.Trunc(v) && err <= 0 {
		return 0
	}
	return max(0, min(most, 3))
}

func magnitude(v float64) int {
	if v == 0 {
		return 0
	}
	return int(math.Floor(math.Log10(math.Abs(v))))
}

// ShowWithin writes a quantity with its interval behind it, if it has one.
func ShowWithin(q Quantity) string {
	if b := ShowBounds(q); b != "" {
		return Show(q) + " " + b
	}
	return Show(q)
}
