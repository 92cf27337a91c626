package qemu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// A diskCopy moves the guest's disk beside its memory. Its methods are called in this order, by one goroutine; abandon at any
// time instead of the next, once.
type diskCopy interface {
	// prepare makes the destination ready to receive the disk. It is not migration time.
	prepare(ctx context.Context) error
	// run copies the disk and returns when what is left is little, before the memory is migrated. From then on
	// the destination's disk follows the source's.
	run(ctx context.Context) error
	// switchOver copies the rest. The guest is stopped, its migration in state pre-switchover. When it returns, the
	// destination's disk is the guest's and belongs to nobody else there.
	switchOver(ctx context.Context) error
	// abandon ends what runs and takes away what the others made, after a failure or a cancel. The guest keeps its disk at
	// the source. It works on a context that may be done, and for at most abandonLimit.
	abandon(ctx context.Context)
}

// abandonLimit bounds what abandon does at an end that may not answer.
const abandonLimit = 5 * time.Second

// newDiskCopy makes the copy of s.Disk from src to dst that o asks for. Its errors are the subject's outcome where the
// subject failed.
func newDiskCopy(src, dst *machine, s guest.Spec, o guest.MigrateOptions, rec results.Recorder) (diskCopy, error) {
	if err := checkDiskCopy(s, o); err != nil {
		return nil, err
	}
	c := diskLink{src: src, dst: dst, options: o, rec: rec}
	if o.DiskCopy == copyIncremental {
		return &backup{diskLink: c}, nil
	}
	return &mirror{diskLink: c}, nil
}

// checkDiskCopy refuses by name what cannot be done. It asks no QEMU.
func checkDiskCopy(s guest.Spec, o guest.MigrateOptions) error {
	refuse := func(feature, remedy string) error {
		return &guest.NotSupportedError{Feature: feature, Where: "driver qemu", Remedy: remedy}
	}
	switch {
	case !movesDisk(s):
		return nil
	case o.DiskCopy != "" && o.DiskCopy != copyMirror && o.DiskCopy != copyIncremental:
		return refuse("disk copy "+strconv.Quote(o.DiskCopy), "use mirror or incremental")
	case o.DiskWrites != "" && o.DiskWrites != writesBackground && o.DiskWrites != writesBlocking:
		return refuse("mode of a disk's writes "+strconv.Quote(o.DiskWrites), "use background or write-blocking")
	case o.DiskCopy == copyIncremental && !s.Disk.Track:
		return refuse("an incremental copy of a disk whose writes were not tracked from the boot on", "set the disk's Track")
	case o.DiskCopy == copyIncremental && o.DiskWrites == writesBlocking:
		return refuse("an incremental copy of the disk with write-blocking", "use background, or mirror")
	case o.DiskPort <= 0:
		return refuse("a copy of the disk without a port", "set the port of NBD")
	}
	return nil
}

// A diskLink is the way by which a disk moves: the destination's QEMU serves its disk by NBD, and the source's QEMU opens
// it as a node.
type diskLink struct {
	src, dst *machine
	options  guest.MigrateOptions
	rec      results.Recorder
	events   <-chan event // of the source, from begin on
	sampling *sampling    // nil if no job runs
	end      context.CancelFunc
}

// serve starts the NBD server. An inactive disk becomes active by it (QEMU block/export/export.c), and stays so.
func (l *diskLink) serve(ctx context.Context) error {
	address := map[string]any{"type": "inet", "data": map[string]string{"host": l.options.Address, "port": strconv.Itoa(l.options.DiskPort)}}
	if err := l.dst.mon.Execute(ctx, "nbd-server-start", map[string]any{"addr": address}, nil); err != nil {
		return fmt.Errorf("serve the disk on %s: %w: is the port taken?", l.dst.host.Name(), err)
	}
	export := map[string]any{"type": "nbd", "id": diskExport, "node-name": diskNode, "name": diskNode, "writable": true}
	if err := l.dst.mon.Execute(ctx, "block-export-add", export, nil); err != nil {
		return fmt.Errorf("serve the disk on %s: %w", l.dst.host.Name(), err)
	}
	return nil
}

// open connects the source to it.
func (l *diskLink) open(ctx context.Context) error {
	following, end := context.WithCancel(context.WithoutCancel(ctx)) // switchOver may have another context
	l.end = end
	l.events = l.src.mon.eventsFromNow(following)
	server := map[string]string{"type": "inet", "host": l.options.Address, "port": strconv.Itoa(l.options.DiskPort)}
	node := map[string]any{"driver": "nbd", "node-name": diskTarget, "server": server, "export": diskNode, "discard": "unmap"}
	if err := l.src.mon.Execute(ctx, "blockdev-add", node, nil); err != nil {
		return failedCopy("connect to the destination's disk", err)
	}
	return nil
}

// release gives the destination's disk back to the guest alone: all connections end with the server. The source keeps its
// end until the migration is over, because closing it flushes the disk, for which the guest need not wait.
func (l *diskLink) release(ctx context.Context) error {
	l.end()
	if err := l.dst.mon.Execute(ctx, "nbd-server-stop", nil, nil); err != nil {
		return failedCopy("give the disk to the guest on "+l.dst.host.Name(), err)
	}
	if err := noteWrites(ctx, l.dst); err != nil {
		return failedCopy("note what the guest writes on "+l.dst.host.Name(), err)
	}
	go l.forget(l.src.mon.eventsFromNow(context.Background())) // it ends with the connection to QEMU
	return nil
}

// forget closes the source's end when the migration is over.
func (l *diskLink) forget(events <-chan event) {
	for e := range events {
		if status := eventStatus(e); e.Event != eventMigration || status != "completed" && status != "failed" && status != "cancelled" {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), abandonLimit)
		defer cancel()
		l.yank(ctx) // nobody answers a flush any more
		_ = l.src.mon.Execute(ctx, "blockdev-del", map[string]string{"node-name": diskTarget}, nil)
		return
	}
}

// tearDown cancels a job and removes both ends of the link. An end that is gone has nothing left.
func (l *diskLink) tearDown(ctx context.Context, job string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonLimit)
	defer cancel()
	l.stopSampling()
	if l.end == nil { // the source has nothing
		_ = l.dst.mon.Execute(ctx, "nbd-server-stop", nil, nil)
		return
	}
	l.yank(ctx) // a destination that does not answer would hold the job for ever
	if job != "" {
		err := l.src.mon.Execute(ctx, "block-job-cancel", map[string]any{"device": job, "force": true}, nil)
		if err == nil {
			_, _ = awaitJob(ctx, l.events, nil, job, eventJobCompleted, eventJobCancelled)
		}
	}
	_ = l.src.mon.Execute(ctx, "blockdev-del", map[string]string{"node-name": diskTarget}, nil)
	_ = l.dst.mon.Execute(ctx, "nbd-server-stop", nil, nil)
	l.end()
}

// yank shuts the source's end of the connection down (QAPI yank). It may be down already.
func (l *diskLink) yank(ctx context.Context) {
	node := map[string]string{"type": "block-node", "node-name": diskTarget}
	_ = l.src.mon.Execute(ctx, "yank", map[string]any{"instances": []any{node}}, nil)
}

// speed is the limit of a job in B/s; 0 is none.
func (l *diskLink) speed() int64 { return int64(math.Round(l.options.DiskBandwidth)) }

// failedCopy makes an error the subject's outcome, unless it is that of a context: then someone gave up.
func failedCopy(what string, err error) error {
	var outcome *guest.OutcomeError
	if errors.As(err, &outcome) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &guest.OutcomeError{Reason: "the disk could not be copied: " + what, Err: err}
}
