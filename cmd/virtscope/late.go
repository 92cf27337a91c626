package main

import (
	"sync/atomic"
	"virtscope/results"
)

var _ results.Recorder = (*late)(nil)

// A late recorder drops what comes before it is opened: what happens to a guest before it is part of a trial.
type late struct {
	to atomic.Pointer[results.Recorder]
}

func (l *late) open(to results.Recorder) { l.to.Store(&to) }

// Record implements results.Recorder.
func (l *late) Record(r results.Record) {
	if to := l.to.Load(); to != nil {
		(*to).Record(r)
	}
}
