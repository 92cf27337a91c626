package echo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// A train is one run of the probe. Sent and failed belong to the sender, replies to the receiver until it has
// ended.
type train struct {
	conf   Config
	socket *socket
	number uint64 // tells this train's replies from another's
	meter  *probes.Meter
	rec    results.Recorder

	sent   []int64        // ns since the Unix epoch, by seq
	failed map[int]string // why a send call failed, by seq; nil until one does

	replies  []int64 // arrival, ns since the Unix epoch, by seq; 0 is none
	heard    int64   // the last arrival that was told of; the receiver's
	begun    atomic.Int64
	answered atomic.Int64
}

// run sends until ctx is done, awaits the last replies, and ends the receiver.
func (t *train) run(ctx context.Context, armed func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	var receiveErr error
	go func() {
		defer close(ended)
		defer t.meter.Thread()()
		if receiveErr = t.receive(); receiveErr != nil {
			cancel(receiveErr)
		}
	}()
	sendErr := t.send(ctx, armed)
	if sendErr == nil {
		t.linger(ended)
	}
	t.socket.wakeUp()
	<-ended
	return errors.Join(sendErr, receiveErr)
}

// linger waits for replies to all that was sent, within the limit.
func (t *train) linger(ended <-chan struct{}) {
	expected := int64(len(t.sent) - len(t.failed))
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(t.conf.Linger)
	defer limit.Stop()
	for t.answered.Load() < expected {
		select {
		case <-tick.C:
		case <-limit.C:
			return
		case <-ended:
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
		if !sleepUntil(ctx, start+slot*interval) && len(t.sent) > 0 {
			return nil
		}
		if behind := (now(unix.CLOCK_MONOTONIC)-start)/interval - slot; behind > 0 {
			t.meter.Late(behind)
			slot += behind
		}
		if len(t.sent) == t.conf.Limit {
			return fmt.Errorf("send probe: %d were sent, as many as are remembered: set probes.echo.interval higher", t.conf.Limit)
		}
		if err := t.sendOne(); err != nil {
			return err
		}
		if len(t.sent) == 1 {
			armed()
		}
		if err := steps.Check(); err != nil {
			return err
		}
	}
}

func (t *train) sendOne() error {
	seq := len(t.sent)
	t.begun.Store(int64(seq) + 1) // before the reply can come
	at, err := t.socket.send(t.number, uint64(seq), t.conf.Size)
	t.sent = append(t.sent, at)
	if err == nil {
		return nil
	}
	if !isLoss(err) {
		return fmt.Errorf("send probe %d: %w", seq, err)
	}
	if t.failed == nil {
		t.failed = make(map[int]string)
	}
	t.failed[seq] = err.Error()
	return nil
}

// receive takes replies until the socket is woken up, and then what has already arrived.
func (t *train) receive() error {
	for {
		woken, err := t.socket.wait()
		if err != nil {
			return err
		}
		for {
			seq, at, err := t.socket.receive(t.number)
			if errors.Is(err, unix.EAGAIN) {
				break
			}
			if errors.Is(err, errNotOurs) {
				continue
			}
			if err != nil {
				return fmt.Errorf("receive reply: %w", err)
			}
			t.reply(seq, at)
		}
		if woken {
			t.meter.Dropped(t.socket.overflow)
			return nil
		}
	}
}

// reply notes the first reply to a probe that was sent.
func (t *train) reply(seq uint64, at int64) {
	if seq >= uint64(t.begun.Load()) {
		return // nobody asked
	}
	for uint64(len(t.replies)) <= seq {
		t.replies = append(t.replies, 0)
	}
	if t.replies[seq] != 0 {
		return // a duplicate
	}
	t.replies[seq] = at
	t.answered.Add(1)
	t.tell(at)
}

// tell says at once that answers come, for who waits for their end.
func (t *train) tell(at int64) {
	if t.conf.Heard <= 0 || at-t.heard < int64(t.conf.Heard) {
		return
	}
	t.heard = at
	t.rec.Record(results.Record{Time: at, Host: t.conf.Host, Source: results.SourceEcho, Name: results.EchoHeard})
}
