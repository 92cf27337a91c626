package results

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	recordsFile = "records.ndjson.gz"
	outcomeFile = "trial.json"
)

// maxPending bounds the records that wait to be written, about 200 MB.
const maxPending = 1 << 20

var _ Recorder = (*Attempt)(nil)

// An Attempt is the folder of a trial that is under way. It takes records in any goroutine and writes them in one.
type Attempt struct {
	Dir string

	mu      sync.Mutex
	pending []Record
	dropped int64
	closed  bool

	wake chan struct{} // has room for one: there are records to write
	stop chan struct{} // closed by Finish
	done chan struct{} // closed by the writer
	err  error         // of the writer; read it after done
}

// Begin makes the folder of a new attempt at a trial. What an earlier attempt left there is kept beside it, as
// <id>.attempt-1 and so on. The caller ends it with Finish.
func (r *Run) Begin(t Trial) (a *Attempt, number int, err error) {
	if err := checkName("trial", t.ID); err != nil {
		return nil, 0, fmt.Errorf("begin trial: %w", err)
	}
	dir := r.TrialDir(t.ID)
	number, err = setAside(dir)
	if err != nil {
		return nil, 0, fmt.Errorf("begin trial %s: %w", t.ID, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, 0, fmt.Errorf("begin trial %s: %w", t.ID, err)
	}
	f, err := os.Create(filepath.Join(dir, recordsFile))
	if err != nil {
		return nil, 0, fmt.Errorf("begin trial %s: %w", t.ID, err)
	}
	a = &Attempt{Dir: dir, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go a.write(f)
	return a, number, nil
}

// setAside renames what stands at dir and returns the next attempt's number, from 1.
func setAside(dir string) (int, error) {
	n := 1
	for ; ; n++ {
		if _, err := os.Lstat(aside(dir, n)); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return 0, err
		}
	}
	err := os.Rename(dir, aside(dir, n))
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	return n + 1, err
}

func aside(dir string, n int) string { return fmt.Sprintf("%s.attempt-%d", dir, n) }

// Record implements Recorder. Records that come after Finish, or that the disk cannot take in time, are counted
// as dropped.
func (a *Attempt) Record(r Record) {
	a.mu.Lock()
	if a.closed || len(a.pending) >= maxPending {
		a.dropped++
		a.mu.Unlock()
		return
	}
	a.pending = append(a.pending, r)
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// flushEvery is how long a record may wait before others can read it, and before a kill no longer loses it.
const flushEvery = 250 * time.Millisecond

func (a *Attempt) write(f *os.File) {
	defer close(a.done)
	b := bufio.NewWriterSize(f, 64<<10)
	z, _ := gzip.NewWriterLevel(b, gzip.BestSpeed) // the level is a valid constant
	enc := json.NewEncoder(z)
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	var err error
	for fresh, more := false, true; more; {
		select {
		case <-a.wake:
			err = a.drain(enc, err)
			fresh = true
		case <-flush.C:
			if fresh && err == nil {
				err = cmp.Or(z.Flush(), b.Flush())
			}
			fresh = false
		case <-a.stop:
			more = false
		}
	}
	err = a.drain(enc, err)
	// The first error is why; those after it say the same again.
	a.err = cmp.Or(err, z.Close(), b.Flush(), f.Sync(), f.Close())
}

// drain writes what is pending, or counts it as dropped once an error has come.
func (a *Attempt) drain(enc *json.Encoder, err error) error {
	a.mu.Lock()
	batch := a.pending
	a.pending = nil
	a.mu.Unlock()
	for i := range batch {
		if err == nil {
			err = enc.Encode(&batch[i])
		}
		if err != nil {
			a.mu.Lock()
			a.dropped += int64(len(batch) - i)
			a.mu.Unlock()
			return err
		}
	}
	return nil
}

// Dropped is how many records could not be kept so far.
func (a *Attempt) Dropped() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dropped
}

// Finish writes what is left and the outcome, with what was dropped filled in, and syncs. It returns the first
// error in writing: the attempt's data are then incomplete.
func (a *Attempt) Finish(o *Outcome) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return errors.New("finish attempt: finished before")
	}
	a.closed = true
	o.Dropped = a.dropped
	a.mu.Unlock()
	close(a.stop)
	<-a.done
	if a.err != nil {
		return fmt.Errorf("finish trial %s: %w", o.Trial.ID, a.err)
	}
	return WriteJSON(filepath.Join(a.Dir, outcomeFile), o)
}
