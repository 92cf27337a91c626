package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

// diskSaved is the node of the file that a disk is saved in.
const diskSaved = "disk0-saved"

// A diskSave copies the guest's disk as it is when begin is called, by blockdev-backup.
//
// Each begin starts a dirty bitmap in the same transaction. It is kept when all of the save succeeded, in place of the one
// before; else it goes and the one before, which has gone on noting writes, stays. So the next increment holds what was written since
// the last save that counts.
//
// The file of an increment has no backing file: what it does not hold is unallocated. It is made the child of the one before by
// qemu-img rebase -u.
type diskSave struct {
	s       *saving
	events  <-chan event
	job     string
	before  string // bitmap that an increment copies; "" copies all
	bitmap  string // since begin
	asked   bool   // for the job and the bitmap: they may be there
	started bool   // they are
}

// newDiskSave makes the file and opens it.
func newDiskSave(ctx context.Context, s *saving) (*diskSave, error) {
	if s.options.Incremental && s.vm.saves.bitmap == "" {
		return nil, errors.New("an increment needs a save with a disk before it, on the QEMU that the guest runs in: save the whole disk first")
	}
	size, err := diskBytes(ctx, s.vm.mon)
	if err != nil {
		return nil, err
	}
	if err := image.MakeDisk(ctx, s.options.Disk, size, 0, image.QCOW2, 0); err != nil {
		return nil, err
	}
	s.vm.saves.n++
	d := &diskSave{
		s: s, job: fmt.Sprintf("virtscope-save-%d", s.vm.saves.n), bitmap: fmt.Sprintf("virtscope-saved-%d", s.vm.saves.n),
	}
	if s.options.Incremental {
		d.before = s.vm.saves.bitmap
	}
	node := map[string]any{
		"driver": image.QCOW2, "node-name": diskSaved, "discard": "unmap",
		"file": map[string]string{"driver": "file", "filename": s.options.Disk},
	}
	return d, s.vm.mon.Execute(ctx, "blockdev-add", node, nil)
}

// diskBytes is the size of the disk as the guest sees it.
func diskBytes(ctx context.Context, mon *Monitor) (int64, error) {
	var nodes []struct {
		Name  *string `json:"node-name"`
		Image *struct {
			Size *int64 `json:"virtual-size"` // B
		} `json:"image"`
	}
	if err := mon.Execute(ctx, "query-named-block-nodes", map[string]bool{"flat": true}, &nodes); err != nil {
		return 0, err
	}
	for _, n := range nodes {
		if n.Name != nil && *n.Name == diskNode && n.Image != nil && n.Image.Size != nil {
			return *n.Image.Size, nil
		}
	}
	return 0, errors.New("query-named-block-nodes does not say the size of " + diskNode)
}

// begin starts the copy. The guest stands still.
func (d *diskSave) begin(ctx context.Context) error {
	backup := map[string]any{"job-id": d.job, "device": diskNode, "target": diskSaved, "sync": "full"}
	if d.before != "" {
		backup["sync"], backup["bitmap"], backup["bitmap-mode"] = "bitmap", d.before, "never" // finish forgets it
	}
	if _, can := d.s.schema.argument("blockdev-backup", "on-cbw-error"); can {
		backup["on-cbw-error"] = "break-snapshot" // the copy's failures are none of the guest's
	}
	type action struct {
		Type string         `json:"type"`
		Data map[string]any `json:"data"`
	}
	actions := []action{
		{"block-dirty-bitmap-add", map[string]any{"node": diskNode, "name": d.bitmap}},
		{"blockdev-backup", backup},
	}
	d.events = d.s.vm.mon.eventsFromNow(ctx)
	err := d.s.vm.mon.Execute(ctx, "transaction", map[string]any{"actions": actions}, nil)
	var refusal *CommandError
	d.started, d.asked = err == nil, !errors.As(err, &refusal)
	if err != nil {
		return failedCopy("start the job", err)
	}
	e, err := awaitJob(ctx, d.events, nil, d.job, eventJobStatus) // the first says "created"
	if err != nil {
		return err
	}
	d.s.note(results.CheckpointDisk, eventTime(e), nil)
	return nil
}

// await waits until everything is copied.
func (d *diskSave) await(ctx context.Context) error {
	e, err := awaitJob(ctx, d.events, nil, d.job, eventJobCompleted)
	if err != nil {
		return err
	}
	offset, okO := e.Data["offset"].(float64)
	length, okN := e.Data["len"].(float64)
	if !okO || !okN || offset < length {
		return &guest.OutcomeError{Reason: fmt.Sprintf("the copy of the disk ended with %v of %v B", e.Data["offset"], e.Data["len"])}
	}
	// Qcow2's tables are in the file when it is closed.
	if err := d.close(ctx); err != nil {
		return err
	}
	size, err := d.size()
	if err != nil {
		return err
	}
	d.s.note(results.CheckpointDiskDone, eventTime(e), bytesAttr(size))
	return nil
}

func (d *diskSave) copyAll(ctx context.Context) error {
	if err := d.begin(ctx); err != nil {
		return err
	}
	return d.await(ctx)
}

func (d *diskSave) size() (int64, error) {
	info, err := os.Stat(d.s.options.Disk)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d *diskSave) close(ctx context.Context) error {
	return d.s.vm.mon.Execute(ctx, "blockdev-del", map[string]string{"node-name": diskSaved}, nil)
}

// finish lets the next increment go on from this save. It returns the file's size.
func (d *diskSave) finish(ctx context.Context) (int64, error) {
	size, err := d.size()
	if err != nil {
		return 0, err
	}
	if old := d.s.vm.saves.bitmap; old != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout) // not half of it
		defer cancel()
		if err := d.forget(ctx, old); err != nil {
			return 0, err
		}
	}
	d.s.vm.saves.bitmap = d.bitmap
	return size, nil
}

func (d *diskSave) forget(ctx context.Context, bitmap string) error {
	return d.s.vm.mon.Execute(ctx, "block-dirty-bitmap-remove", map[string]string{"node": diskNode, "name": bitmap}, nil)
}

// undo takes away what was made, whatever of it there is.
func (d *diskSave) undo(ctx context.Context) error {
	var errs []error
	if d.asked {
		_ = d.s.vm.mon.Execute(ctx, "block-job-cancel", map[string]any{"device": d.job, "force": true}, nil) // it may be gone
		errs = append(errs, d.gone(ctx))
		if err := d.forget(ctx, d.bitmap); d.started {
			errs = append(errs, err)
		}
	}
	_ = d.close(ctx) // it may be closed, or never have been opened
	return errors.Join(errs...)
}

// gone waits until the job is no more.
func (d *diskSave) gone(ctx context.Context) error {
	for {
		var jobs []blockJob
		if err := d.s.vm.mon.Execute(ctx, "query-block-jobs", nil, &jobs); err != nil {
			return err
		}
		if !slices.ContainsFunc(jobs, func(b blockJob) bool { return b.Device != nil && *b.Device == d.job }) {
			return nil
		}
		sleep(ctx, 20*time.Millisecond)
	}
}
