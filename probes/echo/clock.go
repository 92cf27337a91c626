package echo

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// now is a clock's time in ns. The clocks used here exist on every Linux.
func now(clock int32) int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(clock, &ts)
	return ts.Nano()
}

// glance is how often a long sleep looks whether it should end.
const glance = int64(20 * time.Millisecond)

// sleepUntil sleeps until CLOCK_MONOTONIC shows deadline (ns). It is false if ctx is done first.
func sleepUntil(ctx context.Context, deadline int64) bool {
	for {
		if ctx.Err() != nil {
			return false
		}
		at := now(unix.CLOCK_MONOTONIC)
		if at >= deadline {
			return true
		}
		ts := unix.NsecToTimespec(min(deadline, at+glance))
		// A signal ends a sleep early, and the runtime sends them: the loop looks again.
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil)
	}
}

// exactTimers lets the calling thread's sleeps end on time: the kernel may otherwise end them up to 50 µs late
// (PR_SET_TIMERSLACK, prctl(2)). The goroutine must be locked to its thread until restore.
func exactTimers() (restore func(), err error) {
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("set timer slack: %w", err)
	}
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }, nil // 0 is the thread's default
}
