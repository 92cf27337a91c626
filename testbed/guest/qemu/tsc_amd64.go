package qemu

import (
	"sync"
	"time"
)

// rdtsc reads this CPU's time-stamp counter.
func rdtsc() int64

// tscKHz is the rate of this machine's time-stamp counter in kHz, by its monotonic clock over a tenth of a second: within some
// 10 ppm.
var tscKHz = sync.OnceValue(func() int64 {
	const long = 100 * time.Millisecond
	clock, counter := readBoth()
	time.Sleep(long)
	later, more := readBoth()
	return (more - counter) * int64(time.Millisecond) / int64(later.Sub(clock))
})

// readBoth reads the clock and the counter at one time: of some readings, the one between which and the next the least
// passed, since nothing came between.
func readBoth() (clock time.Time, counter int64) {
	best := time.Hour
	for range 20 {
		before := time.Now()
		c := rdtsc()
		if took := time.Since(before); took < best {
			best, clock, counter = took, before, c
		}
	}
	return clock, counter
}
