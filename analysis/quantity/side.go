package quantity

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// A Side is to which side a number is rounded. A bound must not say more than is known: one that stands behind ≥, or at the low end
// of an interval, is rounded down, and one behind ≤, or at the high end, up.
type Side int

// The sides.
const (
	Nearest Side = iota // an exact value, or an estimate
	Down                // toward −∞
	Up                  // toward +∞
)

// Magnitude is the side to which the magnitude of v is rounded so that v is rounded to s.
func (s Side) Magnitude(v float64) Side {
	if v >= 0 || s == Nearest {
		return s
	}
	return Down + Up - s
}

// Fixed writes v over factor with so many decimals. Down and Up take v for the shortest decimal number that no other float64 is
// nearer to, so that 0.3 s are 300 ms.
func Fixed(v, factor float64, decimals int, side Side) string {
	if side == Nearest || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v/factor, 'f', decimals, 64)
	}
	return fixed(new(big.Rat).Quo(shortest(v), shortest(factor)), decimals, side)
}

// Digits writes v over factor, a power of ten, with at most n significant digits, as %g does.
func Digits(v, factor float64, n int, side Side) string {
	if side == Nearest || v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v/factor, 'g', n, 64)
	}
	exponent := exponentOf(v)
	text := fixed(new(big.Rat).Quo(shortest(v), ten(exponent)), n-1, side)
	rounded, _ := strconv.ParseFloat(text+"e"+strconv.Itoa(exponent-exponentOf(factor)), 64) // of its own making
	return strconv.FormatFloat(rounded, 'g', n, 64)
}

// exponentOf is that of the decimal number that is written for v.
func exponentOf(v float64) int {
	_, e, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	exponent, _ := strconv.Atoi(e) // of its own making
	return exponent
}

// RoundUp is the least multiple of unit that is not below d, an error bound of 0 or more.
func RoundUp(d, unit time.Duration) time.Duration { return (d + unit - 1).Truncate(unit) }

// Change writes a ratio as a change in percent, with its sign and one decimal, such as "+2.5".
func Change(ratio float64, side Side) string {
	sign := ""
	if ratio >= 1 {
		sign = "+"
	}
	if side == Nearest || math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return sign + strconv.FormatFloat(100*(ratio-1), 'f', 1, 64)
	}
	less := new(big.Rat).Sub(shortest(ratio), big.NewRat(1, 1))
	return sign + fixed(less.Mul(less, big.NewRat(100, 1)), 1, side)
}

// fixed writes x with so many decimals, rounded to a side; of what is below 0 the sign stays, as strconv has it.
func fixed(x *big.Rat, decimals int, side Side) string {
	sign := ""
	if x.Sign() < 0 {
		sign, side, x = "-", side.Magnitude(-1), new(big.Rat).Neg(x)
	}
	unit := ten(decimals)
	x = new(big.Rat).Mul(x, unit)
	whole, rest := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	if side == Up && rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return sign + new(big.Rat).Quo(new(big.Rat).SetInt(whole), unit).FloatString(decimals)
}

// shortest is the decimal number that is written for a finite v.
func shortest(v float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'e', -1, 64)) // of its own making
	return r
}

// ten is 10 to the power of e.
func ten(e int) *big.Rat {
	r, _ := new(big.Rat).SetString("1e" + strconv.Itoa(e)) // of its own making
	return r
}
