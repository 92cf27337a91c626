package spec

import (
	"fmt"
	"regexp"
	"strconv"
)

// Percent is a share in %, written with its sign: 5%.
type Percent float64

var percentPattern = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?%$`)

// ParsePercent reads a share such as 5% or 0.5%. The error says what would be accepted.
func ParsePercent(s string) (Percent, error) {
	if len(s) > maxQuantityLength || !percentPattern.MatchString(s) {
		want := "a share in percent, such as 5%"
		if x, err := strconv.ParseFloat(s, 64); err == nil && x > 0 && x < 1 {
			want += fmt.Sprintf("; did you mean %s%%?", strconv.FormatFloat(x*100, 'g', 6, 64))
		}
		return 0, &quantityError{want: want}
	}
	x, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if err != nil {
		return 0, &quantityError{want: "a share in percent, such as 5%"}
	}
	return Percent(x), nil
}

// Share is p as a number from 0 to 1.
func (p Percent) Share() float64 { return float64(p) / 100 }

// String is a text that ParsePercent reads back to exactly p.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }

// MarshalText is String: YAML and JSON hold 5%.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePercent.
func (p *Percent) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePercent(string(text))
	return err
}
