package qemu

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
	"virtscope/results"
)

// A backup copies what the guest wrote since it booted, in passes: each copies what was written before it began, by
// blockdev-backup and a dirty bitmap. The destination has the disk's state at boot already. It is the incremental migration of
// Luo et al., "Live and incremental whole-system migration of virtual machines using block-bitmap", CLUSTER 2008, with
// this difference: what is left at the end is copied while the guest is stopped, not fetched by it afterwards.
//
// Passes go on until what is left would be copied within the downtime limit at the rate of the pass before, or a pass
// leaves as much as it copied, or there were maxPasses. While the memory is migrated, a pass is made whenever more than
// half of what the downtime limit allows is left.
type backup struct {
	diskLink
	passes    int
	rate      float64 // B/s of the last pass
	running   string  // the job, or ""
	following *following
}

const (
	maxPasses = 30
	// defaultDowntime is QEMU's own downtime limit.
	defaultDowntime = 300 * time.Millisecond
)

// A following makes passes while the memory is migrated.
type following struct {
	last chan struct{} // closed: the pass that runs is the last
	end  context.CancelFunc
	done sync.WaitGroup
	err  error // once done
}

func (b *backup) prepare(ctx context.Context) error { return b.serve(ctx) }

func (b *backup) run(ctx context.Context) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	for b.passes < maxPasses {
		copied, _, err := b.pass(ctx)
		if err != nil {
			return err
		}
		left, err := b.dirty(ctx)
		if err != nil {
			return err
		}
		if left <= b.allowed() || left >= copied {
			break
		}
	}
	b.follow(ctx)
	return nil
}

// allowed is how much may be left to be copied while the guest is stopped, in B.
func (b *backup) allowed() int64 {
	limit := b.options.DowntimeLimit
	if limit <= 0 {
		limit = defaultDowntime
	}
	return int64(b.rate * limit.Seconds())
}

// pass copies what is dirty now.
func (b *backup) pass(ctx context.Context) (copied int64, done event, err error) {
	b.passes++
	j := job{id: "virtscope-backup-" + strconv.Itoa(b.passes), kind: "backup", pass: b.passes}
	b.running = j.id
	begin, err := b.start(ctx, j, "blockdev-backup", map[string]any{"sync": "incremental", "bitmap": diskBitmap, "bitmap-mode": "on-success"})
	if err != nil {
		return 0, done, err
	}
	if done, err = b.await(ctx, j.id, eventJobCompleted); err != nil {
		return 0, done, failedCopy("pass "+strconv.Itoa(j.pass), err)
	}
	b.running = ""
	b.stopSampling()
	if copied, err = b.finish(done, j); err != nil {
		return 0, done, failedCopy("pass "+strconv.Itoa(j.pass), err)
	}
	b.mark(results.DiskCopyReady, done, j)
	if took := eventTime(done) - eventTime(begin); took > 0 {
		b.rate = float64(copied) / (float64(took) / 1e9)
	}
	return copied, done, nil
}

// follow makes passes until it is told to stop.
func (b *backup) follow(ctx context.Context) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	f := &following{last: make(chan struct{}), end: end}
	b.following = f
	f.done.Go(func() {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		for f.err == nil {
			select {
			case <-f.last:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				f.err = b.catchUp(ctx)
			}
		}
	})
}

// catchUp makes a pass if it is worth one.
func (b *backup) catchUp(ctx context.Context) error {
	left, err := b.dirty(ctx)
	if err != nil || left == 0 || left <= b.allowed()/2 {
		return err
	}
	_, _, err = b.pass(ctx)
	return err
}

func (b *backup) switchOver(ctx context.Context) error {
	close(b.following.last)
	// The pass that runs copies less than the guest had written when it began, and cannot be cut: its bits would come back.
	stop := context.AfterFunc(ctx, b.following.end)
	b.following.done.Wait()
	stop()
	b.following.end()
	err := b.following.err
	b.following = nil
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	_, done, err := b.pass(ctx)
	if err != nil {
		return err
	}
	b.mark(results.DiskCopyEnd, done, job{kind: "backup", pass: b.passes})
	return b.release(ctx)
}

func (b *backup) abandon(ctx context.Context) {
	if f := b.following; f != nil {
		f.end()
		f.done.Wait()
		b.following = nil
	}
	b.tearDown(ctx, b.running)
}

// blockNode is the part of QAPI BlockDeviceInfo (query-named-block-nodes) that virtscope reads.
type blockNode struct {
	Name    *string `json:"node-name"`
	Bitmaps []struct {
		Name  *string `json:"name"`
		Count *int64  `json:"count"` // B
	} `json:"dirty-bitmaps"`
}

// dirty is what the guest has written since the last pass began, in B, by the bitmap's granularity.
func (b *backup) dirty(ctx context.Context) (int64, error) {
	var nodes []blockNode
	if err := b.src.mon.Execute(ctx, "query-named-block-nodes", map[string]bool{"flat": true}, &nodes); err != nil {
		return 0, failedCopy("ask what is dirty", err)
	}
	i := slices.IndexFunc(nodes, func(n blockNode) bool { return n.Name != nil && *n.Name == diskNode })
	if i >= 0 {
		for _, m := range nodes[i].Bitmaps {
			if m.Name != nil && *m.Name == diskBitmap && m.Count != nil {
				return *m.Count, nil
			}
		}
	}
	return 0, failedCopy("ask what is dirty", fmt.Errorf("the disk has no bitmap %s: it was not tracked since the guest booted on %s", diskBitmap, b.src.host.Name()))
}
