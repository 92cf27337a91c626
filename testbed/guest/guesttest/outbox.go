package guesttest

import (
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
)

// An outbox writes lines of JSON in a goroutine of its own, so that who speaks never waits for who reads.
// What does not fit is counted.
type outbox struct {
	lines   chan []byte
	dropped atomic.Int64

	mu     sync.Mutex // guards closed, and sending on lines
	closed bool
	idle   sync.WaitGroup
}

func newOutbox(w io.Writer) *outbox {
	o := &outbox{lines: make(chan []byte, 4096)}
	o.idle.Go(func() {
		for line := range o.lines {
			if _, err := w.Write(line); err != nil {
				o.dropped.Add(1)
			}
		}
	})
	return o
}

func (o *outbox) say(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		o.dropped.Add(1)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		o.dropped.Add(1)
		return
	}
	select {
	case o.lines <- append(line, '\n'):
	default:
		o.dropped.Add(1)
	}
}

// close returns when everything was written.
func (o *outbox) close() {
	o.mu.Lock()
	if !o.closed {
		o.closed = true
		close(o.lines)
	}
	o.mu.Unlock()
	o.idle.Wait()
}
