package results

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrClaimed says that another process works on a run.
var ErrClaimed = errors.New("another virtscope works on this run")

// How often a claim is tried again, and how long apart.
const (
	claimAgain = 5
	claimPause = 5 * time.Millisecond
)

// Claim makes this process the one that works on the run, until it calls release or ends however it ends. ErrClaimed if another one does.
func (r *Run) Claim() (release func(), err error) {
	d, err := os.Open(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("claim run: %w", err)
	}
	err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	for range claimAgain { // whoever asks whether the run is live holds it for a moment
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(claimPause)
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		_ = d.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("claim run %s: %w: wait for it, or end it", r.Dir, ErrClaimed)
		}
		return nil, fmt.Errorf("claim run %s: %w", r.Dir, err)
	}
	return func() { _ = d.Close() }, nil
}

// Live reports whether a process works on the run. A file system that cannot tell is an error.
func (r *Run) Live() (bool, error) {
	d, err := os.Open(r.Dir)
	if err != nil {
		return false, err
	}
	defer d.Close()
	err = syscall.Flock(int(d.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
