package qemu

import (
	"sync"
	"time"
)

// rdtsc reads this CPU's time-stamp counter.
func rdtsc() int64

// tscKHz is the rate of this machine's time-stamp counter in kHz, by its monotonic clock over a tenth of a second: within some
// 10 ppm where the machine is not very busy, and within 500 otherwise, as the kernel's own.
var tscKHz = sync.OnceValue(func() int64 {
	const long = 100 * time.Millisecond
	clock, counter := time.Now(), rdtsc()
	time.Sleep(long)
	// The shortest of a few readings is the one that nothing came between.
	best := time.Hour
	var khz int64
	for range 5 {
		before := time.Now()
		c := rdtsc()
		if took := time.Since(before); took < best {
			best, khz = took, (c-counter)*int64(time.Millisecond)/int64(before.Sub(clock))
		}
	}
	return khz
})
