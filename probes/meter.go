package probes

import (
	"runtime"
	"sync/atomic"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// A Meter measures what a probe costs. It is safe for concurrent use.
//
// It counts the CPU of the OS threads that the probe keeps to itself. It cannot see what the kernel does for
// the probe on other threads (copying a frame into a capture's ring happens on the sender's) nor the Go
// runtime's own threads.
type Meter struct {
	host, source string
	begin        time.Time
	cpu          atomic.Int64 // ns
	late         atomic.Int64
	dropped      atomic.Int64
}

// NewMeter starts a meter. Host is whose clock stamps the records, source the probe's name.
func NewMeter(host, source string) *Meter {
	return &Meter{host: host, source: source, begin: time.Now()}
}

// Thread ties the calling goroutine to an OS thread of its own and counts that thread's CPU until done is
// called, by the same goroutine.
func (m *Meter) Thread() (done func()) {
	runtime.LockOSThread()
	start := threadCPU()
	return func() {
		m.cpu.Add(threadCPU() - start)
		runtime.UnlockOSThread()
	}
}

// Late counts ticks that came late by more than an interval, or were left out.
func (m *Meter) Late(n int64) { m.late.Add(n) }

// Dropped counts records or frames that the probe lost.
func (m *Meter) Dropped(n int64) { m.dropped.Add(n) }

// Record records the totals so far: call it once, last, after every Thread is done.
func (m *Meter) Record(rec results.Recorder) {
	now := time.Now().UnixNano()
	record := func(name string, value float64, unit results.Unit) {
		rec.Record(results.Record{Time: now, Host: m.host, Source: m.source, Name: name, Value: value, Unit: unit})
	}
	record(results.ProbeCPU, time.Duration(m.cpu.Load()).Seconds(), results.Seconds)
	record(results.ProbeWall, time.Since(m.begin).Seconds(), results.Seconds)
	record(results.ProbeLate, float64(m.late.Load()), results.One)
	record(results.ProbeDropped, float64(m.dropped.Load()), results.One)
}

// threadCPU is the CPU time of the calling thread in ns (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID: user and
// system as getrusage(RUSAGE_THREAD) has them, in ns). Linux has that clock on every kernel that Go runs on,
// so it cannot fail.
func threadCPU() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return ts.Nano()
}
