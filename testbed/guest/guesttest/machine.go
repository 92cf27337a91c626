package guesttest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"virtscope/testbed/guest/agent"

	"golang.org/x/sys/unix"
)

const (
	tickInterval = int64(time.Millisecond)
	missStep     = int64(3 * time.Millisecond)
	beatInterval = int64(20 * time.Millisecond)
	// A guest that speaks this often is silent for just as long as it is stopped: what a capture makes of it is then the
	// capture's own error, not the spacing of the frames that it waits for.
	beaconInterval = int64(250 * time.Microsecond)

	// spinTime is how long before an agreed instant the guest stops sleeping: longer than a sleep is late.
	spinTime = int64(2 * time.Millisecond)
)

// announceAfter are the times of the announcements after a guest woke: QEMU's defaults (QAPI
// AnnounceParameters: initial 50 ms, step 100 ms, 5 rounds).
var announceAfter = [...]int64{0, 50e6, 200e6, 450e6, 800e6}

// A machine is the guest: one loop in one thread does all that a guest does (frames, ticks, words), so that
// it stops and starts as a whole. Everything but deliver belongs to the loop.
type machine struct {
	tap    int // non-blocking
	wakeup int // eventfd: something was delivered
	card   card
	say    func(agent.Message) // to the agent's client
	tell   func(report)        // to the driver

	inbox   chan func()   // what others want done in the loop
	ended   chan struct{} // closed when the loop has ended
	running bool
	stopAt  int64 // 0: not agreed
	wakeAt  int64 // 0: not agreed
	quit    bool
	err     error

	lastFrame *stamp // that was sent

	state     state
	known     bool            // state is ours, or was handed over
	handed    *state          // it came before we woke
	held      []agent.Message // what cannot be said before it comes
	firstTick int64           // after waking
	nextTick  int64
	nextBeat  int64

	nextBeacon int64

	wokeAt    int64
	announced int

	dropped atomic.Int64 // frames that came while the gate was closed
}

// deliver has f called in the loop. It reports false if the machine has ended.
func (m *machine) deliver(f func()) bool {
	select {
	case m.inbox <- f:
	case <-m.ended:
		return false
	}
	one := [8]byte{1}
	_, err := unix.Write(m.wakeup, one[:])
	return err == nil
}

// loop runs until quit or an error.
func (m *machine) loop() error {
	defer close(m.ended)
	fds := []unix.PollFd{{Fd: int32(m.tap), Events: unix.POLLIN}, {Fd: int32(m.wakeup), Events: unix.POLLIN}}
	buf := make([]byte, 65536)
	for !m.quit && m.err == nil {
		wait := m.act(mono())
		if _, err := unix.Ppoll(fds, &unix.Timespec{Nsec: wait % 1e9, Sec: wait / 1e9}, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for frames: %w", err)
		}
		if fds[1].Revents != 0 {
			m.takeDeliveries()
		}
		if fds[0].Revents != 0 {
			m.takeFrames(buf)
		}
	}
	return m.err
}

func (m *machine) takeDeliveries() {
	var count [8]byte
	_, _ = unix.Read(m.wakeup, count[:]) // empty: somebody else's delivery was taken along
	for {
		select {
		case f := <-m.inbox:
			f()
		default:
			return
		}
	}
}

// act does all that is due and returns how long the loop may sleep, in ns.
func (m *machine) act(now int64) int64 {
	if m.running && m.stopAt != 0 && now >= m.stopAt {
		m.stop()
	}
	if !m.running && m.wakeAt != 0 && now >= m.wakeAt {
		m.wake()
	}
	next := now + int64(time.Second)
	for _, at := range []int64{m.stopAt, m.wakeAt} {
		if at != 0 {
			next = min(next, at-spinTime)
		}
	}
	if m.running {
		m.announce(now)
		m.beacon(now)
		m.tick(now)
		next = min(next, m.nextTick, m.nextBeacon)
		if m.announced < len(announceAfter) {
			next = min(next, m.wokeAt+announceAfter[m.announced])
		}
	}
	return max(0, next-mono())
}

// tick looks at the clock each millisecond and reports the steps that were too long.
func (m *machine) tick(now int64) {
	if now < m.nextTick {
		return
	}
	m.step(m.state.LastTick, now)
	m.state.LastTick, m.nextTick = now, after(now, tickInterval)
	if !m.known || now < m.nextBeat {
		return
	}
	m.state.Beats++
	m.say(agent.Message{Mono: now, Heartbeat: &agent.Heartbeat{Seq: m.state.Beats, MaxStep: m.state.MaxStep}})
	m.state.MaxStep = 0
	m.nextBeat = after(now, beatInterval)
}

