package shape

import (
	"cmp"
	"slices"
	"virtscope/probes/wire/histogram"
	"virtscope/probes/wire/tcp"
)

const (
	mostGaps   = 16      // that are told: the longest
	shortest   = 20e6    // ns: a shorter one is none
	window     = 100e6   // ns: QEMU's limiter lets a tenth of max-bandwidth pass, then waits for the rest of it (migration.h, BUFFER_DELAY)
	windowLate = 6e6     // ns that a window may begin late: the thread must wake
	outOfRange = 1 << 62 // ns between two packets: no clock
)

// A gap is a time without forward payload.
type gap struct {
	from, to tcp.Stamp
	periodic bool // a window of the rate limiter began behind it
}

func (g gap) length() int64 { return g.to.Time - g.from.Time }

// gaps keeps the longest.
type gaps struct {
	last     tcp.Stamp
	any      bool
	spacing  histogram.Times
	list     []gap
	starts   [8]int64 // when the latest windows may have begun
	started  int
	count    int64
	periodic int64
}

// packet notes a packet with payload.
func (g *gaps) packet(at tcp.Stamp) {
	if !g.any {
		g.any, g.last = true, at
		return
	}
	length := at.Time - g.last.Time
	if length <= 0 || length > outOfRange { // the packet's other pieces, or one that overtook
		return
	}
	g.spacing.Add(length)
	if length >= shortest {
		g.wait(gap{from: g.last, to: at, periodic: g.again(at.Time)})
	}
	g.last = at
}

// again reports whether a window that begins at now begins one period after another.
func (g *gaps) again(now int64) bool {
	for i := range min(g.started, len(g.starts)) {
		if d := now - g.starts[i] - window; d > -windowLate/3 && d < windowLate {
			return true
		}
	}
	return false
}

func (g *gaps) wait(n gap) {
	g.starts[g.started%len(g.starts)] = n.to.Time
	g.started++
	g.count++
	if n.periodic {
		g.periodic++
	}
	if len(g.list) < mostGaps {
		g.list = append(g.list, n)
		return
	}
	i := 0
	for j := range g.list {
		if g.list[j].length() < g.list[i].length() {
			i = j
		}
	}
	if n.length() > g.list[i].length() {
		g.list[i] = n
	}
}

// limited reports whether the source's rate is limited: most gaps end with a window.
func (g *gaps) limited() bool { return g.periodic >= 5 && 2*g.periodic >= g.count }

// told is the gaps that stand out, in the order of time: at least ten times the median spacing.
func (g *gaps) told() []gap {
	least := max(shortest, 10*g.spacing.Quantile(.5))
	list := slices.DeleteFunc(slices.Clone(g.list), func(x gap) bool { return float64(x.length()) < least })
	slices.SortFunc(list, func(a, b gap) int { return cmp.Compare(a.from.Time, b.from.Time) })
	return list
}
