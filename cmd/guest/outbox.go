package main

import (
	"encoding/json"
	"fmt"
	"sync"
	"syscall"
	"unsafe"
	"virtscope/testbed/guest/agent"
)

const (
	maxLines = 256     // replies and logs that wait for the port
	maxWrite = 8 << 10 // B written at once
)

// An outbox takes what the agent says and never makes the speaker wait for the port. What it cannot keep it
// counts, and says so when the port takes data again.
type outbox struct {
	ring ring // the ticker's alone
	disk ring // the disk's thread's alone

	mu      sync.Mutex
	lines   [][]byte // everybody else's
	dropped int64

	wake int // eventfd: the kernel wakes the sender's thread by its priority, which Go's scheduler does not know
}

func newOutbox() (*outbox, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, fmt.Errorf("make eventfd: %w", errno)
	}
	return &outbox{ring: newRing(ringSize), disk: newRing(diskRingSize), wake: int(fd)}, nil
}

// report queues a report. Only the ticker may call it.
func (o *outbox) report(r *report) {
	o.ring.push(r)
	o.signal()
}

// reportDisk queues a report. Only the disk's thread may call it.
func (o *outbox) reportDisk(r *report) {
	o.disk.push(r)
	o.signal()
}

// say queues a message. The clock is read here unless m carries a time.
func (o *outbox) say(m *agent.Message) error {
	if m.Mono == 0 {
		m.Mono = mono()
	}
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	o.mu.Lock()
	if len(o.lines) < maxLines {
		o.lines = append(o.lines, append(line, '\n'))
	} else {
		o.dropped++
	}
	o.mu.Unlock()
	o.signal()
	return nil
}

func (o *outbox) log(format string, args ...any) {
	_ = o.say(&agent.Message{Log: fmt.Sprintf(format, args...)}) // a string always encodes
}

func (o *outbox) signal() {
	one := uint64(1)
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(o.wake), uintptr(unsafe.Pointer(&one)), 8)
}

// await waits for a signal.
func (o *outbox) await() {
	var n uint64
	_, _, _ = syscall.Syscall(syscall.SYS_READ, uintptr(o.wake), uintptr(unsafe.Pointer(&n)), 8)
}

// drain appends what waits to b, as much as one write takes, and reports whether there was anything.
func (o *outbox) drain(b []byte) ([]byte, bool) {
	o.mu.Lock()
	for len(o.lines) > 0 && len(b) < maxWrite {
		b = append(b, o.lines[0]...)
		o.lines[0] = nil
		o.lines = o.lines[1:]
	}
	o.mu.Unlock()
	var r report
	for _, ring := range []*ring{&o.ring, &o.disk} {
		for len(b) < maxWrite && ring.pop(&r) {
			b = r.appendTo(b)
		}
	}
	return b, len(b) > 0
}

// takeDropped returns how many messages were dropped since it was last called.
func (o *outbox) takeDropped() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.dropped + o.ring.dropped.Swap(0) + o.disk.dropped.Swap(0)
	o.dropped = 0
	return n
}

// send writes all that is said to the port, until write fails.
func (o *outbox) send(write func([]byte) error) error {
	b := make([]byte, 0, 2*maxWrite)
	for {
		o.await()
		for {
			line, some := o.drain(b[:0])
			if !some {
				break
			}
			if err := write(line); err != nil {
				return err
			}
			if n := o.takeDropped(); n > 0 {
				o.log("dropped %d messages: the port was blocked", n)
			}
		}
	}
}
