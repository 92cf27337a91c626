package qemu

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

var _ guest.DiskChecker = (*instance)(nil)

// writes is what a guest did to its disk since its QEMU started.
type writes struct {
	bytes, operations int64 // discards included; a discard's length counts as bytes
}

// blockStats is the part of QAPI BlockStats (qapi/block-core.json, query-blockstats) that virtscope reads.
type blockStats struct {
	Node  *string `json:"node-name"`
	Stats struct {
		WriteBytes   *int64 `json:"wr_bytes"`
		Writes       *int64 `json:"wr_operations"`
		FailedWrites *int64 `json:"failed_wr_operations"`
		UnmapBytes   *int64 `json:"unmap_bytes"`
		Unmaps       *int64 `json:"unmap_operations"`
	} `json:"stats"`
}

// guestWrites asks what the guest's device did. What else writes the disk, such as an NBD export, is not in it: it is
// counted by QEMU at a block backend of its own.
func guestWrites(ctx context.Context, mon *Monitor) (writes, error) {
	var list []blockStats
	if err := mon.Execute(ctx, "query-blockstats", nil, &list); err != nil {
		return writes{}, err
	}
	i := slices.IndexFunc(list, func(b blockStats) bool { return b.Node != nil && *b.Node == diskNode })
	if i < 0 {
		return writes{}, fmt.Errorf("query-blockstats lists no device with node %s", diskNode)
	}
	s := list[i].Stats
	if s.WriteBytes == nil || s.Writes == nil {
		return writes{}, fmt.Errorf("query-blockstats does not count what was written to %s", diskNode)
	}
	w := writes{*s.WriteBytes, *s.Writes}
	if s.Unmaps != nil && s.UnmapBytes != nil {
		w.bytes, w.operations = w.bytes+*s.UnmapBytes, w.operations+*s.Unmaps
	}
	if s.FailedWrites != nil && *s.FailedWrites > 0 {
		return w, fmt.Errorf("%d writes of the guest to its disk failed", *s.FailedWrites)
	}
	return w, nil
}

// CheckDisk implements guest.DiskChecker.
//
// The source's image is the disk at the switch-over: its QEMU gave it up before the guest ran at the destination. The
// destination's is that, and what the guest has written there since, which QEMU counts.
func (i *instance) CheckDisk(ctx context.Context) error {
	here, before := i.whence()
	if !movesDisk(i.spec) || before == nil {
		return nil
	}
	// Qcow2 keeps its tables in memory until a flush.
	if err := flushDisk(ctx, here.mon); err != nil {
		return fmt.Errorf("check the disk on %s: %w", here.host.Name(), err)
	}
	paths := i.spec.Disk.Paths
	d, err := image.VerifyDisks(ctx, paths[before.host.Name()], paths[here.host.Name()], diskFormat(i.spec.Disk))
	if err != nil {
		return fmt.Errorf("check the disk on %s: %w", here.host.Name(), err)
	}
	written, err := guestWrites(ctx, here.mon) // after the comparison: no write that it met is missing
	if err != nil {
		return fmt.Errorf("check the disk on %s: %w", here.host.Name(), err)
	}
	r := results.Record{Time: time.Now().UnixNano(), Host: here.host.Name(), Source: results.SourceQMP, Unit: results.Bytes}
	for name, v := range map[string]int64{results.DiskCompared: d.Compared, results.DiskDiffers: d.Differs, results.DiskWritten: written.bytes} {
		r.Name, r.Value, r.Attrs = name, float64(v), nil
		if name == results.DiskDiffers && d.First >= 0 {
			r.Attrs = map[string]string{"first": strconv.FormatInt(d.First, 10)}
		}
		i.rec.Record(r)
	}
	if d.Differs > written.bytes {
		return &guest.OutcomeError{Reason: fmt.Sprintf(
			"the disk was corrupted: %d B of it differ from the source's, the first at byte %d, and the guest wrote only %d B since the switch-over",
			d.Differs, d.First, written.bytes)}
	}
	return nil
}

// whence is the QEMU in which the guest runs and the one from which it came there; nil if it did not migrate.
func (i *instance) whence() (here, before *machine) {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.Index(i.all, i.current)
	for n := at - 1; n >= 0; n-- {
		if i.all[n].host.Name() != i.current.host.Name() {
			return i.current, i.all[n]
		}
	}
	return i.current, nil
}

// flushDisk makes the image hold what QEMU knows of the disk.
func flushDisk(ctx context.Context, mon *Monitor) error {
	var said string
	err := mon.Execute(ctx, "human-monitor-command", map[string]string{"command-line": "qemu-io " + diskNode + " flush"}, &said)
	if err == nil && said != "" {
		return fmt.Errorf("flush %s: %s", diskNode, said)
	}
	return err
}
