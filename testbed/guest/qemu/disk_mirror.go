package qemu

import (
	"context"
	"time"
	"virtscope/results"
)

// A mirror copies the whole disk and then each write of the guest, by blockdev-mirror.
type mirror struct {
	diskLink
	running bool
}

var mirrorJob = job{id: "virtscope-mirror", kind: "mirror"}

func (m *mirror) prepare(ctx context.Context) error { return m.serve(ctx) }

func (m *mirror) run(ctx context.Context) error {
	if err := m.open(ctx); err != nil {
		return err
	}
	writes := m.options.DiskWrites
	if writes == "" {
		writes = writesBackground
	}
	m.running = true
	if _, err := m.start(ctx, mirrorJob, "blockdev-mirror", map[string]any{"sync": "full", "copy-mode": writes}); err != nil {
		return err
	}
	e, err := m.await(ctx, mirrorJob.id, eventJobReady)
	if err != nil {
		return failedCopy("mirror it", err)
	}
	m.mark(results.DiskCopyReady, e, mirrorJob)
	return nil
}

// switchOver ends the mirror at a moment when both disks are alike: block-job-cancel of a job that is ready, without force,
// lets it copy what is left (QAPI block-job-cancel).
func (m *mirror) switchOver(ctx context.Context) error {
	m.stopSampling()
	cancel := map[string]any{"device": mirrorJob.id, "force": false}
	refused := m.src.mon.Execute(ctx, "block-job-cancel", cancel, nil)
	if refused != nil {
		// The job may have failed meanwhile. Its event, which came before the refusal, says why.
		bounded, end := context.WithTimeout(ctx, time.Second)
		defer end()
		if _, err := m.await(bounded, mirrorJob.id, eventJobCompleted); err != nil && bounded.Err() == nil {
			return failedCopy("complete the mirror", err)
		}
		return failedCopy("complete the mirror", refused)
	}
	e, err := m.await(ctx, mirrorJob.id, eventJobCompleted)
	if err != nil {
		return failedCopy("complete the mirror", err)
	}
	m.running = false
	if _, err := m.finish(e, mirrorJob); err != nil {
		return failedCopy("complete the mirror", err)
	}
	m.mark(results.DiskCopyEnd, e, mirrorJob)
	return m.release(ctx)
}

func (m *mirror) abandon(ctx context.Context) {
	id := ""
	if m.running {
		id = mirrorJob.id
	}
	m.tearDown(ctx, id)
}