// step takes the time between two ticks.
func (m *machine) step(from, to int64) {
	m.state.MaxStep = max(m.state.MaxStep, to-from)
	if to-from <= missStep {
		return
	}
	miss := agent.Message{Mono: to, TickMiss: &agent.TickMiss{Start: from, End: to}}
	if !m.known {
		m.held = append(m.held, miss)
		return
	}
	m.say(miss)
}

// after is the first multiple of interval after now.
func after(now, interval int64) int64 { return now - now%interval + interval }

// takeFrames reads what came; while the gate is closed it is lost, as with a stopped guest.
func (m *machine) takeFrames(buf []byte) {
	for range 64 { // then look at the clock again
		n, err := unix.Read(m.tap, buf)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			return
		}
		if err != nil {
			m.err = fmt.Errorf("read from tap: %w", err)
			return
		}
		if !m.running {
			m.dropped.Add(1)
			continue
		}
		if f := m.card.answer(buf[:n]); f != nil {
			m.send(f)
		}
	}
}

// send sends a frame if the gate is open at this very moment.
func (m *machine) send(f []byte) {
	at := now()
	if !m.running || m.stopAt != 0 && at.Mono >= m.stopAt {
		m.dropped.Add(1)
		return
	}
	if _, err := unix.Write(m.tap, f); err != nil {
		m.err = fmt.Errorf("write to tap: %w", err)
		return
	}
	at.Bound = mono() - at.Mono
	m.lastFrame = &at
}

// announce says where the guest is now, as often as QEMU would.
func (m *machine) announce(now int64) {
	for m.announced < len(announceAfter) && now >= m.wokeAt+announceAfter[m.announced] {
		m.announced++
		m.send(m.card.announcement())
	}
}

// beacon sends one of the frames that nobody asked for.
func (m *machine) beacon(now int64) {
	if now >= m.nextBeacon {
		m.send(m.card.beacon())
		m.nextBeacon = after(now, beaconInterval)
	}
}

// stop closes the gate. Send let nothing through since the agreed instant, so that is when it closed, however
// late the loop comes here.
func (m *machine) stop() {
	gate := now()
	gate.Wall -= gate.Mono - m.stopAt
	gate.Mono = m.stopAt
	m.running, m.stopAt = false, 0
	s := m.state
	m.tell(report{Stopped: &change{Gate: gate, Frame: m.lastFrame, State: &s}})
}

// wake opens the gate; the first thing out is the announcement.
func (m *machine) wake() {
	gate := now()
	m.running, m.wakeAt = true, 0
	m.wokeAt, m.announced = gate.Mono, 0
	m.announce(gate.Mono)
	m.beacon(gate.Mono)
	m.firstTick = mono()
	m.state.LastTick, m.nextTick = m.firstTick, after(m.firstTick, tickInterval)
	m.tell(report{Awake: &change{Gate: gate, Frame: m.lastFrame}})
	if m.handed != nil {
		m.takeOver(*m.handed)
		m.handed = nil
	}
}

// thaw opens the gate of a guest that stands still, which takes over from itself: the step over the outage is one of its own.
func (m *machine) thaw() error {
	switch {
	case m.running || m.stopAt != 0:
		return errors.New("thaw: the guest runs")
	case m.handed == nil && !m.known:
		return errors.New("thaw: the guest has no past")
	case m.handed == nil:
		past := m.state
		m.handed, m.known = &past, false
	}
	m.wakeAt = mono()
	return nil
}

// boot opens the gate of a guest that comes from nowhere.
func (m *machine) boot() {
	m.running, m.known = true, true
	m.announced = len(announceAfter)
	m.send(m.card.gratuitous())
	t := mono()
	m.state.LastTick, m.nextTick, m.nextBeat = t, after(t, tickInterval), after(t, beatInterval)
}

// adopt takes over where another guest stopped, now or when this one wakes.
func (m *machine) adopt(s state) error {
	if m.known || m.handed != nil {
		return errors.New("take over: this guest has a past of its own")
	}
	if !m.running {
		m.handed = &s
		return nil
	}
	m.takeOver(s)
	return nil
}

// takeOver makes another guest's past ours. The step over the outage is from its last tick to our first.
func (m *machine) takeOver(s state) {
	since := m.state
	m.state, m.known = s, true
	m.step(s.LastTick, m.firstTick)
	for _, miss := range m.held {
		m.say(miss)
	}
	m.held = nil
	m.state.LastTick, m.state.MaxStep = since.LastTick, max(since.MaxStep, m.state.MaxStep)
	m.nextBeat = after(mono(), beatInterval)
}
