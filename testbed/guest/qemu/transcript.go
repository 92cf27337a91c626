package qemu

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// A Transcript keeps a QMP conversation: a line a message, with the time at which virtscope sent or read it
// (RFC 3339, ns), "->" for what was sent and "<-" for what came. A nil Transcript keeps nothing.
type Transcript struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// NewTranscript writes to w, which the caller closes after the monitor has ended.
func NewTranscript(w io.Writer) *Transcript { return &Transcript{w: w} }

// Err is the first error in writing, after which the transcript is incomplete.
func (t *Transcript) Err() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *Transcript) sent(line []byte)     { t.write("->", line) }
func (t *Transcript) received(line []byte) { t.write("<-", line) }

func (t *Transcript) write(arrow string, line []byte) {
	if t == nil {
		return
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	_, t.err = fmt.Fprintf(t.w, "%s %s %s\n", now, arrow, bytes.TrimSpace(line))
}
