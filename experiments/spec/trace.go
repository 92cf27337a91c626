package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A TracePoint is a dirty rate from a time on.
type TracePoint struct {
	At   time.Duration // since the trace's begin
	Rate Rate
}

const traceWant = "times with rates in order, from 0s on, such as 0s 4MiB/s, 2s 16MiB/s, 5s"

// MaxTracePoints is the most that a trace has, so that the text fits into a file (of 1 MiB: 52 B each), and the points into a
// request to the guest's agent (of 8 MiB: 419 B each).
const MaxTracePoints = 20_000

// Writes reports whether a trace writes anything: whether a rate that has an effect is not 0.
func Writes(trace []TracePoint) bool {
	return slices.ContainsFunc(trace[:max(0, len(trace)-1)], func(p TracePoint) bool { return p.Rate > 0 })
}

// TracePoints are the points of w's trace: in order of time, the first at 0, the last one's time the period after which it
// begins again, so that the last one's rate has no effect (0 where the text has none). The error says what would be accepted.
func (w Workload) TracePoints() ([]TracePoint, error) {
	entries := strings.Split(w.Trace, ",")
	if len(entries) < 2 {
		return nil, &quantityError{want: traceWant + ": at least two times, the last of which is the end"}
	}
	if len(entries) > MaxTracePoints {
		return nil, &quantityError{want: fmt.Sprintf("at most %d times in a trace", MaxTracePoints)}
	}
	points := make([]TracePoint, 0, len(entries))
	for i, entry := range entries {
		p, err := parsePoint(entry, i == len(entries)-1)
		if err != nil {
			return nil, err
		}
		switch {
		case i == 0 && p.At != 0:
			return nil, &quantityError{want: traceWant + "; the first time is " + Duration(p.At).String()}
		case i > 0 && p.At <= points[i-1].At:
			return nil, &quantityError{want: fmt.Sprintf("%s; %s is not after %s", traceWant, Duration(p.At), Duration(points[i-1].At))}
		}
		points = append(points, p)
	}
	return points, nil
}

// parsePoint reads a time and a rate, which the last entry may leave out.
func parsePoint(entry string, last bool) (TracePoint, error) {
	words := strings.Fields(entry)
	if len(words) != 2 && (!last || len(words) != 1) {
		return TracePoint{}, &quantityError{want: fmt.Sprintf("%s; %q is none of it", traceWant, shorten(strings.TrimSpace(entry)))}
	}
	at, err := ParseDuration(words[0])
	if err != nil {
		return TracePoint{}, fmt.Errorf("%w; the trace has %q", err, shorten(words[0]))
	}
	p := TracePoint{At: time.Duration(at)}
	if len(words) == 1 {
		return p, nil
	}
	if p.Rate, err = ParseRate(words[1]); err != nil {
		return TracePoint{}, fmt.Errorf("%w; the trace has %q", err, shorten(words[1]))
	}
	return p, nil
}

// FormatTrace is the text from which TracePoints reads points back. The last one's rate, which has no effect, is left out.
func FormatTrace(points []TracePoint) string {
	entries := make([]string, 0, len(points))
	for i, p := range points {
		entry := Duration(p.At).String()
		if i < len(points)-1 {
			entry += " " + p.Rate.String()
		}
		entries = append(entries, entry)
	}
	return strings.Join(entries, ", ")
}
