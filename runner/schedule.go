package runner

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A job is one of a trace.
type job struct {
	ID     int
	Submit time.Duration // from the action's begin
	Work   time.Duration // of a guest's CPU time
	Memory int64         // B that it writes; 0 is none
	Queue  int           // a lower number goes first where jobs are preempted; less than 0 is not known, and goes last
}

func (j job) queue() int {
	if j.Queue < 0 {
		return math.MaxInt
	}
	return j.Queue
}

// The schedule of jobs. It decides and does nothing: it is told what happened, and asked what to do. It belongs to one goroutine.
//
// Jobs are served in the order of their arrival; where they are preempted, by queue first. A job takes the idle guest that has
// the least memory that is enough, else a new one is started for it, below the cap. At the cap, it takes the place of an idle
// guest that is too small or that it cannot use, and else, where jobs are preempted, that of the guest with the job of the
// highest queue above its own, the latest of those. Otherwise it waits, and holds back those behind it. A job and the guest
// that is started for it belong together, though another guest may be idle before that is up.
type schedule struct {
	cap       int
	keepAlive time.Duration
	preempts  bool
	hosts     int
	need      func(j job) int64 // B of memory of a guest that serves it

	waiting []*served // in the order in which they are served
	guests  []*leased // that are not gone
	next    int       // number of the next guest
}

// A served job.
type served struct {
	job
	arrival    int    // from 0
	checkpoint string // of its guest, where it was preempted
	guest      int    // the number of that guest
	memory     int64  // B of that guest
}

// A leased guest.
type leased struct {
	n, host  int
	memory   int64 // B
	phase    phase
	job      *served       // nil when it is idle or ends
	idle     time.Duration // since when
	why      string        // it ends
	stubborn bool          // it could not be checkpointed
}

type phase int

const (
	starting phase = iota // or being restored
	idle
	busy
	saving
	ending
)

// A command is what a schedule wants done.
type command struct {
	do    doing
	guest *leased
	job   *served
	by    *served // of save: who takes the place
}

type doing int

const (
	start   doing = iota // start the guest for the job; then started or failed
	restore              // restore the guest from the job's checkpoint; then started or failed
	run                  // give the guest the job; then done or failed
	save                 // checkpoint the guest and end it; then saved or unsaved
	end                  // end the guest; then gone
)

// Why guests end.
const (
	endIdle      = "idle"
	endReplaced  = "replaced" // an idle guest that was in another's place
	endPreempted = "preempted"
	endFailed    = "failed"
	endOver      = "end"
)

// arrive adds a job.
func (s *schedule) arrive(j job, arrival int) { s.enqueue(&served{job: j, arrival: arrival}) }

func (s *schedule) enqueue(j *served) {
	s.waiting = append(s.waiting, j)
	slices.SortFunc(s.waiting, func(a, b *served) int {
		if s.preempts && a.queue() != b.queue() {
			return cmp.Compare(a.queue(), b.queue())
		}
		return cmp.Compare(a.arrival, b.arrival)
	})
}

// started says that a guest is up, with what it is to do.
func (s *schedule) started(g *leased) command {
	g.phase = busy
	return command{do: run, guest: g, job: g.job}
}

// failed says that a guest was lost, in whatever it did. It returns its job, which has failed, or nil. Exists is whether there
// is still something to end.
func (s *schedule) failed(g *leased, exists bool) (lost *served, then []command) {
	lost, g.job = g.job, nil
	if !exists {
		s.gone(g)
		return lost, nil
	}
	g.phase, g.why = ending, endFailed
	return lost, []command{{do: end, guest: g}}
}

// done says that a guest's job is done. One that is being checkpointed ends all the same.
func (s *schedule) done(g *leased, now time.Duration) {
	g.job = nil
	if g.phase == busy {
		g.phase, g.idle = idle, now
	}
}

// saved says that a guest was checkpointed and has ended. It returns the job that was preempted; nil if that was done meanwhile.
func (s *schedule) saved(g *leased, checkpoint string) *served {
	preempted := g.job
	g.job = nil
	s.gone(g)
	if preempted == nil {
		return nil
	}
	preempted.checkpoint, preempted.guest, preempted.memory = checkpoint, g.n, g.memory
	s.enqueue(preempted)
	return preempted
}

// unsaved says that a guest could not be checkpointed, and goes on.
func (s *schedule) unsaved(g *leased, now time.Duration) {
	g.stubborn, g.phase = true, busy
	if g.job == nil { // it was done meanwhile
		g.phase, g.idle = idle, now
	}
}

// gone says that a guest has ended.
func (s *schedule) gone(g *leased) {
	s.guests = slices.DeleteFunc(s.guests, func(other *leased) bool { return other == g })
}

// alive is how many guests are up or on their way.
func (s *schedule) alive() int { return len(s.guests) }

// held is how many jobs wait, for a guest that is started too.
func (s *schedule) held() int {
	n := len(s.waiting)
	for _, g := range s.guests {
		if g.phase == starting {
			n++
		}
	}
	return n
}

// over is whether no job waits or runs.
func (s *schedule) over() bool {
	return len(s.waiting) == 0 && !slices.ContainsFunc(s.guests, func(g *leased) bool { return g.job != nil || g.phase == saving })
}

// decide says what to do now.
func (s *schedule) decide(now time.Duration) []command {
	var list []command
	freeing := 0 // places that become free, for those who wait, in order
	for _, g := range s.guests {
		if g.phase == ending || g.phase == saving {
			freeing++
		}
	}
	for i := 0; i < len(s.waiting); {
		c, served := s.serve(s.waiting[i], &freeing)
		if c.guest != nil {
			list = append(list, c)
		}
		switch {
		case served:
			s.waiting = slices.Delete(s.waiting, i, i+1)
		case c.guest == nil && freeing == noPlace:
			return append(list, s.expire(now)...)
		default: // a place becomes free for it
			i++
		}
	}
	return append(list, s.expire(now)...)
}

// noPlace is the number of places that become free when there is none for the job at hand.
const noPlace = -1

// serve finds a place for a job: a guest, now (served), or one that becomes free, which it takes off freeing.
func (s *schedule) serve(j *served, freeing *int) (c command, now bool) {
	if g := s.fitting(j); g != nil {
		g.phase, g.job = busy, j
		return command{do: run, guest: g, job: j}, true
	}
	if len(s.guests) < s.cap {
		return s.lease(j), true
	}
	if *freeing > 0 {
		*freeing--
		return command{}, false
	}
	if g := s.idlest(); g != nil {
		g.phase, g.why = ending, endReplaced
		return command{do: end, guest: g}, false
	}
	if g := s.victim(j); g != nil {
		g.phase, g.why = saving, endPreempted
		return command{do: save, guest: g, job: g.job, by: j}, false
	}
	*freeing = noPlace
	return command{}, false
}
