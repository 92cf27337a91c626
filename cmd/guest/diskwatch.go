package main

import (
	"math/bits"
	"strconv"
	"time"
	"virtscope/testbed/guest/agent"
)

// stallThreshold is how long a write may take before it is reported as a stall.
const stallThreshold = int64(50 * time.Millisecond)

// timesBin is the time whose writes one report sums up.
const timesBin = progressInterval

// diskTimes is an agent.DiskTimes as a plain value.
type diskTimes struct {
	counts [36]int64
	max    int64
}

// add counts a write that took so many ns.
func (t *diskTimes) add(took int64) {
	t.counts[min(bits.Len64(uint64(took/1000)), len(t.counts)-1)]++
	t.max = max(t.max, took)
}

// appendCounts appends the counts as JSON, without the zeros at the end.
func (t *diskTimes) appendCounts(b []byte) []byte {
	end := len(t.counts)
	for end > 0 && t.counts[end-1] == 0 {
		end--
	}
	b = append(b, `,"counts":[`...)
	for i, n := range t.counts[:end] {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, ']')
}

// A diskWatch turns writes into reports: stalls, and the latencies of each tenth of a second.
type diskWatch struct {
	say     func(*report)
	end     int64 // of the bin
	times   diskTimes
	count   int64
	scratch report
}

// wrote takes a write. It counts in the bin in which it was done.
func (w *diskWatch) wrote(start, end int64) {
	w.pass(end)
	w.times.add(end - start)
	w.count++
	if end-start > stallThreshold {
		w.emit(report{mono: end, kind: reportStall, stall: agent.DiskStall{Start: start, End: end}})
	}
}

// pass says what the bin held, if it is over by now.
func (w *diskWatch) pass(now int64) {
	if now < w.end {
		return
	}
	w.flush(w.end)
	w.end = after(now, timesBin)
}

// flush says what the bin held so far.
func (w *diskWatch) flush(at int64) {
	if w.count > 0 {
		w.emit(report{mono: at, kind: reportTimes, times: w.times})
	}
	w.times, w.count = diskTimes{}, 0
}

func (w *diskWatch) emit(r report) {
	w.scratch = r
	w.say(&w.scratch)
}
