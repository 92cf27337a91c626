package probes

import (
	"context"
	"testing"
	"time"
)

func TestTicksLeaveOutWhatWasMissed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begin := time.Now()
	const interval = 10 * time.Millisecond
	ticks, missed := int64(0), int64(0)
	for late := range Ticks(ctx, interval) {
		ticks++
		missed += late
		if since := time.Since(begin); since < time.Duration(ticks+missed)*interval {
			t.Fatalf("tick %d after %v, too early", ticks+missed, since)
		}
		switch ticks {
		case 3:
			time.Sleep(55 * time.Millisecond)
		case 6:
			cancel()
		}
	}
	if ticks < 6 || missed < 4 {
		t.Fatalf("%d ticks, %d missed: want at least 6 and 4", ticks, missed)
	}
	if passed := int64(time.Since(begin) / interval); ticks+missed > passed {
		t.Fatalf("%d ticks and %d missed in %d intervals", ticks, missed, passed)
	}
}
