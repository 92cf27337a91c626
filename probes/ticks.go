package probes

import (
	"context"
	"iter"
	"time"
)

// Ticks yields at every interval, counted from now, until ctx is done. A tick that could not be in time is
// left out, never made up for: what is yielded is how many were, since the last.
func Ticks(ctx context.Context, interval time.Duration) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		start := time.Now()
		timer := time.NewTimer(interval)
		defer timer.Stop()
		for tick := int64(1); ; tick++ {
			timer.Reset(time.Until(start.Add(time.Duration(tick) * interval)))
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			late := int64(time.Since(start)/interval) - tick
			tick += late
			if !yield(late) {
				return
			}
		}
	}
}
