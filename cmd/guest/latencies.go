package main

import (
	"math/bits"
	"strconv"
)

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
