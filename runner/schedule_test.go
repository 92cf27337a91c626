package runner

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// told is a command in words: guests and jobs by number.
func told(c command) string {
	switch c.do {
	case start:
		return fmt.Sprintf("start g%d@%d %d for j%d", c.guest.n, c.guest.host, c.guest.memory, c.job.ID)
	case restore:
		return fmt.Sprintf("restore g%d@%d %s for j%d", c.guest.n, c.guest.host, c.job.checkpoint, c.job.ID)
	case run:
		return fmt.Sprintf("run j%d on g%d", c.job.ID, c.guest.n)
	case save:
		return fmt.Sprintf("save g%d with j%d for j%d", c.guest.n, c.job.ID, c.by.ID)
	default:
		return fmt.Sprintf("end g%d %s", c.guest.n, c.guest.why)
	}
}

// A play tells a schedule what happens, in words, and keeps what it wants done.
type play struct {
	t *testing.T
	s schedule
	n int // arrivals
}

func (p *play) guest(n int) *leased {
	for _, g := range p.s.guests {
		if g.n == n {
			return g
		}
	}
	p.t.Fatalf("there is no guest %d", n)
	return nil
}

// happen takes one event: "job ID MEMORY QUEUE", or "up", "done", "lost", "dead", "saved", "unsaved", "gone" and a guest's number.
func (p *play) happen(now time.Duration, event string) (list []string) {
	var verb string
	var n, memory, queue int
	if _, err := fmt.Sscan(event, &verb, &n); err != nil {
		p.t.Fatal(event, err)
	}
	var then []command
	switch verb {
	case "job":
		if _, err := fmt.Sscan(event, &verb, &n, &memory, &queue); err != nil {
			p.t.Fatal(event, err)
		}
		p.s.arrive(job{ID: n, Memory: int64(memory), Queue: queue}, p.n)
		p.n++
	case "up":
		then = append(then, p.s.started(p.guest(n)))
	case "done":
		p.s.done(p.guest(n), now)
	case "lost", "dead":
		var j *served
		j, then = p.s.failed(p.guest(n), verb == "dead")
		if j != nil {
			list = append(list, fmt.Sprintf("lost j%d", j.ID))
		}
	case "saved":
		if j := p.s.saved(p.guest(n), fmt.Sprint("c", n)); j != nil {
			list = append(list, fmt.Sprintf("preempted j%d", j.ID))
		}
	case "unsaved":
		p.s.unsaved(p.guest(n), now)
	case "gone":
		p.s.gone(p.guest(n))
	case "time":
	default:
		p.t.Fatal(event)
	}
	for _, c := range append(then, p.s.decide(now)...) {
		list = append(list, told(c))
	}
	return list
}

