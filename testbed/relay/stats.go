package relay

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// Stats are what one direction of a link did since it began. A super-frame counts as one.
type Stats struct {
	Link string `json:"link"`
	From string `json:"from"` // the device that frames come from
	To   string `json:"to"`

	Frames  int64 `json:"frames"`  // that came
	Bytes   int64 `json:"bytes"`   // of them, without virtio headers
	Lost    int64 `json:"lost"`    // frames that were lost by the draw
	Full    int64 `json:"full"`    // frames that were dropped since the memory was full
	Refused int64 `json:"refused"` // frames that the other device did not take, such as one that is down
	Sent    int64 `json:"sent"`    // frames that the other device took; what is left is held
	Held    int64 `json:"held"`    // B of memory that frames take now
	MaxHeld int64 `json:"maxHeld"` // B that they took at most

	// Lateness of sent frames: from when they were due until they were written. It does not hold how late a frame was
	// read; that comes from the same thread's waking up, and is about as long.
	LateMean float64 `json:"lateMean"` // s; 0 if none was sent
	LateP50  float64 `json:"lateP50"`  // s, as a histogram with two digits has them
	LateP99  float64 `json:"lateP99"`
	LateMax  float64 `json:"lateMax"`
	LateMS   int64   `json:"lateMS"` // frames that were late by a millisecond or more

	CPU    float64 `json:"cpu"`             // s of CPU time of the direction's thread
	Urgent bool    `json:"urgent"`          // the thread runs before ordinary ones (SCHED_FIFO)
	Error  string  `json:"error,omitempty"` // why the direction ended; empty while it goes on
}

// lateness keeps how late frames are, in ns. One goroutine uses it.
type lateness struct {
	histogram *hdrhistogram.Histogram
	count     int64
	sum, max  int64
	ms        int64
}

// longestLate is what the histogram can hold; the maximum is kept beside it.
const longestLate = time.Hour

func newLateness() *lateness {
	return &lateness{histogram: hdrhistogram.New(1, int64(longestLate), 2)}
}

func (l *lateness) add(ns int64) {
	l.count++
	l.sum += ns
	l.max = max(l.max, ns)
	if ns >= int64(time.Millisecond) {
		l.ms++
	}
	_ = l.histogram.RecordValue(min(ns, int64(longestLate))) // no error: it is in the range
}

func (l *lateness) fill(s *Stats) {
	if l.count == 0 {
		return
	}
	s.LateMean = float64(l.sum) / float64(l.count) / 1e9
	s.LateP50 = float64(l.histogram.ValueAtQuantile(50)) / 1e9
	s.LateP99 = float64(l.histogram.ValueAtQuantile(99)) / 1e9
	s.LateMax = float64(l.max) / 1e9
	s.LateMS = l.ms
}

// threadCPU is the CPU time of the calling thread in s (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID).
func threadCPU() float64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) // every Linux has it
	return float64(ts.Nano()) / 1e9
}
