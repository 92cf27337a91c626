package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

const (
	// loadLimit bounds a load by a context without a nearer deadline.
	loadLimit = 10 * time.Minute
	// drainLimit bounds how long QEMU may go on after the last byte of a stream.
	drainLimit = time.Minute
	// lastWords bounds how long a QEMU that failed may take to end.
	lastWords = 5 * time.Second
)

var errTooLong = &guest.OutcomeError{Reason: fmt.Sprintf("it was not loaded within %s", loadLimit)}

// load lets QEMU read the state. It returns when QEMU had it (ns since the epoch), and how much was read, in B.
func (l *loading) load(ctx context.Context) (at, bytes int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, loadLimit, errTooLong)
	defer cancel()
	if l.options.Format == guest.FormatMemoryFile && !l.options.OnDemand {
		if bytes, err = l.fill(ctx); err != nil {
			return 0, 0, l.why(ctx, err)
		}
	}
	events := l.vm.mon.eventsFromNow(ctx)
	if l.options.Format == guest.FormatMappedRAM {
		if at, err = l.incoming(ctx, "file:"+l.options.Memory, events, nil); err != nil {
			return 0, 0, l.why(ctx, err)
		}
		bytes, err = image.Taken(l.options.Memory)
		return at, bytes, err
	}
	from, err := l.open(ctx)
	if err != nil {
		return 0, 0, err
	}
	f := &feed{from: from, done: make(chan struct{})}
	at, err = l.incoming(ctx, "unix:"+l.socket(), events, f)
	n := f.end()
	if err != nil {
		return 0, 0, l.why(ctx, errors.Join(err, f.err))
	}
	if f.last.cut() {
		return 0, 0, &guest.OutcomeError{Reason: "the saved state is cut short"}
	}
	return at, bytes + n, nil
}

// socket is where QEMU listens.
func (l *loading) socket() string { return strings.TrimSuffix(l.vm.files.qmp, ".qmp") + ".load" }

// open is the stream, of memory or of the devices alone.
func (l *loading) open(ctx context.Context) (io.ReadCloser, error) {
	if l.options.Format == guest.FormatMemoryFile {
		return os.Open(l.options.State)
	}
	conn, err := l.vm.host.Dial(ctx, "unix", strings.TrimPrefix(l.options.Stream, "unix:"))
	if err != nil {
		return nil, fmt.Errorf("connect to who serves the saved guest: %w", err)
	}
	return conn, nil
}

// fill reads the memory's file. QEMU, which waits, does not touch the guest's memory meanwhile.
func (l *loading) fill(ctx context.Context) (int64, error) {
	bytes, err := image.Taken(l.options.Memory) // before: in a tmpfs, a hole that is read takes room
	if err != nil {
		return 0, err
	}
	if l.vm.private {
		// All pages are written to as they are, so that each is a copy of the file's (QEMU util/oslib-posix.c, qemu_prealloc_mem).
		set := map[string]any{"path": "/objects/" + boardOf(l.guest.spec).ram, "property": "prealloc", "value": true}
		if err := l.vm.mon.Execute(ctx, "qom-set", set, nil); err != nil {
			return 0, fmt.Errorf("read the memory's file: %w", err)
		}
		return bytes, nil
	}
	return bytes, image.FillSparse(ctx, l.options.Memory, l.vm.files.memory)
}

// incoming lets QEMU read from a URI until it says that it has all. F is nil where it reads by itself.
func (l *loading) incoming(ctx context.Context, uri string, events <-chan event, f *feed) (at int64, err error) {
	if err := l.vm.mon.Execute(ctx, "migrate-incoming", map[string]string{"uri": uri}, nil); err != nil {
		return 0, l.died(ctx, err)
	}
	var fed <-chan struct{}
	if f != nil {
		if f.to, err = l.vm.host.Dial(ctx, "unix", l.socket()); err != nil {
			return 0, l.died(ctx, err)
		}
		go f.run()
		fed = f.done
	}
	var drained <-chan time.Time
	for {
		select {
		case e, open := <-events:
			switch status := eventStatus(e); {
			case !open:
				return 0, l.died(ctx, errEnded)
			case e.Event != eventMigration:
			case status == "completed":
				return eventTime(e), nil
			case status == "failed", status == "cancelled", ofPostCopy(status):
				return 0, l.died(ctx, errors.New("loading it is "+status))
			}
		case <-fed:
			fed, drained = nil, time.After(drainLimit)
		case <-drained:
			return 0, &guest.OutcomeError{Reason: fmt.Sprintf("qemu wants more %s after the end of the stream: it is damaged", drainLimit)}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// died is the outcome of a QEMU that did not take the state, in its own words.
func (l *loading) died(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case <-l.vm.proc.Done():
	case <-time.After(lastWords):
	case <-ctx.Done():
	}
	return &guest.OutcomeError{Reason: "the saved state was not taken", Err: l.vm.explain(err, l.vm.files.stderr)}
}

// why tells the subject's own failures from others.
func (l *loading) why(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.Is(context.Cause(ctx), errTooLong):
		return errTooLong
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &guest.OutcomeError{Reason: "it was not restored in time", Err: context.Cause(ctx)}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}
