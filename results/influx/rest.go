package influx

import (
	"context"
	"virtscope/results"
)

// A Rest is what of an attempt a target does not have yet.
type Rest struct {
	Trial   results.Trial
	Attempt int
	From    int64 // records that are settled; those after them are not
	Records int64 // that are not; -1 if ctx ended before they were counted
}

// Unshipped is what of a run a target does not have, by the state on disk. It reads the records that are left, to count them.
func Unshipped(ctx context.Context, r *results.Run, t Target) ([]Rest, error) {
	state, err := ReadState(r, t)
	if err != nil {
		return nil, err
	}
	all, err := r.Attempts()
	if err != nil {
		return nil, err
	}
	var rest []Rest
	for _, a := range all {
		from := int64(0)
		if i := state.find(a.Trial.ID, a.Number); i >= 0 {
			if state.Attempts[i].Done {
				continue
			}
			from = state.Attempts[i].Records
		}
		n := countRecords(ctx, a.Dir)
		if n >= 0 {
			n = max(n-from, 0)
		}
		rest = append(rest, Rest{Trial: a.Trial, Attempt: a.Number, From: from, Records: n})
	}
	return rest, nil
}

// countRecords counts those that can be read; -1 if ctx ended before.
func countRecords(ctx context.Context, dir string) int64 {
	n := int64(0)
	tail := results.NewTail(dir)
	tail.Over = func() bool { return true }
	// A file that is cut off, or is not there, has no more.
	_ = tail.Each(ctx, readLimit, func(records []results.Record) error {
		n += int64(len(records))
		return ctx.Err()
	})
	if ctx.Err() != nil {
		return -1
	}
	return n
}
