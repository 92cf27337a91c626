package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
)

var errNoReports = errors.New("want a trial whose workload writes memory (dirty or replay): fewer than two of its reports are there")

var errNothingWritten = errors.New("want a trial that wrote memory: its rate rounds to 0 throughout, and a replay of that is workload.kind: idle")

// kib is what rates are rounded to, in B/s: a quarter of a page a second.
const kib = 1024

// dirtyTrace is the rate of the reports of what the workload wrote, in steps of the guest's own clock, which stands still while
// the guest is stopped: what is replayed is what the guest did, not when the host saw it. The last step is a whole one too.
func dirtyTrace(records []results.Record, step time.Duration) ([]spec.TracePoint, error) {
	readings, err := readDirtied(records)
	if err != nil {
		return nil, err
	}
	if len(readings) < 2 {
		return nil, errNoReports
	}
	first, last := readings[0].at, readings[len(readings)-1].at
	steps := int((last - first) / int64(step))
	if steps < 1 {
		return nil, fmt.Errorf("want a --step of at most %s: the reports cover no more", time.Duration(last-first).Round(time.Millisecond))
	}
	if steps >= spec.MaxTracePoints { // and the end
		return nil, fmt.Errorf("want a longer --step: %d steps of %s; an experiment takes less than %d", steps, step, spec.MaxTracePoints)
	}
	points := make([]spec.TracePoint, 0, steps+1)
	for i := range steps {
		from := first + int64(i)*int64(step)
		wrote := writtenBy(readings, from+int64(step)) - writtenBy(readings, from)
		points = append(points, spec.TracePoint{
			At: time.Duration(i) * step, Rate: spec.Rate(math.Round(max(0, wrote)/step.Seconds()/kib) * kib),
		})
	}
	points = append(points, spec.TracePoint{At: time.Duration(steps) * step})
	if !spec.Writes(points) {
		return nil, errNothingWritten
	}
	return points, nil
}

// writtenBy interpolates between the readings on either side of at.
func writtenBy(list []dirtyReading, at int64) float64 {
	i, exact := slices.BinarySearchFunc(list, at, func(r dirtyReading, at int64) int {
		return int(min(1, max(-1, r.at-at)))
	})
	switch {
	case exact, i == 0:
		return list[i].bytes
	case i == len(list):
		return list[i-1].bytes
	}
	a, b := list[i-1], list[i]
	return a.bytes + (b.bytes-a.bytes)*float64(at-a.at)/float64(b.at-a.at)
}

// A dirtyReading is a report of the workload.
type dirtyReading struct {
	at    int64   // ns on the guest's clock
	bytes float64 // written so far
}

// readDirtied are the reports in order of the guest's clock.
func readDirtied(records []results.Record) ([]dirtyReading, error) {
	var list []dirtyReading
	for _, r := range records {
		if r.Name != results.GuestDirtied {
			continue
		}
		at, err := strconv.ParseInt(r.Attrs["mono"], 10, 64)
		if err != nil || at < 0 {
			return nil, fmt.Errorf("read report of what was written: want the guest's clock in ns, got mono %q", r.Attrs["mono"])
		}
		list = append(list, dirtyReading{at, r.Value})
	}
	slices.SortStableFunc(list, func(a, b dirtyReading) int { return cmp.Compare(a.at, b.at) })
	for i := range list[min(1, len(list)):] {
		if list[i+1].bytes < list[i].bytes {
			return nil, errors.New("read reports of what was written: the sum goes down; the workload was started anew")
		}
	}
	return slices.CompactFunc(list, func(a, b dirtyReading) bool { return a.at == b.at }), nil
}
