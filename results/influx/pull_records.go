package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Windows of time in which records are read: each is held in memory, and as long as it may be to hold not more than that.
const (
	maxWindowRows = 50_000
	firstWindow   = int64(100 * time.Millisecond)
	longestWindow = int64(24 * time.Hour)
)

// errTooMany says that a window holds more rows than it may.
var errTooMany = errors.New("too many rows")

// Records reads a run's records by the time of their points, and gives them to yield a window at a time: do not keep the slice. Records of several
// trials may stand among each other where clocks were set back, and late ones among others. Memory is bounded by the window, whatever the run's length.
func (r *Reader) Records(ctx context.Context, f *Found, yield func([]Decoded) error) error {
	if len(f.Spans) == 0 {
		return nil
	}
	from, end := f.Spans[0].From, f.Spans[0].To
	for _, s := range f.Spans {
		from, end = min(from, s.From), max(end, s.To)
	}
	var batch []Decoded
	for width := firstWindow; from <= end; {
		to := end + 1
		if width < to-from {
			to = from + width
		}
		var err error
		batch, err = r.window(ctx, f, from, to, batch[:0])
		if errors.Is(err, errTooMany) {
			width = (to - from) / 2
			continue
		}
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			if err := yield(batch); err != nil {
				return err
			}
		}
		from = to
		if len(batch) < maxWindowRows/4 {
			width = min(2*width, longestWindow)
		}
	}
	return nil
}

// window appends the records of the points from a time until before another.
func (r *Reader) window(ctx context.Context, f *Found, from, to int64, batch []Decoded) ([]Decoded, error) {
	var q strings.Builder
	for _, s := range f.Spans {
		if s.From < to && s.To >= from {
			fmt.Fprintf(&q, "SELECT * FROM %s WHERE %s = %s AND time >= %d AND time < %d GROUP BY *;",
				quoteName(s.Measurement), quoteName(tagRun), quoteText(escape(f.Run)), from, to)
		}
	}
	if q.Len() == 0 {
		return batch, nil
	}
	ctx, cancel := context.WithCancel(ctx) // of an answer that is not read to its end
	defer cancel()
	err := r.ask(ctx, q.String(), func(s *answerSeries) error {
		d := NewDecoder(s.Name, s.Tags)
		if len(batch)+len(s.Values) > maxWindowRows && to-from > 1 {
			return errTooMany
		}
		for _, values := range s.Values {
			p, err := s.row(values)
			if err != nil {
				return err
			}
			one, err := d.Decode(p.time, p.fields)
			if err != nil {
				return err
			}
			batch = append(batch, one)
		}
		return nil
	})
	slices.SortStableFunc(batch, func(a, b Decoded) int { return cmp.Compare(a.Point, b.Point) })
	return batch, err
}
