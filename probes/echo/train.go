package echo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// A train is one run of the probe. What is not in the ledger belongs to the sender, but for heard.
type train struct {
	conf   Config
	socket *socket
	number uint64 // tells this train's replies from another's
	meter  *probes.Meter
	rec    results.Recorder
	ledger *ledger

	count  int64            // probes that were sent
	failed map[int64]string // why a send call failed, by seq; nil until one does

	heard int64 // the last arrival that was told of; the receiver's
}

// run sends until ctx is done, awaits the last replies, and ends the receiver and the teller. What the teller has not told by
// then it tells last; of a train that failed, nothing more: whether the rest would have been answered is not known.
func (t *train) run(ctx context.Context, armed func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	broken := make(chan struct{})
	fail := sync.OnceFunc(func() {
		close(broken)
		cancel()
	})
	teller := &teller{conf: t.conf, ledger: t.ledger, rec: t.rec}
	stop := make(chan struct{})
	// These two keep the priority that all threads have: only the sender's is raised.
	received := t.start(fail, t.receive)
	told := t.start(fail, func() error { return teller.run(stop) })
	sendErr := t.send(ctx, armed)
	if sendErr == nil {
		t.linger(broken)
	}
	t.socket.wakeUp()
	close(stop)
	if err := errors.Join(sendErr, <-received, <-told); err != nil {
		return err
	}
	return teller.end(t.failed)
}

// start runs f on a thread of its own, and calls fail if it fails.
func (t *train) start(fail func(), f func() error) (ended <-chan error) {
	end := make(chan error, 1)
	go func() {
		done := t.meter.Thread()
		err := f()
		done()
		if err != nil {
			fail()
		}
		end <- err
	}()
	return end
}

// linger waits for replies to all that was sent, within the limit.
func (t *train) linger(broken <-chan struct{}) {
	expected := t.count - int64(len(t.failed))
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(t.conf.Linger)
	defer limit.Stop()
	for t.ledger.answered.Load() < expected {
		select {
		case <-tick.C:
		case <-limit.C:
			return
		case <-broken:
			return
		}
	}
}

// send sends a probe at each slot until ctx is done. A slot that was missed is left out.
func (t *train) send(ctx context.Context, armed func()) error {
	restore, err := exactTimers()
	if err != nil {
		return err
	}
	defer restore()
	// Without the right to it, the sender may be late: it counts when it is.
	if ordinary, err := host.Urgent(); err == nil {
		defer ordinary()
	}
	steps := probes.NewStepDetector()
	interval, start := int64(t.conf.Interval), now(unix.CLOCK_MONOTONIC)
	for slot := int64(0); ; slot++ {
		if !sleepUntil(ctx, start+slot*interval) && t.count > 0 {
			return nil
		}
		if behind := (now(unix.CLOCK_MONOTONIC)-start)/interval - slot; behind > 0 {
			t.meter.Late(behind)
			slot += behind
		}
		if t.count == int64(t.conf.Limit) {
			return fmt.Errorf("send probe: %d were sent, as many as are remembered: set probes.echo.interval higher", t.conf.Limit)
		}
		if err := t.sendOne(); err != nil {
			return err
		}
		if t.count == 1 {
			armed()
		}
		if err := steps.Check(); err != nil {
			return err
		}
	}
}

func (t *train) sendOne() error {
	seq := t.count
	t.ledger.begin(seq)
	at, err := t.socket.send(t.number, uint64(seq), t.conf.Size)
	t.ledger.send(seq, at)
	t.count++
	if err == nil {
		return nil
	}
	if !isLoss(err) {
		return fmt.Errorf("send probe %d: %w", seq, err)
	}
	if t.failed == nil {
		t.failed = make(map[int64]string)
	}
	t.failed[seq] = err.Error()
	return nil
}

// receive takes replies until the socket is woken up, and then what has already arrived.
func (t *train) receive() error {
	for {
		woken, err := t.socket.wait(drainEvery)
		if err != nil {
			return err
		}
		before := now(unix.CLOCK_REALTIME)
		for {
			seq, at, err := t.socket.receive(t.number)
			if errors.Is(err, unix.EAGAIN) {
				t.ledger.drained.Store(before)
				break
			}
			if errors.Is(err, errNotOurs) {
				continue
			}
			if err != nil {
				return fmt.Errorf("receive reply: %w", err)
			}
			if t.ledger.answer(seq, at) {
				t.hear(at)
			}
		}
		if woken {
			t.meter.Dropped(t.socket.overflow)
			return nil
		}
	}
}

// hear says at once that answers come, for who waits for their end.
func (t *train) hear(at int64) {
	if t.conf.Heard <= 0 || at-t.heard < int64(t.conf.Heard) {
		return
	}
	t.heard = at
	t.rec.Record(results.Record{Time: at, Host: t.conf.Host, Source: results.SourceEcho, Name: results.EchoHeard})
}
