package runner

import (
	"slices"
	"time"
)

// fitting is the smallest idle guest that can serve a job.
func (s *schedule) fitting(j *served) (best *leased) {
	if j.checkpoint != "" { // it is in a guest of its own
		return nil
	}
	for _, g := range s.guests {
		if g.phase == idle && g.memory >= s.need(j.job) && (best == nil || g.memory < best.memory) {
			best = g
		}
	}
	return best
}

// idlest is the guest that has been idle for the longest.
func (s *schedule) idlest() (longest *leased) {
	for _, g := range s.guests {
		if g.phase == idle && (longest == nil || g.idle < longest.idle) {
			longest = g
		}
	}
	return longest
}

// victim is the guest whose job makes way for another.
func (s *schedule) victim(j *served) (last *leased) {
	if !s.preempts {
		return nil
	}
	for _, g := range s.guests {
		if g.phase != busy || g.stubborn || g.job.queue() <= j.queue() {
			continue
		}
		if last == nil || g.job.queue() > last.job.queue() || g.job.queue() == last.job.queue() && g.job.arrival > last.job.arrival {
			last = g
		}
	}
	return last
}

// lease makes a guest for a job, on the host that has the fewest.
func (s *schedule) lease(j *served) command {
	g := &leased{n: s.next, host: s.emptiest(), memory: s.need(j.job), phase: starting, job: j}
	c := command{do: start, guest: g, job: j}
	if j.checkpoint != "" {
		c.do, g.n, g.memory = restore, j.guest, j.memory
	} else {
		s.next++
	}
	s.guests = append(s.guests, g)
	return c
}

func (s *schedule) emptiest() int {
	on := make([]int, s.hosts)
	for _, g := range s.guests {
		on[g.host]++
	}
	return slices.Index(on, slices.Min(on))
}

// expire ends guests that nobody has needed for so long.
func (s *schedule) expire(now time.Duration) (list []command) {
	for _, g := range s.guests {
		if g.phase == idle && now-g.idle >= s.keepAlive {
			g.phase, g.why = ending, endIdle
			list = append(list, command{do: end, guest: g})
		}
	}
	return list
}

// wake is when a guest expires next; false if none is idle.
func (s *schedule) wake() (at time.Duration, any bool) {
	for _, g := range s.guests {
		if t := g.idle + s.keepAlive; g.phase == idle && (!any || t < at) {
			at, any = t, true
		}
	}
	return at, any
}
