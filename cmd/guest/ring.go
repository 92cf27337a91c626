package main

import (
	"strconv"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// A report is what the ticker or the disk's thread says: one of the kinds. It is a plain value, so that saying it costs
// no memory.
type report struct {
	mono     int64
	kind     reportKind
	beat     agent.Heartbeat
	miss     agent.TickMiss
	progress agent.Progress // without Parts

	partCount int
	parts     [maxParts]partReport

	stall agent.DiskStall
	times diskTimes
}

type reportKind uint8

const (
	reportBeat reportKind = iota + 1
	reportMiss
	reportProgress
	reportStall
	reportTimes
)

// appendTo appends the report as the line of its agent.Message.
func (r *report) appendTo(b []byte) []byte {
	b = appendField(b, `{"mono":`, r.mono)
	switch r.kind {
	case reportBeat:
		b = appendField(b, `,"hb":{"seq":`, r.beat.Seq)
		b = appendField(b, `,"max_step":`, r.beat.MaxStep)
	case reportMiss:
		b = appendField(b, `,"miss":{"start":`, r.miss.Start)
		b = appendField(b, `,"end":`, r.miss.End)
	case reportProgress:
		b = appendField(b, `,"progress":{"dirtied":`, r.progress.Dirtied)
		b = appendField(b, `,"elapsed":`, r.progress.Elapsed)
		b = appendField(b, `,"late":`, r.progress.Late)
		b = appendField(b, `,"asked":`, r.progress.Asked)
		if r.progress.Uncounted != "" {
			b = append(append(append(b, `,"uncounted":"`...), r.progress.Uncounted...), '"')
		}
		b = r.appendParts(b)
	case reportStall:
		b = appendField(b, `,"stall":{"start":`, r.stall.Start)
		b = appendField(b, `,"end":`, r.stall.End)
	case reportTimes:
		b = appendField(b, `,"disk":{"max":`, r.times.max)
		b = r.times.appendCounts(b)
	}
	return append(b, "}}\n"...)
}

func (r *report) appendParts(b []byte) []byte {
	for i := range r.parts[:r.partCount] {
		p, open := &r.parts[i], `},{"kind":"`
		if i == 0 {
			open = `,"parts":[{"kind":"`
		}
		b = append(append(append(b, open...), p.kind...), '"')
		b = appendField(b, `,"bytes":`, p.bytes)
		b = appendField(b, `,"ops":`, p.ops)
		b = appendField(b, `,"late":`, p.late)
		if p.fault != nil {
			b = append(append(b, `,"error":`...), p.fault.json...)
		}
	}
	if r.partCount > 0 {
		b = append(b, "}]"...)
	}
	return b
}

func appendField(b []byte, name string, v int64) []byte {
	return strconv.AppendInt(append(b, name...), v, 10)
}

// ringSize holds a minute of beats and progress while the port is blocked.
const ringSize = 4096

// diskRingSize holds half a minute of the disk's reports.
const diskRingSize = 512

// A ring is a queue with one producer and one consumer that makes neither wait. A push to a full ring is
// dropped and counted.
type ring struct {
	head    atomic.Uint64 // next to pop
	tail    atomic.Uint64 // next to push
	dropped atomic.Int64
	reports []report
}

func newRing(size int) ring { return ring{reports: make([]report, size)} }

func (r *ring) push(rep *report) {
	tail := r.tail.Load()
	size := uint64(len(r.reports))
	if tail-r.head.Load() == size {
		r.dropped.Add(1)
		return
	}
	r.reports[tail%size] = *rep
	r.tail.Store(tail + 1)
}

func (r *ring) pop(rep *report) bool {
	head := r.head.Load()
	if head == r.tail.Load() {
		return false
	}
	*rep = r.reports[head%uint64(len(r.reports))]
	r.head.Store(head + 1)
	return true
}
