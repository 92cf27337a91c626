package guesttest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
)

var (
	_ guest.Saver    = (*instance)(nil)
	_ guest.Pausable = (*instance)(nil)
	_ guest.Killer   = (*instance)(nil)
)

// Save implements guest.Saver, for FormatStream to a unix socket: the guest stands still while its memory and counters are sent.
func (i *instance) Save(ctx context.Context, o guest.SaveOptions) (guest.Saved, error) {
	m := &migration{guest: i, src: i.running()}
	saved, err := m.save(ctx, o)
	if err != nil {
		return guest.Saved{}, fmt.Errorf("save scripted guest on %s: %w", m.src.host.Name(), err)
	}
	return saved, nil
}

func checkSave(o guest.SaveOptions) error {
	no := func(feature, remedy string) error {
		return &guest.NotSupportedError{Feature: feature, Where: "driver " + Name, Remedy: remedy}
	}
	switch {
	case o.Format != guest.FormatStream:
		return no("a checkpoint of format "+strconv.Quote(o.Format), "use stream")
	case o.Live:
		return no("a live checkpoint", "use mode stop")
	case o.Disk != "" || o.Incremental:
		return no("a checkpoint of a disk", "leave out the disk: the scripted guest has none")
	case !strings.HasPrefix(o.Stream, "unix:"):
		return no("a stream to "+strconv.Quote(o.Stream), "use unix:PATH")
	}
	return nil
}

func (m *migration) save(ctx context.Context, o guest.SaveOptions) (saved guest.Saved, err error) {
	if err := checkSave(o); err != nil {
		return saved, err
	}
	m.mark(results.CheckpointFreeze, nil)
	if err := m.pause(ctx); err != nil {
		return saved, err
	}
	m.mark(results.CheckpointDump, nil)
	r, err := m.src.ask(ctx, order{Op: opSave, Address: strings.TrimPrefix(o.Stream, "unix:")})
	if err == nil {
		m.mark(results.CheckpointDumped, map[string]string{"bytes": strconv.FormatInt(r.Bytes, 10)})
		saved.MemoryBytes = r.Bytes
		if o.StayStopped {
			return saved, nil
		}
	}
	m.mark(results.CheckpointThaw, nil)
	return saved, errors.Join(outcome(ctx, err), m.resume(context.WithoutCancel(ctx)))
}

func (m *migration) mark(name string, attrs map[string]string) {
	m.record(m.src, results.Record{Name: name, Attrs: attrs})
}

// pause stops the guest at an instant that is near, and records when it stopped.
func (m *migration) pause(ctx context.Context) error {
	lead := firstLead / 10
	for try := 1; ; try++ {
		_, err := m.src.ask(ctx, order{Op: opStop, At: mono() + lead.Nanoseconds()})
		if err == nil {
			break
		}
		if try == attempts || ctx.Err() != nil {
			return fmt.Errorf("stop the guest %s ahead: %w", lead, err)
		}
		lead *= 2
	}
	news, err := m.src.next(ctx)
	if err != nil {
		return err
	}
	if news.Stopped == nil {
		return fmt.Errorf("the guest said %+v, not that it stopped", news)
	}
	m.change(m.src, results.VMStop, results.SilenceBegin, news.Stopped)
	return nil
}

// resume lets a guest that stands still go on, and records when it did. A process that is gone does not answer.
func (m *migration) resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := m.src.ask(ctx, order{Op: opThaw}); err != nil {
		return err
	}
	news, err := m.src.next(ctx)
	if err != nil {
		return err
	}
	if news.Awake == nil {
		return fmt.Errorf("the guest said %+v, not that it woke", news)
	}
	m.change(m.src, results.VMResume, results.SilenceEnd, news.Awake)
	return nil
}

// Pause implements guest.Pausable.
func (i *instance) Pause(ctx context.Context) error {
	return (&migration{guest: i, src: i.running()}).pause(ctx)
}

// Resume implements guest.Pausable.
func (i *instance) Resume(ctx context.Context) error {
	return (&migration{guest: i, src: i.running()}).resume(ctx)
}

// Kill implements guest.Killer.
func (i *instance) Kill() error { return i.running().proc.Kill() }
