package nbd

import (
	"math"
	"virtscope/probes/wire/tcp"
)

// A ledger sums the requests that passed whole.
type ledger struct {
	requests    [commands]int64
	bytes       [commands]int64
	modified    bool
	first, last tcp.Stamp // of those that modify: the first one's header, the last one's last byte
	touched     sectors   // by any of those
	written     sectors   // by a write
	distinct    int64     // sectors
	again       int64     // sectors that were touched when they had been
	afterWrite  int64     // … by a write: the others were only zeroed or trimmed before
}

// count counts a request, whose header passed at begin and whose last byte at end.
func (l *ledger) count(r request, begin, end tcp.Stamp) {
	l.requests[r.command]++
	if !r.command.modifies() {
		return
	}
	l.bytes[r.command] += int64(min(r.length, uint64(math.MaxInt64-l.bytes[r.command])))
	if !l.modified {
		l.modified, l.first = true, begin
	}
	l.last = end
	if r.length == 0 {
		return
	}
	from, to := r.from/sectorSize, (r.from+r.length-1)/sectorSize+1
	touched, seen := l.touched.visit(from, to, true)
	l.distinct += seen - touched
	written, _ := l.written.visit(from, to, r.command == cmdWrite)
	l.again += touched
	l.afterWrite += written
}

// bounded reports whether sectors were left out, so that sums of them are too low.
func (l *ledger) bounded() bool { return l.touched.overflow || l.written.overflow }
