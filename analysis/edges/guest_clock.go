package edges

import (
	"cmp"
	"slices"
	"time"
	"virtscope/results"
)

// A Message is one that a guest sent: what its clock said, and when it arrived at the host, in ns.
type Message struct {
	At, Mono int64
	Past     bool // its clock tells of something before it was sent
}

// told are what tells of an instant before it was sent.
var told = []string{
	results.BootKernelEnd, results.BootInit, results.BootModules, results.BootNetwork, results.BootUnit,
	results.GuestTickMiss, results.GuestDiskStall,
}

// Messages are those of each guest, by name, in the order of arrival. A trial's only guest has the name "".
func (l *Log) Messages() map[string][]Message {
	all := map[string][]Message{}
	for name, list := range l.byName {
		past := slices.Contains(told, name)
		for _, r := range list {
			if r.Source != results.SourceGuest {
				continue
			}
			if mono, ok := Mono(r); ok {
				g := r.Attrs[results.AttrGuest]
				all[g] = append(all[g], Message{r.Time, mono, past})
			}
		}
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b Message) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Mono, b.Mono))
		})
	}
	return all
}

// A GuestClock puts instants of a guest's clock on the host's.
//
// A message that says m arrives at m + lag + delay, with delay ≥ 0, so the least of (arrival − m) is the lag and the least
// delay. An instant of the guest's clock is therefore not later than the clock puts it, and may be earlier by that delay. How
// much it is nobody can see from messages of one direction; its scatter is taken for it.
type GuestClock struct {
	lag   int64
	early time.Duration
	ok    bool
}

// scatterWindow is how many messages a least lag is taken over, to see by how much it scatters.
const scatterWindow = 8

// NewGuestClock reads a clock that did not stand still from its messages, in the order of arrival. Of a few messages the
// whole range of lags is the error. unsure is the error where there is none but of the past.
func NewGuestClock(list []Message, unsure time.Duration) GuestClock {
	var c GuestClock
	var lags, past []int64
	for _, m := range list {
		if m.Past {
			past = append(past, m.At-m.Mono)
			continue
		}
		lags = append(lags, m.At-m.Mono)
	}
	if all := slices.Concat(lags, past); len(all) > 0 {
		c.ok, c.lag = true, slices.Min(all)
	}
	if len(lags) > 0 {
		c.lag = slices.Min(lags)
	}
	switch {
	case len(lags) >= 2*scatterWindow:
		c.early = time.Duration(scatter(lags))
	case len(lags) > 1:
		c.early = time.Duration(slices.Max(lags) - slices.Min(lags))
	default:
		c.early = unsure
	}
	return c
}

// scatter is the range of the least of each window.
func scatter(lags []int64) int64 {
	low, high := int64(1<<62), int64(-1<<62)
	for i := 0; i+scatterWindow <= len(lags); i++ {
		m := slices.Min(lags[i : i+scatterWindow])
		low, high = min(low, m), max(high, m)
	}
	return high - low
}

// Known reports whether any message arrived.
func (c GuestClock) Known() bool { return c.ok }

// Place puts an edge, which was made from a message's arrival, where the guest's clock says mono. By how much what the message tells
// of may have been before mono, which is the edge's own Early, remains.
func (c GuestClock) Place(e Edge, mono int64) Edge {
	e.Time, e.Early = min(e.Time, mono+c.lag), c.early+e.Early
	return e
}

// At is what the guest's clock showed at t of the host, in ns, if it ran then; it may have shown more, by early.
func (c GuestClock) At(t int64) (mono int64, early time.Duration) { return t - c.lag, c.early }
