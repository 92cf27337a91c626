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
// destination's is that, and what the guest has written there since: QEMU counts it, and notes where (see outside). It cannot
// see what is wrong where the guest has written, nor, if the guest writes while it is checked, as many wrong bytes as it wrote.
func (i *instance) CheckDisk(ctx context.Context) error {
	here, before := i.whence()
	if !movesDisk(i.spec) || before == nil {
		return nil
	}
	c, err := i.compareDisks(ctx, here, before)
	if err != nil {
		return fmt.Errorf("check the disk on %s: %w", here.host.Name(), err)
	}
	c.record(i.rec, here.host.Name())
	return c.verdict()
}

// A diskComparison is what CheckDisk found.
type diskComparison struct {
	all     image.DiskDifference
	outside *image.DiskDifference // of what the guest wrote; nil if that is not known
	written int64                 // B
}

func (i *instance) compareDisks(ctx context.Context, here, before *machine) (c diskComparison, err error) {
	// Qcow2 keeps its tables in memory until a flush.
	if err := flushDisk(ctx, here.mon); err != nil {
		return c, err
	}
	source, destination, format := i.spec.Disk.Paths[before.host.Name()], i.spec.Disk.Paths[here.host.Name()], diskFormat(i.spec.Disk)
	first, err := guestWrites(ctx, here.mon)
	if err != nil {
		return c, err
	}
	if c.all, err = image.VerifyDisks(ctx, source, destination, format); err != nil {
		return c, err
	}
	none := c.all // where nothing differs, or nothing was written, there is no need to ask where
	if c.outside = &none; c.all.Differs > 0 && first.operations > 0 {
		d, err := outside(ctx, here, source, destination, format)
		if err != nil {
			return c, err
		}
		c.outside = &d
	}
	last, err := guestWrites(ctx, here.mon) // after the comparison: no write that it met is missing
	if err != nil {
		return c, err
	}
	if c.written = last.bytes; last != first {
		c.outside = nil
	}
	return c, nil
}

func (c diskComparison) record(rec results.Recorder, host string) {
	at := time.Now().UnixNano()
	record := func(name string, v, first int64) {
		r := results.Record{Time: at, Host: host, Source: results.SourceQMP, Name: name, Value: float64(v), Unit: results.Bytes}
		if first >= 0 {
			r.Attrs = map[string]string{"first": strconv.FormatInt(first, 10)}
		}
		rec.Record(r)
	}
	record(results.DiskCompared, c.all.Compared, -1)
	record(results.DiskDiffers, c.all.Differs, c.all.First)
	record(results.DiskWritten, c.written, -1)
	if c.outside != nil {
		record(results.DiskOutside, c.outside.Differs, c.outside.First)
	}
}

func (c diskComparison) verdict() error {
	if o := c.outside; o != nil && o.Differs > 0 {
		return &guest.OutcomeError{Reason: fmt.Sprintf(
			"the disk was corrupted: %d B of it differ from the source's where the guest wrote nothing since the switch-over, the first at byte %d",
			o.Differs, o.First)}
	}
	if c.all.Differs > c.written {
		return &guest.OutcomeError{Reason: fmt.Sprintf(
			"the disk was corrupted: %d B of it differ from the source's, the first at byte %d, and the guest wrote only %d B since the switch-over",
			c.all.Differs, c.all.First, c.written)}
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
