package spec

import (
	"math/big"
	"regexp"
	"strings"
	"time"
)

const durationWant = "a duration with its unit (ns, us, ms, s, m, h), such as 300ms or 1m30s"

var (
	durationPattern = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|μs|ms|s|m|h))+$`)
	durationPart    = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)`)
)

// nanoseconds of each unit; both the micro sign and the Greek mu are in use.
var nanoseconds = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond,
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
}

// ParseDuration reads Go's syntax (300ms, 1m30s, 1.5s) exactly: what time.ParseDuration would cut to a whole
// nanosecond is refused, and so is a negative one. It accepts 0 without a unit. The error says what would be
// accepted.
func ParseDuration(s string) (Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if strings.HasPrefix(s, "-") {
		return 0, &quantityError{want: "a duration that is not negative"}
	}
	if len(s) > maxQuantityLength || !durationPattern.MatchString(s) {
		return 0, &quantityError{want: durationWant}
	}
	sum := new(big.Rat)
	for _, m := range durationPart.FindAllStringSubmatch(s, -1) {
		q, ok := new(big.Rat).SetString(m[1])
		if !ok {
			return 0, &quantityError{want: durationWant}
		}
		sum.Add(sum, q.Mul(q, new(big.Rat).SetInt64(int64(nanoseconds[m[2]]))))
	}
	if !sum.IsInt() {
		return 0, &quantityError{want: "a duration that comes to whole nanoseconds"}
	}
	if !sum.Num().IsInt64() {
		return 0, &quantityError{want: "a duration below 292 years"}
	}
	return Duration(sum.Num().Int64()), nil
}

// Seconds is d in s.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

// String is time.Duration's text without the empty parts (3m, not 3m0s); ParseDuration reads it back to exactly d.
// A negative d has no text in the language.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