func TestSchedule(t *testing.T) {
	type at struct {
		s     int // since the begin
		event string
		want  string // commands
	}
	for _, tt := range []struct {
		name     string
		cap      int
		preempts bool
		hosts    int
		script   []at
		over     bool
	}{
		{name: "a guest is kept for the next", cap: 2, script: []at{
			{0, "job 1 10 2", "start g0@0 10 for j1"},
			{4, "up 0", "run j1 on g0"},
			{6, "done 0", ""},
			{8, "job 2 10 2", "run j2 on g0"},
			{9, "done 0", ""},
			{13, "time 0", ""},
			{14, "time 0", "end g0 idle"},
			{14, "gone 0", ""},
		}, over: true},
		{name: "a job waits at the cap, in order", cap: 1, script: []at{
			{0, "job 1 10 2", "start g0@0 10 for j1"},
			{0, "job 2 10 1", ""},
			{0, "job 3 10 1", ""},
			{1, "up 0", "run j1 on g0"},
			{2, "done 0", "run j2 on g0"},
			{3, "done 0", "run j3 on g0"},
			{4, "done 0", ""},
		}, over: true},
		{name: "a job that is started for keeps its guest", cap: 2, script: []at{
			{0, "job 1 10 2", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{1, "job 2 10 2", "start g1@0 10 for j2"},
			{2, "done 0", ""},
			{5, "up 1", "run j2 on g1"},
		}},
		{name: "the smallest that is enough", cap: 3, script: []at{
			{0, "job 1 30 2", "start g0@0 30 for j1"},
			{0, "job 2 20 2", "start g1@0 20 for j2"},
			{0, "job 3 10 2", "start g2@0 10 for j3"},
			{1, "up 0", "run j1 on g0"},
			{1, "up 1", "run j2 on g1"},
			{1, "up 2", "run j3 on g2"},
			{2, "done 0", ""},
			{2, "done 1", ""},
			{2, "done 2", ""},
			{3, "job 4 15 2", "run j4 on g1"},
			{3, "job 5 5 2", "run j5 on g2"},
			{3, "job 6 5 2", "run j6 on g0"},
		}},
		{name: "an idle guest that is too small makes way", cap: 1, script: []at{
			{0, "job 1 10 2", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "done 0", ""},
			{2, "job 2 20 2", "end g0 replaced"},
			{2, "time 0", ""},
			{3, "gone 0", "start g1@0 20 for j2"},
		}},
		{name: "hosts in turn", cap: 4, hosts: 3, script: []at{
			{0, "job 1 10 2", "start g0@0 10 for j1"},
			{0, "job 2 10 2", "start g1@1 10 for j2"},
			{0, "job 3 10 2", "start g2@2 10 for j3"},
			{1, "lost 1", "lost j2"},
			{1, "job 4 10 2", "start g3@1 10 for j4"},
		}},
		{name: "a guest that dies takes its job with it, and no other", cap: 1, script: []at{
			{0, "job 1 10 2", "start g0@0 10 for j1"},
			{0, "job 2 10 2", ""},
			{1, "up 0", "run j1 on g0"},
			{2, "dead 0", "lost j1; end g0 failed"},
			{3, "gone 0", "start g1@0 10 for j2"},
			{4, "up 1", "run j2 on g1"},
			{5, "done 1", ""},
			{5, "dead 1", "end g1 failed"},
		}, over: true},
		{name: "an urgent job takes the place of the last of the least urgent", cap: 2, preempts: true, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{0, "job 2 10 3", "start g1@0 10 for j2"},
			{1, "job 3 10 1", ""}, // nothing can be checkpointed that is not up
			{1, "up 0", "run j1 on g0; save g0 with j1 for j3"},
			{1, "up 1", "run j2 on g1"}, // a place becomes free already
			{2, "job 4 10 1", "save g1 with j2 for j4"},
			{3, "saved 1", "preempted j2; start g2@0 10 for j3"},
			{3, "saved 0", "preempted j1; start g3@0 10 for j4"},
			{4, "up 2", "run j3 on g2"},
			{4, "up 3", "run j4 on g3"},
			{5, "job 5 10 2", ""}, // no one is less urgent
			{6, "done 3", "run j5 on g3"},
			{7, "done 2", "end g2 replaced"}, // the earlier one first, in its own guest
			{7, "gone 2", "restore g0@0 c0 for j1"},
			{8, "done 3", "end g3 replaced"},
			{8, "gone 3", "restore g1@0 c1 for j2"},
			{9, "up 0", "run j1 on g0"},
			{9, "up 1", "run j2 on g1"},
			{9, "done 1", ""},
			{9, "done 0", ""},
		}, over: true},
		{name: "the victim is of the highest queue, then the latest", cap: 3, preempts: true, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{0, "job 2 10 3", "start g1@0 10 for j2"},
			{0, "job 3 10 2", "start g2@0 10 for j3"},
			{1, "up 0", "run j1 on g0"},
			{1, "up 1", "run j2 on g1"},
			{1, "up 2", "run j3 on g2"},
			{2, "job 4 10 1", "save g1 with j2 for j4"},
			{2, "job 5 10 1", "save g0 with j1 for j5"},
			{2, "job 6 10 1", "save g2 with j3 for j6"},
			{2, "job 7 10 1", ""},
		}},
		{name: "a job without a queue goes last", cap: 1, preempts: true, script: []at{
			{0, "job 1 10 -1", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "job 2 10 99", "save g0 with j1 for j2"},
		}},
		{name: "not preempted, in order of arrival", cap: 1, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "job 2 10 2", ""},
			{2, "job 3 10 1", ""},
			{3, "done 0", "run j2 on g0"},
		}},
		{name: "one that is done while it is saved is not resumed", cap: 1, preempts: true, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "job 2 10 1", "save g0 with j1 for j2"},
			{3, "done 0", ""},
			{4, "saved 0", "start g1@0 10 for j2"},
			{5, "up 1", "run j2 on g1"},
			{6, "done 1", ""},
		}, over: true},
		{name: "one that cannot be saved goes on, and is left alone", cap: 1, preempts: true, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "job 2 10 1", "save g0 with j1 for j2"},
			{3, "unsaved 0", ""},
			{4, "done 0", "run j2 on g0"},
		}},
		{name: "one that cannot be saved, and was done meanwhile, is idle", cap: 1, preempts: true, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "job 2 10 1", "save g0 with j1 for j2"},
			{3, "done 0", ""},
			{3, "unsaved 0", "run j2 on g0"},
		}},
		{name: "a job that is not restored is lost", cap: 1, preempts: true, script: []at{
			{0, "job 1 10 3", "start g0@0 10 for j1"},
			{1, "up 0", "run j1 on g0"},
			{2, "job 2 10 1", "save g0 with j1 for j2"},
			{3, "saved 0", "preempted j1; start g1@0 10 for j2"},
			{4, "up 1", "run j2 on g1"},
			{5, "done 1", "end g1 replaced"},
			{5, "gone 1", "restore g0@0 c0 for j1"},
			{6, "lost 0", "lost j1"},
		}, over: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := play{t: t, s: schedule{
				cap: tt.cap, preempts: tt.preempts, hosts: max(1, tt.hosts), keepAlive: 5 * time.Second, need: func(j job) int64 { return j.Memory },
			}}
			for _, a := range tt.script {
				if got := strings.Join(p.happen(time.Duration(a.s)*time.Second, a.event), "; "); got != a.want {
					t.Fatalf("%d s, %s: %q, want %q", a.s, a.event, got, a.want)
				}
				if p.s.alive() > tt.cap {
					t.Fatalf("%d s, %s: %d guests are alive", a.s, a.event, p.s.alive())
				}
			}
			if p.s.over() != tt.over {
				t.Errorf("over: %t", p.s.over())
			}
		})
	}
}

