package relay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// batch is how many frames are read, or written, before the other is looked after.
const batch = 64

// maxEarly is the most by which a sleep ends before a frame is due, in ns.
const maxEarly = 50_000

// maxGrain is the most by which jittered frames, which are due one by one at all times, are held longer to be sent together:
// a third less CPU, and little beside the jitter.
const maxGrain = 100 * time.Microsecond

// A direction carries the frames of one device to another, on a thread of its own: it reads what has come, writes what is
// due, and sleeps until there is either. It never waits for a device: writing to a TAP does not block.
type direction struct {
	stats   Stats
	in, out int
	header  int64 // B before each frame
	delay   int64 // ns
	jitter  int64 // ns
	loss    float64
	random  *rand.Rand
	queue   *queue
	late    *lateness
	begin   time.Time
	grain   int64  // ns that are slept at least until the next frame is sent
	early   int64  // ns by which sleeps end early: as much as they overslept of late
	scratch []byte // for frames that cannot be held

	asked chan func() // run on the thread
	bell  int         // an eventfd that rings when asked, or when the link is to end
	ended chan struct{}
	stop  bool
}

func newDirection(l Link, from, to Port, in, out int, memory int64, stream uint64) (*direction, error) {
	longest, header := maxFrame, 0
	if l.Offload {
		longest, header = maxSuper, virtioHeader
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	return &direction{
		stats: Stats{Link: l.Name, From: from.Name, To: to.Name},
		in:    in, out: out, header: int64(header),
		delay: int64(l.Delay), jitter: int64(l.Jitter), loss: l.Loss,
		grain:  int64(min(maxGrain, l.Jitter/10)),
		random: rand.New(rand.NewPCG(l.Seed, stream)),
		queue:  newQueue(memory, longest), late: newLateness(), begin: time.Now(),
		scratch: make([]byte, longest),
		asked:   make(chan func(), 1), bell: bell, ended: make(chan struct{}),
	}, nil
}

func (d *direction) now() int64 { return int64(time.Since(d.begin)) } // CLOCK_MONOTONIC

// run carries frames until the link ends or a device fails.
func (d *direction) run() {
	defer close(d.ended)
	runtime.LockOSThread()                             // the thread ends with the direction
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // sleeps end on time; where it fails, the lateness says so
	_, err := host.Urgent()
	d.stats.Urgent = err == nil
	for !d.stop {
		wrote := d.write()
		more, err := d.read()
		if err == nil && !more && !wrote {
			err = d.wait()
		}
		d.answer() // one that never waits is asked, too
		if err != nil {
			d.stats.Error = err.Error()
			d.mourn()
			return
		}
	}
}

// mourn answers questions until the link ends.
func (d *direction) mourn() {
	for !d.stop {
		(<-d.asked)()
	}
}

// read takes what has come, at most a batch. More is true if there may be more.
func (d *direction) read() (more bool, err error) {
	for range batch {
		room := d.queue.room()
		full := room == nil
		if full {
			room = d.scratch
		}
		n, err := unix.Read(d.in, room)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, fmt.Errorf("read from %s: %w", d.stats.From, err)
		}
		d.take(n, full)
	}
	return true, nil
}

// take decides what becomes of a frame. Both draws are made for each, so that one frame's fate changes no other's.
func (d *direction) take(n int, full bool) {
	d.stats.Frames++
	d.stats.Bytes += int64(n) - d.header
	lost := d.loss > 0 && d.random.Float64() < d.loss
	wait := d.delay
	if d.jitter > 0 {
		wait += d.random.Int64N(2*d.jitter+1) - d.jitter
	}
	switch {
	case lost:
		d.stats.Lost++
	case full:
		d.stats.Full++
	default:
		d.queue.push(n, d.now()+wait)
		d.stats.MaxHeld = max(d.stats.MaxHeld, d.queue.held)
	}
}

// write sends what is due, at most a batch, and tells whether there was any.
func (d *direction) write() (any bool) {
	for range batch {
		due, ok := d.queue.due()
		now := d.now()
		if !ok || due > now {
			return any
		}
		any = true
		_, err := unix.Write(d.out, d.queue.bytes())
		if errors.Is(err, unix.EINTR) {
			continue
		}
		d.queue.pop()
		if err != nil {
			d.stats.Refused++
			continue
		}
		d.stats.Sent++
		d.late.add(now - due)
	}
	return any
}

// wait sleeps until a frame comes, the next one is due or the bell rings.
func (d *direction) wait() error {
	var timeout *unix.Timespec
	due, held := d.queue.due()
	now := d.now()
	alarm := max(due-d.early, now+d.grain)
	if held {
		left := alarm - now
		if left <= 0 {
			return nil // wide awake for the last microseconds
		}
		ts := unix.NsecToTimespec(left)
		timeout = &ts
	}
	fds := [2]unix.PollFd{{Fd: int32(d.in), Events: unix.POLLIN}, {Fd: int32(d.bell), Events: unix.POLLIN}}
	n, err := unix.Ppoll(fds[:], timeout, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for frames of %s: %w", d.stats.From, err)
	}
	if n == 0 && err == nil { // the alarm
		overslept := min(max(d.now()-alarm, 0), maxEarly)
		d.early += (overslept - d.early) / 16
	}
	if fds[1].Revents != 0 {
		var ring [8]byte
		_, _ = unix.Read(d.bell, ring[:]) // it only rings: its value tells nothing
	}
	return nil
}

// answer runs what was asked, if anything was. It may be before the bell rings for it, which then ends a sleep for nothing.
func (d *direction) answer() {
	select {
	case f := <-d.asked:
		f()
	default:
	}
}

// ask runs f on the direction's thread.
func (d *direction) ask(f func()) {
	done := make(chan struct{})
	d.asked <- func() { f(); close(done) }
	_, _ = unix.Write(d.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-done
}

// snapshot is what the direction did so far.
func (d *direction) snapshot() (s Stats) {
	d.ask(func() {
		s = d.stats
		s.Held, s.CPU = d.queue.held, threadCPU()
		d.late.fill(&s)
	})
	return s
}

// end ends the direction and waits for it. The devices are closed by who opened them.
func (d *direction) end() {
	d.ask(func() { d.stop = true })
	<-d.ended
	_ = unix.Close(d.bell)
}
