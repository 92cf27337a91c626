package guesttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

var _ guest.Restorer = (*Driver)(nil)

// Restore implements guest.Restorer, for FormatStream.
func (d *Driver) Restore(ctx context.Context, h host.Host, s guest.Spec, o guest.RestoreOptions, rec results.Recorder) (guest.Instance, error) {
	if _, err := d.Fingerprint(ctx, h, s); err != nil {
		return nil, fmt.Errorf("restore scripted guest on %s: %w", h.Name(), err)
	}
	if o.Format != guest.FormatStream || o.OnDemand || !strings.HasPrefix(o.Stream, "unix:") {
		return nil, &guest.NotSupportedError{Feature: "a restore of anything but a stream from unix:PATH", Where: "driver " + Name, Remedy: "use format stream, load: eager"}
	}
	i := &instance{
		command: d.command, spec: s, rec: rec, done: make(chan struct{}),
		agent: agent.NewClient(guest.RestoredReporter(rec)),
	}
	for { // a guest that was saved and lives on has its socket
		path, err := socketPath(s.Dir, i.spawned+1)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); err != nil {
			break
		}
		i.spawned++
	}
	m := &migration{guest: i}
	if err := m.restore(ctx, h, o); err != nil {
		return nil, fmt.Errorf("restore scripted guest on %s: %w", h.Name(), errors.Join(err, i.Close()))
	}
	return i, nil
}

func (m *migration) restore(ctx context.Context, h host.Host, o guest.RestoreOptions) (err error) {
	i := m.guest
	if m.src, err = i.spawn(ctx, h, "source", savedGuest); err != nil {
		return err
	}
	i.agent.Use(h.Name())
	i.moveTo(m.src)
	m.mark(results.BootSpawn, map[string]string{"pid": strconv.Itoa(m.src.proc.PID())})
	m.mark(results.BootMonitor, nil) // it said that it is ready
	m.mark(results.RestoreBegin, map[string]string{"format": o.Format, "load": "eager"})
	r, err := m.src.ask(ctx, order{Op: opLoad, Address: strings.TrimPrefix(o.Stream, "unix:")})
	if err != nil {
		return outcome(ctx, err)
	}
	m.mark(results.RestoreEnd, map[string]string{"bytes": strconv.FormatInt(r.Bytes, 10)})
	go func() { _, _ = i.agent.Do(context.Background(), agent.Request{Op: agent.OpHello}) }() // the client's end ends it
	if o.Paused {
		return nil
	}
	return m.resume(ctx)
}
