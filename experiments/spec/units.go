package spec

import (
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A unit is a number of B (or of B/s) as a fraction, so that 1bit/s is exact.
type unit struct {
	name     string
	num, den int64
}

// units are those of one quantity, the preferred ones first.
type units struct {
	quantity string // with its article
	example  string
	base     string
	list     []unit
}

var byteUnits = units{"an amount of data", "512MiB", "B", []unit{
	{"TiB", 1 << 40, 1},
	{"GiB", 1 << 30, 1},
	{"MiB", 1 << 20, 1},
	{"KiB", 1 << 10, 1},
	{"TB", 1e12, 1},
	{"GB", 1e9, 1},
	{"MB", 1e6, 1},
	{"kB", 1e3, 1},
	{"B", 1, 1},
}}

var rateUnits = units{"a rate", "8MiB/s or 1Gbit/s", "B/s", []unit{
	{"Gbit/s", 1e9, 8},
	{"Mbit/s", 1e6, 8},
	{"kbit/s", 1e3, 8},
	{"bit/s", 1, 8},
	{"GiB/s", 1 << 30, 1},
	{"MiB/s", 1 << 20, 1},
	{"KiB/s", 1 << 10, 1},
	{"GB/s", 1e9, 1},
	{"MB/s", 1e6, 1},
	{"kB/s", 1e3, 1},
	{"B/s", 1, 1},
}}

// The bounds of a rate in B/s, 1 bit/s and 1 Pbit/s: beyond any link, and far from a float64's limits.
var (
	minRate = big.NewRat(1, 8)
	maxRate = big.NewRat(1e15, 8)
)

// quantityPattern splits a number from its unit. Exponents are left out: nobody writes them, and 1e999999999
// must not become a number with a billion digits.
var quantityPattern = regexp.MustCompile(`^([+-]?)([0-9]+(?:\.[0-9]+)?)([ \t]*)([^0-9 \t].*)?$`)

// maxQuantityLength bounds the work of a parse.
const maxQuantityLength = 64

// A quantityError says what would be accepted.
type quantityError struct{ want string }

func (e *quantityError) Error() string { return "want " + e.want }

func (u *units) parse(s string) (*big.Rat, error) {
	m := quantityPattern.FindStringSubmatch(s)
	if m == nil || len(s) > maxQuantityLength {
		return nil, &quantityError{want: u.want()}
	}
	sign, number, space, name := m[1], m[2], m[3], m[4]
	if sign == "-" {
		return nil, &quantityError{want: u.quantity + " that is not negative"}
	}
	q, ok := new(big.Rat).SetString(number)
	if !ok {
		return nil, &quantityError{want: u.want()}
	}
	if name == "" && q.Sign() == 0 && sign == "" && space == "" {
		return q, nil
	}
	i := slices.IndexFunc(u.list, func(x unit) bool { return x.name == name })
	if i < 0 || sign != "" || space != "" {
		if guess := u.suggest(number, name); guess != "" {
			return nil, &quantityError{want: u.quantity + " with its unit" + guess}
		}
		return nil, &quantityError{want: u.want()}
	}
	return q.Mul(q, big.NewRat(u.list[i].num, u.list[i].den)), nil
}

// want describes the quantity and all its units.
func (u *units) want() string {
	return u.quantity + " with its unit (" + strings.Join(u.names(), ", ") + "), such as " + u.example
}

// suggest guesses what a misspelt unit meant: case, a space, 512M, 8MiB for 8MiB/s, 1Gbps, 1Gb/s.
func (u *units) suggest(number, name string) string {
	if name == "" {
		return ""
	}
	fold := func(s string) string {
		s = strings.ToLower(s)
		s = strings.ReplaceAll(s, "bytes", "b")
		s = strings.ReplaceAll(s, "bits", "bit")
		return strings.TrimSuffix(strings.TrimSuffix(s, "/sec"), "/s")
	}
	var guesses []string
	for _, x := range u.list {
		have, key := fold(name), fold(x.name)
		same := have == key || have+"b" == key || have+"ib" == key
		bits := strings.HasSuffix(key, "bit") && (have == strings.TrimSuffix(key, "it")+"ps" || have == strings.TrimSuffix(key, "it") || have == key+"ps")
		if same || bits {
			guesses = append(guesses, number+x.name)
		}
	}
	if len(guesses) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(guesses, " or ") + "?"
}

// format writes n of the base unit with the unit that needs the fewest significant digits; among equals, with a
// number below 1024, then with the unit listed first.
func (u *units) format(n int64) string {
	if n <= 0 {
		return strconv.FormatInt(n, 10) + u.base
	}
	best, least := "", math.MaxInt
	for _, x := range u.list {
		q := new(big.Int).Mul(big.NewInt(n), big.NewInt(x.den))
		q, r := q.QuoRem(q, big.NewInt(x.num), new(big.Int))
		if r.Sign() != 0 {
			continue
		}
		text := q.String()
		cost := 2 * len(strings.TrimRight(text, "0"))
		if q.Cmp(big.NewInt(1024)) >= 0 {
			cost++
		}
		if cost < least {
			best, least = text+x.name, cost
		}
	}
	return best
}

// names are the units' names in order.
func (u *units) names() []string {
	names := make([]string, 0, len(u.list))
	for _, x := range u.list {
		names = append(names, x.name)
	}
	return names
}
