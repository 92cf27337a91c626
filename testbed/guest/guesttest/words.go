package guesttest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"virtscope/testbed/guest/agent"

	"golang.org/x/sys/unix"
)

// words is the guest's side of the agent's protocol. Its methods run in the machine's loop.
type words struct {
	machine   *machine
	memory    *memory
	migrating bool // the memory is being sent, or was
}

// take answers a request. What takes long is done outside the loop, so that it is no outage.
func (w *words) take(r agent.Request) {
	if !w.machine.running {
		w.reply(r.ID, agent.Message{}, errors.New("the guest is stopped: ask again when it runs"))
		return
	}
	switch r.Op {
	case agent.OpHello:
		w.reply(r.ID, agent.Message{Hello: hello()}, nil)
	case agent.OpReserve:
		w.reserve(r)
	case agent.OpStart:
		w.reply(r.ID, agent.Message{}, w.start(r.Workload))
	case agent.OpStop:
		p, err := w.stop()
		w.reply(r.ID, agent.Message{Progress: p}, err)
	case agent.OpVerify:
		go func() {
			v := w.memory.verify()
			w.reply(r.ID, agent.Message{Verdict: &v}, nil)
		}()
	default:
		w.reply(r.ID, agent.Message{}, fmt.Errorf("unknown request %q", r.Op))
	}
}

func (w *words) reply(id int64, m agent.Message, err error) {
	m.ID, m.Mono = id, mono()
	if err != nil {
		m = agent.Message{ID: id, Mono: m.Mono, Error: err.Error()}
	}
	w.machine.say(m)
}

func (w *words) reserve(r agent.Request) {
	if r.Memory == nil || w.migrating {
		w.reply(r.ID, agent.Message{}, errors.New("reserve: no size is given, or the guest is being migrated"))
		return
	}
	go func() { w.reply(r.ID, agent.Message{}, w.memory.reserve(*r.Memory)) }()
}

func (w *words) start(l *agent.Workload) error {
	switch {
	case l == nil || l.Kind == "":
		return errors.New("start: no workload is given")
	case l.Kind != "idle":
		return fmt.Errorf("the scripted guest has no workload %q: set workload.kind: idle", l.Kind)
	case w.machine.state.Started != 0:
		return errors.New("start: a workload runs already: stop it first")
	}
	w.machine.state.Started = mono()
	return nil
}

func (w *words) stop() (*agent.Progress, error) {
	started := w.machine.state.Started
	if started == 0 {
		return nil, errors.New("stop: no workload runs")
	}
	w.machine.state.Started = 0
	return &agent.Progress{Elapsed: mono() - started}, nil
}

// hello describes what the guest really is: a process of this machine.
func hello() *agent.Hello {
	h := &agent.Hello{
		Version: agent.Version, CPUs: runtime.NumCPU(),
		TickNS: tickInterval, MissNS: missStep, BeatNS: beatInterval,
		Kernel: "unknown", ClockSource: "unknown",
	}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		h.Kernel = unix.ByteSliceToString(uts.Release[:])
	}
	if b, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource"); err == nil {
		h.ClockSource = strings.TrimSpace(string(b))
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		h.MemoryTotal = int64(info.Totalram) * int64(info.Unit)
	}
	return h
}
