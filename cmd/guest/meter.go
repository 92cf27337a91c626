package main

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// A meter is what the ticker's thread reads of one running kind of workload.
type meter struct {
	kind  string
	start int64 // ns, monotonic
	pace  pace  // nil is not paced
	unit  int64 // B that are written at once

	written atomic.Int64 // B
	ops     atomic.Int64
	fault   atomic.Pointer[fault]

	sampled bool        // ops is looked up now and then, and told when it is fresh
	fresh   atomic.Bool // ops was looked up since it was told
}

// A fault is why a workload ended by itself, and the same as JSON, so that saying it costs no memory.
type fault struct {
	text string
	json []byte
}

func (m *meter) fail(err error) {
	text := err.Error()
	quoted, _ := json.Marshal(text) // a string always encodes
	m.fault.Store(&fault{text, quoted})
}

// asked is what should have been written by now, in B; 0 is not paced.
func (m *meter) asked(now int64) int64 {
	if m.pace == nil {
		return 0
	}
	return int64(m.pace.asked(now - m.start))
}

// late is how far the workload is behind its pace. What is due is written in whole units, so it may lack nearly one.
func (m *meter) late(now int64) int64 {
	if m.pace == nil {
		return 0
	}
	return max(0, now-m.start-m.pace.reached(float64(m.written.Load()+m.unit)))
}

// maxParts is how many kinds can run at once beside the one that dirties memory: cpu, disk, net, and kv or redis.
const maxParts = 4

// meters are those of a running workload.
type meters struct {
	start  int64
	memory *meter // of dirty or replay; nil if neither runs
	parts  []*meter
	// uncounted are the kinds of parts that write memory that nothing counts, with commas.
	uncounted string
}

// add adds the meter of a kind that runs.
func (s *meters) add(m *meter) {
	switch m.kind {
	case kindDirty, kindReplay:
		s.memory = m
		return
	case kindCPU:
	default:
		s.uncounted = strings.TrimPrefix(s.uncounted+","+m.kind, ",")
	}
	s.parts = append(s.parts, m)
}

// A partReport is an agent.Part as a plain value.
type partReport struct {
	kind  string
	bytes int64
	ops   int64
	late  int64
	fault *fault
}

// read puts the workload's progress into a report.
func (s *meters) read(now int64, r *report) {
	r.mono, r.kind = now, reportProgress
	r.progress = agent.Progress{Elapsed: now - s.start, Uncounted: s.uncounted}
	if m := s.memory; m != nil {
		r.progress.Dirtied = m.written.Load()
		r.progress.Asked = m.asked(now)
		r.progress.Late = m.late(now)
	}
	r.partCount = 0
	for _, m := range s.parts {
		if m.sampled && !m.fresh.Swap(false) && m.fault.Load() == nil {
			continue
		}
		r.parts[r.partCount] = m.report(now)
		r.partCount++
	}
}

func (m *meter) report(now int64) partReport {
	return partReport{m.kind, m.written.Load(), m.ops.Load(), m.late(now), m.fault.Load()}
}

// progress is the workload's progress at the given time, all of it.
func (s *meters) progress(now int64) agent.Progress {
	var r report
	s.read(now, &r)
	p := r.progress
	for _, m := range s.parts {
		part := m.report(now)
		said := agent.Part{Kind: part.kind, Bytes: part.bytes, Ops: part.ops, Late: part.late}
		if part.fault != nil {
			said.Error = part.fault.text
		}
		p.Parts = append(p.Parts, said)
	}
	return p
}
