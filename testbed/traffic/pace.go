package traffic

import (
	"runtime"
	"time"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

const (
	// catchUp is how far behind its schedule a sender may fall and still make up for it. What it misses beyond is left
	// out: a burst of it would be another load than the one that was asked for.
	catchUp = 50 * time.Millisecond
	// glance is how often a long sleep looks whether it should end.
	glance = 20 * time.Millisecond
)

// A pace spreads bytes evenly over time. One goroutine uses it, on a thread of its own.
type pace struct {
	rate  float64 // B/s
	begin time.Time
	due   time.Duration // since begin
}

// startPace ties the calling goroutine to a thread that wakes on time, until done. Where the machine does not let it be
// urgent, a guest that keeps every CPU busy makes it late; the counters then tell.
func startPace(rate float64) (p *pace, done func()) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // else sleeps may end 50 µs late (prctl(2))
	restore, _ := host.Urgent()
	return &pace{rate: rate, begin: time.Now()}, func() {
		restore()
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // the default
		runtime.UnlockOSThread()
	}
}

// wait waits until the next n bytes are due. It is false if stop is closed first.
func (p *pace) wait(n int, stop <-chan struct{}) bool {
	for {
		select {
		case <-stop:
			return false
		default:
		}
		early := p.due - time.Since(p.begin)
		if early <= 0 {
			p.due = max(p.due, p.due-early-catchUp)
			p.due += time.Duration(float64(n) / p.rate * float64(time.Second))
			return true
		}
		ts := unix.NsecToTimespec(int64(min(early, glance)))
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // a signal ends it early: the loop looks again
	}
}
