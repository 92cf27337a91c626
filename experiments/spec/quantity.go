package spec

import (
	"strconv"
	"time"
)

// Bytes is an amount of data in B, written with a unit: 512MiB, 1GB.
type Bytes int64

// Rate is B/s, written in bits or bytes per second: 1Gbit/s, 8MiB/s.
type Rate float64

// Duration is written with a unit: 300ms, 2m.
type Duration time.Duration

// ParseBytes reads an amount such as 512MiB or 1.5GB. It accepts 0 without a unit, and a fraction only where it
// comes to whole bytes. The error says what would be accepted.
func ParseBytes(s string) (Bytes, error) {
	q, err := byteUnits.parse(s)
	if err != nil {
		return 0, err
	}
	if !q.IsInt() {
		return 0, &quantityError{want: "an amount that comes to whole bytes; " + s + " does not"}
	}
	if !q.Num().IsInt64() {
		return 0, &quantityError{want: "less than 8192PiB (it must fit in 63 bits)"}
	}
	return Bytes(q.Num().Int64()), nil
}

// ParseRate reads a rate such as 1Gbit/s or 8MiB/s into B/s. It accepts 0 without a unit. The error says what
// would be accepted.
func ParseRate(s string) (Rate, error) {
	q, err := rateUnits.parse(s)
	if err != nil {
		return 0, err
	}
	if q.Cmp(maxRate) > 0 {
		return 0, &quantityError{want: "at most 1000000Gbit/s"}
	}
	if q.Sign() > 0 && q.Cmp(minRate) < 0 {
		return 0, &quantityError{want: "0 or at least 1bit/s"}
	}
	f, _ := q.Float64() // the nearest float64
	return Rate(f), nil
}

// String is a short text that ParseBytes reads back to exactly b: 512MiB, 1GB. A negative b has no text in the language.
func (b Bytes) String() string { return byteUnits.format(int64(b)) }

// String is a short text that ParseRate reads back to exactly r: 8MiB/s, 1Gbit/s. A negative r has no text in the language.
func (r Rate) String() string {
	if r >= 0 && r < 1<<53 && r == Rate(int64(r)) {
		return rateUnits.format(int64(r))
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64) + "B/s"
}

// MarshalText is String: YAML and JSON hold 512MiB.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// MarshalText is String: YAML and JSON hold 1Gbit/s.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText is String: YAML and JSON hold 300ms.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseBytes.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}

// UnmarshalText is ParseRate.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}
