package capture

import (
	"io"
	"sync/atomic"
)

// chunkSize is the unit in which a queue writes.
const chunkSize = 1 << 20

// A queue is an io.Writer whose Write never waits for the disk: another goroutine, run, writes what was
// gathered. The one who writes asks room first.
type queue struct {
	chunks int // that may exist at once: the bound of the memory
	made   int
	full   chan []byte // to be written; nobody waits to send: its capacity is chunks
	free   chan []byte // written
	cur    []byte
	failed atomic.Pointer[error] // what kept run from writing
	ended  chan struct{}         // closed by the goroutine of run
}

func newQueue(chunks int) *queue {
	return &queue{
		chunks: chunks, full: make(chan []byte, chunks), free: make(chan []byte, chunks), ended: make(chan struct{}),
	}
}

// room reports whether n bytes, at most a chunk, can be written now.
func (q *queue) room(n int) bool {
	if cap(q.cur)-len(q.cur) >= n {
		return true
	}
	return len(q.free) > 0 || q.made < q.chunks
}

// Write implements io.Writer. It fails with io.ErrShortWrite if room was not asked.
func (q *queue) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		if len(q.cur) == cap(q.cur) && !q.turn() {
			return written, io.ErrShortWrite
		}
		n := copy(q.cur[len(q.cur):cap(q.cur)], p[written:])
		q.cur = q.cur[:len(q.cur)+n]
		written += n
	}
	return written, nil
}

// turn hands over the chunk at hand and takes an empty one.
func (q *queue) turn() bool {
	var next []byte
	select {
	case next = <-q.free:
	default:
		if q.made == q.chunks {
			return false
		}
		q.made++
		next = make([]byte, 0, chunkSize)
	}
	if len(q.cur) > 0 {
		q.full <- q.cur
	}
	q.cur = next
	return true
}

// run writes to w what was handed over, until close. After an error it goes on emptying.
func (q *queue) run(w io.Writer) {
	for chunk := range q.full {
		if q.err() == nil {
			if _, err := w.Write(chunk); err != nil {
				q.failed.Store(&err)
			}
		}
		q.free <- chunk[:0]
	}
}

// err is what kept run from writing, if anything.
func (q *queue) err() error {
	if e := q.failed.Load(); e != nil {
		return *e
	}
	return nil
}

// await waits until there is room for something.
func (q *queue) await() {
	if q.room(chunkSize) {
		return
	}
	q.free <- <-q.free // run returns every chunk, even when it cannot write
}

// close hands over the rest and waits until all was written.
func (q *queue) close() error {
	if len(q.cur) > 0 {
		q.full <- q.cur
		q.cur = nil
	}
	close(q.full)
	<-q.ended
	return q.err()
}
