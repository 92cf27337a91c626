package qemu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

// A savedBench is a guest whose disk is saved while it is written to.
type savedBench struct {
	*diskBench
	rng *rand.Rand
}

// scribble writes to some places of the disk, zeroes to others. The guest need not run for it.
func (b *savedBench) scribble(n int) {
	for range n {
		at := b.rng.IntN(diskSize>>16) * 64
		command := fmt.Sprintf("write -P %d %dk 64k", b.rng.IntN(255)+1, at)
		if b.rng.IntN(4) == 0 {
			command = fmt.Sprintf("write -z %dk 64k", at)
		}
		if err := b.io(b.Context(), command); err != nil {
			b.Error(err)
			return
		}
	}
}

// now is a copy of the disk as it is.
func (b *savedBench) now(name string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	if err := image.CopyDisk(b.Context(), b.spec.Disk.Paths[testbed.Source], path); err != nil {
		b.Fatal(err)
	}
	return path
}

// save saves the guest, which is written to as soon as it runs on, and holds the disk's copy against the disk before.
func (b *savedBench) save(name string, o guest.SaveOptions, parent string) string {
	b.Helper()
	dir := b.TempDir()
	before := b.now("before")
	o.Disk = filepath.Join(dir, name+".qcow2")
	o.Stream, _ = keepStream(b.T, filepath.Join(dir, "stream"))
	b.log.Clear()
	ctx, done := context.WithCancel(b.Context())
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for len(b.log.Named(results.VMResume)) == 0 && ctx.Err() == nil {
			time.Sleep(100 * time.Microsecond)
		}
		b.scribble(20)
	}()
	saved, err := b.i.Save(b.Context(), o)
	done()
	<-wrote
	if err != nil {
		b.Fatal(err)
	}
	if parent != "" {
		b.img("rebase", "-u", "-f", "qcow2", "-b", parent, "-F", "qcow2", o.Disk)
	}
	b.img("check", "-q", o.Disk)
	raw := filepath.Join(dir, "raw")
	b.img("convert", "-f", "qcow2", "-O", "raw", o.Disk, raw)
	d, err := image.VerifyDisks(b.Context(), before, raw, image.Raw)
	if err != nil {
		b.Fatal(err)
	}
	if d.Differs != 0 {
		b.Errorf("%s: %+v differ from the disk when the guest was stopped", name, d)
	}
	at := func(name string) int64 {
		all := b.log.Named(name)
		if len(all) != 1 {
			b.Fatalf("records %s: %v", name, all)
		}
		return all[0].Time
	}
	stop, disk, diskDone, resume := at(results.VMStop), at(results.CheckpointDisk), at(results.CheckpointDiskDone), at(results.VMResume)
	if disk < stop || disk > resume {
		b.Errorf("the copy begins at %d, the guest stands still from %d to %d", disk, stop, resume)
	}
	b.Logf("%s: %+v, stood still %s, the disk took %s", name, saved, time.Duration(resume-stop), time.Duration(diskDone-disk))
	return o.Disk
}

func (b *savedBench) img(args ...string) {
	b.Helper()
	if out, err := exec.CommandContext(b.Context(), "qemu-img", args...).CombinedOutput(); err != nil {
		b.Fatalf("qemu-img %q: %v: %s", args, err, out)
	}
}

func testSaveDisk(t *testing.T, change func(*guest.Spec)) {
	b := &savedBench{newDiskBench(t, change), rand.New(rand.NewPCG(3, 4))}
	stop, live := guest.SaveOptions{Format: guest.FormatStream}, guest.SaveOptions{Format: guest.FormatStream, Live: true}
	increment := func(o guest.SaveOptions) guest.SaveOptions { o.Incremental = true; return o }
	if _, err := b.i.Save(t.Context(), guest.SaveOptions{Format: guest.FormatStream, Stream: "unix:/nowhere", Disk: filepath.Join(t.TempDir(), "d"), Incremental: true}); err == nil {
		t.Error("an increment is saved without a full copy before it")
	}
	b.nothing("")
	full := b.save("full", stop, "")
	b.scribble(10)
	first := b.save("first", increment(stop), full)
	b.scribble(10)
	// One that fails is none: the next increment holds what it would have held.
	o := increment(stop)
	o.Stream, o.Disk = "unix:/nowhere/s", filepath.Join(t.TempDir(), "failed")
	if _, err := b.i.Save(t.Context(), o); err == nil {
		t.Error("a save to nowhere succeeds")
	}
	b.nothing(b.i.running().saves.bitmap)
	b.scribble(10)
	second := b.save("second", increment(live), first)
	b.save("third", increment(stop), second)
	b.save("anew", live, "")
	b.nothing(b.i.running().saves.bitmap)
}

// TestSaveDisk saves a disk that is written to, whole and in increments, and holds each against the disk of that moment.
func TestSaveDisk(t *testing.T) { testSaveDisk(t, nil) }

// TestSaveDiskOld does so with a QEMU that copies the disk while the guest stands still.
func TestSaveDiskOld(t *testing.T) {
	needReal(t)
	old := needOld(t)
	testSaveDisk(t, func(s *guest.Spec) { s.Binary = old })
}

// nothing fails if something is left of a save, or the guest does not run.
func (b *savedBench) nothing(bitmap string) {
	b.Helper()
	left(b.T, b.i.running(), bitmap)
}

func left(t *testing.T, vm *machine, bitmap string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if status, err := (&migration{src: vm}).runState(ctx); err != nil || status != "running" {
		t.Errorf("the guest is %s, %v", status, err)
	}
	var jobs []any
	if err := vm.mon.Execute(ctx, "query-jobs", nil, &jobs); err != nil || len(jobs) > 0 {
		t.Errorf("jobs %v, %v", jobs, err)
	}
	var nodes []blockNode
	if err := vm.mon.Execute(ctx, "query-named-block-nodes", map[string]bool{"flat": true}, &nodes); err != nil {
		t.Error(err)
	}
	for _, n := range nodes {
		if *n.Name != diskNode && *n.Name != diskFile && *n.Name != "root0" {
			t.Errorf("node %s is left", *n.Name)
		}
		for _, m := range n.Bitmaps {
			if *m.Name != bitmap {
				t.Errorf("bitmap %s is left, not %q", *m.Name, bitmap)
			}
		}
	}
	var capabilities []capability
	if err := vm.mon.Execute(ctx, "query-migrate-capabilities", nil, &capabilities); err != nil {
		t.Error(err)
	}
	for _, c := range capabilities {
		if c.State && c.Name != "x-multifd-flush" {
			t.Errorf("capability %s is left on", c.Name)
		}
	}
	var parameters struct {
		Bandwidth int64 `json:"max-bandwidth"`
	}
	if err := vm.mon.Execute(ctx, "query-migrate-parameters", nil, &parameters); err != nil || parameters.Bandwidth != 128<<20 {
		t.Errorf("max-bandwidth is left at %d, %v", parameters.Bandwidth, err)
	}
}