// Whatever happens in whatever order, the cap holds, every job ends once, and nothing is left waiting for ever.
func TestScheduleServesAll(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := schedule{cap: 1 + random.IntN(4), preempts: seed%2 == 0, hosts: 1 + random.IntN(3), keepAlive: 5, need: func(j job) int64 { return j.Memory }}
		const all = 40
		var todo []command // under way
		ended := map[int]int{}
		begin := func(list []command) {
			for _, c := range list {
				if c.do == run && (c.guest.job != c.job || c.guest.phase != busy) {
					t.Fatalf("seed %d: %s, which is given %+v", seed, told(c), c.guest)
				}
				todo = append(todo, c)
			}
		}
		arrived := 0
		for step := 0; arrived < all || !s.over(); step++ {
			if step > 100*all {
				t.Fatalf("seed %d: not over: %d wait, %d guests, %d under way", seed, len(s.waiting), len(s.guests), len(todo))
			}
			now := time.Duration(step)
			if arrived < all && (random.IntN(3) == 0 || len(todo) == 0) {
				s.arrive(job{ID: arrived, Memory: int64(1 + random.IntN(3)), Queue: random.IntN(4) - 1}, arrived)
				arrived++
			} else if len(todo) > 0 {
				i := random.IntN(len(todo))
				c := todo[i]
				todo = slices.Delete(todo, i, i+1)
				switch c.do {
				case start, restore:
					if random.IntN(10) == 0 {
						if lost, _ := s.failed(c.guest, false); lost != nil {
							ended[lost.ID]++
						}
						break
					}
					begin([]command{s.started(c.guest)})
				case run:
					if c.guest.job != c.job {
						break // it was preempted
					}
					ended[c.job.ID]++
					s.done(c.guest, now)
				case save:
					if random.IntN(5) == 0 {
						s.unsaved(c.guest, now)
					} else {
						s.saved(c.guest, "c")
					}
				case end:
					s.gone(c.guest)
				}
			}
			begin(s.decide(now))
			if s.alive() > s.cap || s.held() > arrived {
				t.Fatalf("seed %d: %d guests, %d jobs wait", seed, s.alive(), s.held())
			}
		}
		for id := range all {
			if ended[id] != 1 {
				t.Fatalf("seed %d: job %d ended %d times", seed, id, ended[id])
			}
		}
	}
}
