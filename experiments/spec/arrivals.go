package spec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

const arrivalsWant = "times in order, such as 0s, 0.5s, 2s, or a file with one a line"

// MaxArrivals is the most that a trace of arrivals has: as many as guests.
const MaxArrivals = 10_000

// ArrivalTimes are the times from the action's begin at which b's guests are asked for, in order, one for each guest. Poisson
// begins at 0 as the others do, with exponential gaps that depend on the seed alone. The error says what would be accepted.
func (b Boot) ArrivalTimes(seed uint64) ([]time.Duration, error) {
	times := make([]time.Duration, b.Guests)
	switch b.Arrivals {
	case "trace":
		all, err := ParseArrivals(b.Trace)
		if err != nil {
			return nil, err
		}
		if len(all) < b.Guests {
			return nil, &quantityError{want: fmt.Sprintf("a time for each of action.boot.guests (%d); there are %d", b.Guests, len(all))}
		}
		return all[:b.Guests], nil
	case "fixed":
		for i := range times {
			times[i] = capped(float64(b.Interval) * float64(i))
		}
	case "poisson":
		next := Exponential(seed, time.Duration(b.Interval))
		for i := 1; i < len(times); i++ {
			times[i] = capped(float64(times[i-1]) + float64(next()))
		}
	}
	return times, nil
}

// Exponential gives the gaps of a Poisson process with so much between two on average: what comes next depends on the seed
// alone.
func Exponential(seed uint64, mean time.Duration) func() time.Duration {
	const stream = 0x6172726976616c73 // apart from other uses of the seed
	source := rand.NewPCG(seed, stream)
	return func() time.Duration {
		u := float64(source.Uint64()>>11) / (1 << 53) // [0, 1)
		return capped(-math.Log1p(-u) * float64(mean))
	}
}

// capped is ns as a duration, at most the longest that there is.
func capped(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}

// ParseArrivals reads times that are separated by commas or lines. Empty lines, and what follows a # in a line, are left out. The
// times are in order; several may be the same. The error says what would be accepted.
func ParseArrivals(text string) ([]time.Duration, error) {
	var times []time.Duration
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if line == "" {
			continue
		}
		for word := range strings.SplitSeq(line, ",") {
			word = strings.TrimSpace(word)
			d, err := ParseDuration(word)
			switch {
			case err != nil:
				return nil, &quantityError{want: fmt.Sprintf("%s; %q is no time", arrivalsWant, shorten(word))}
			case len(times) > 0 && time.Duration(d) < times[len(times)-1]:
				return nil, &quantityError{want: fmt.Sprintf("%s; %s is before %s", arrivalsWant, d, Duration(times[len(times)-1]))}
			case len(times) == MaxArrivals:
				return nil, &quantityError{want: fmt.Sprintf("at most %d times in a trace", MaxArrivals)}
			}
			times = append(times, time.Duration(d))
		}
	}
	if len(times) == 0 {
		return nil, &quantityError{want: arrivalsWant}
	}
	return times, nil
}

// FormatArrivals is the text from which ParseArrivals reads times back.
func FormatArrivals(times []time.Duration) string {
	words := make([]string, 0, len(times))
	for _, t := range times {
		words = append(words, Duration(t).String())
	}
	return strings.Join(words, ", ")
}
