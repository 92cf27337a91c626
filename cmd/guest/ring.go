package main

import (
	"strconv"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// A report is what the ticker says: one of the three kinds. It is a plain value, so that saying it costs no
// memory.
type report struct {
	mono     int64
	kind     reportKind
	beat     agent.Heartbeat
	miss     agent.TickMiss
	progress agent.Progress
}

type reportKind uint8

const (
	reportBeat reportKind = iota + 1
	reportMiss
	reportProgress
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
	}
	return append(b, "}}\n"...)
}

func appendField(b []byte, name string, v int64) []byte {
	return strconv.AppendInt(append(b, name...), v, 10)
}

// ringSize holds a minute of beats and progress while the port is blocked.
const ringSize = 4096

// A ring is a queue with one producer and one consumer that makes neither wait. A push to a full ring is
// dropped and counted.
type ring struct {
	head    atomic.Uint64 // next to pop
	tail    atomic.Uint64 // next to push
	dropped atomic.Int64
	reports [ringSize]report
}

func (r *ring) push(rep *report) {
	tail := r.tail.Load()
	if tail-r.head.Load() == ringSize {
		r.dropped.Add(1)
		return
	}
	r.reports[tail%ringSize] = *rep
	r.tail.Store(tail + 1)
}

func (r *ring) pop(rep *report) bool {
	head := r.head.Load()
	if head == r.tail.Load() {
		return false
	}
	*rep = r.reports[head%ringSize]
	r.head.Store(head + 1)
	return true
}
