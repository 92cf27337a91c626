package qemu

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"
)

const (
	diskSize = 64 << 20
	diskWait = 3 * time.Minute // other work may have the processors
)

// A diskBench is a guest with a disk that is written to.
type diskBench struct {
	*testing.T
	bed  *testbed.Testbed
	spec guest.Spec
	log  *guesttest.Log
	i    *instance
}

// newDiskBench boots a guest. Change may be nil.
func newDiskBench(t *testing.T, change func(*guest.Spec)) *diskBench {
	t.Helper()
	if testing.Short() {
		t.Skip("needs minutes: real guests (leave out -short)")
	}
	binary := DefaultBinary
	if _, err := image.FindKernel(""); err != nil {
		t.Skipf("needs a guest kernel: %v", err)
	}
	if _, err := exec.LookPath(binary); err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
	bed, s := guesttest.NewBed(t), guesttest.NewSpec(t)
	img, err := builtImage()
	if err != nil {
		t.Fatal(err)
	}
	s.Memory, s.VCPUs, s.Accel = 128<<20, 1, accelAuto
	s.Kernel, s.Initrd = img.Kernel, img.Initrd
	s.Append = image.Append + " " + image.AddressParam + "=" + s.NIC.Address
	dir := t.TempDir()
	s.Disk = &guest.Disk{Size: diskSize, Format: image.Raw, Paths: map[string]string{}}
	for _, h := range []string{testbed.Source, testbed.Destination} {
		s.Disk.Paths[h] = filepath.Join(dir, h+".img")
	}
	if change != nil {
		change(&s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), diskWait)
	defer cancel()
	src := s.Disk.Paths[testbed.Source]
	if err := image.MakeDisk(ctx, src, diskSize, 0.5, s.Disk.Format, 1); err != nil {
		t.Fatal(err)
	}
	if s.Disk.Track {
		if err := image.CopyDisk(ctx, src, s.Disk.Paths[testbed.Destination]); err != nil {
			t.Fatal(err)
		}
	}
	b := &diskBench{T: t, bed: bed, spec: s, log: new(guesttest.Log)}
	i, err := New().Boot(ctx, bed.Source(), s, b.log)
	if err != nil {
		t.Fatal(err)
	}
	b.i = i.(*instance)
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := b.i.agent.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *diskBench) options(to *host.Netns, change func(*guest.MigrateOptions)) guest.MigrateOptions {
	o := migrateOptions()
	o.Timeout = diskWait
	o.Address, o.Port, o.DiskPort, o.DiskCopy = b.bed.MigrationAddr(to.Name()).String(), 49152, 49252, copyMirror
	if change != nil {
		change(&o)
	}
	return o
}

// io runs a qemu-io command on the disk in the QEMU where the guest runs.
func (b *diskBench) io(ctx context.Context, command string) error {
	var said string
	err := b.i.running().mon.Execute(ctx, "human-monitor-command", map[string]string{"command-line": "qemu-io -d /machine/peripheral/" + diskDevice + "/virtio-backend \"" + command + "\""}, &said)
	if err == nil && said != "" && !strings.HasPrefix(said, "wrote") {
		return fmt.Errorf("%s: %s", command, said)
	}
	return err
}

// A pattern is what was written last to each 64 KiB of the disk; 0 is what was there at boot.
type pattern [diskSize >> 16]byte

// write writes to the disk until ctx is done, and says what.
func (b *diskBench) write(ctx context.Context) *pattern {
	p := new(pattern)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; ctx.Err() == nil; n++ {
		at, v := rng.IntN(len(p)), byte(n%255+1)
		if err := b.io(b.Context(), fmt.Sprintf("write -P %d %dk 64k", v, at*64)); err != nil {
			if ctx.Err() == nil {
				b.Errorf("write %d: %v", n, err)
			}
			return p
		}
		p[at] = v
		time.Sleep(20 * time.Millisecond)
	}
	return p
}

// A writing copy is one during which the disk is written: before it, while it runs, and a while after it is ready. It ends
// before the memory moves, because a command's write, unlike the guest's, does not stop with the guest.
type writing struct {
	diskCopy // nil: there is none
	b        *diskBench
	wrote    *pattern
}

func (w *writing) run(ctx context.Context) error {
	going, stop := context.WithCancel(ctx)
	defer stop()
	wrote := make(chan *pattern)
	go func() { wrote <- w.b.write(going) }()
	time.Sleep(200 * time.Millisecond)
	var err error
	if w.diskCopy != nil {
		err = w.diskCopy.run(ctx)
	}
	time.Sleep(400 * time.Millisecond)
	stop()
	w.wrote = <-wrote
	return err
}

// migrate moves the guest while its disk is written.
func (b *diskBench) migrate(to *host.Netns, o guest.MigrateOptions) (*pattern, error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), diskWait)
	defer cancel()
	ready, err := b.i.PrepareMigration(ctx, to, o)
	if err != nil {
		return nil, err
	}
	m := ready.(*migration)
	w := &writing{diskCopy: m.disk, b: b}
	if m.disk == nil {
		err = w.run(ctx)
	} else {
		m.disk = w
	}
	err = errors.Join(err, m.Run(ctx))
	return w.wrote, err
}

// holds checks that the disk is the one that was made, with what was written.
func (b *diskBench) holds(path string, p *pattern) {
	b.Helper()
	want := filepath.Join(b.TempDir(), "want")
	if err := image.MakeDisk(b.Context(), want, diskSize, 0.5, image.Raw, 1); err != nil {
		b.Fatal(err)
	}
	f, err := os.OpenFile(want, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	chunk, written := make([]byte, 64<<10), 0
	for n, v := range p {
		if v == 0 {
			continue
		}
		written++
		for i := range chunk {
			chunk[i] = v
		}
		if _, err := f.WriteAt(chunk, int64(n)<<16); err != nil {
			b.Fatal(err)
		}
	}
	if written < 3 {
		b.Errorf("only %d writes were made: the test shows little", written)
	}
	if b.spec.Disk.Format == image.QCOW2 {
		raw := want + ".qcow2"
		if out, err := exec.CommandContext(b.Context(), "qemu-img", "convert", "-O", "qcow2", want, raw).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		want = raw
	}
	d, err := image.VerifyDisks(b.Context(), want, path, b.spec.Disk.Format)
	if err != nil || d.Differs > 0 {
		b.Errorf("%s is not the disk that was written: %+v, %v", path, d, err)
		return
	}
	b.Logf("%s holds what was written in %d places", filepath.Base(path), written)
	if d.Compared != diskSize {
		b.Errorf("compared %d B", d.Compared)
	}
}

// order checks what was recorded of a copy.
func (b *diskBench) order(kind string) {
	b.Helper()
	first := func(name string) int64 {
		list := b.log.Named(name)
		if len(list) == 0 {
			b.Errorf("no record %s", name)
			return 0
		}
		if list[0].Attrs["job"] != kind {
			b.Errorf("%s has attrs %v", name, list[0].Attrs)
		}
		return list[0].Time
	}
	begin, ready, end := first(results.DiskCopyBegin), first(results.DiskCopyReady), first(results.DiskCopyEnd)
	stop := b.log.Named(results.VMStop)
	resume := b.log.Named(results.VMResume)
	if len(stop) == 0 || len(resume) == 0 {
		b.Fatal("the guest did not move")
	}
	if s, r := stop[len(stop)-1].Time, resume[len(resume)-1].Time; begin >= ready || ready >= s || s >= end || end >= r {
		b.Errorf("copy %d, ready %d, stop %d, copied %d, resume %d: not in order", begin, ready, s, end, r)
	}
	copied, length := b.log.Named(results.DiskCopied), b.log.Named(results.DiskToCopy)
	if len(copied) == 0 || len(copied) != len(length) || copied[len(copied)-1].Value != length[len(length)-1].Value {
		b.Errorf("copied %v of %v", copied, length)
	}
}

func (b *diskBench) check() {
	b.Helper()
	if err := b.i.CheckDisk(b.Context()); err != nil {
		b.Error(err)
	}
}

// eachQEMU runs a part on the installed QEMU and on the old one that the compatibility tests use.
func eachQEMU(t *testing.T, part func(t *testing.T, binary string)) {
	t.Run("installed", func(t *testing.T) { part(t, DefaultBinary) })
	t.Run("7.2", func(t *testing.T) {
		old, err := filepath.Abs("../../../.cache/qemu-7.2/usr/bin/qemu-system-x86_64")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(old); err != nil {
			t.Skip("needs QEMU 7.2 (make deps-test):", err)
		}
		part(t, old)
	})
}

func TestMirror(t *testing.T) {
	eachQEMU(t, func(t *testing.T, binary string) {
		for _, writes := range []string{writesBackground, writesBlocking} {
			t.Run(writes, func(t *testing.T) {
				b := newDiskBench(t, func(s *guest.Spec) { s.Binary = binary })
				p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), func(o *guest.MigrateOptions) { o.DiskWrites = writes }))
				if err != nil {
					t.Fatal(err)
				}
				b.order("mirror")
				b.check()
				b.holds(b.spec.Disk.Paths[testbed.Destination], p)
				if d := b.log.Named(results.DiskCompared); len(d) != 1 || d[0].Value != diskSize {
					t.Errorf("compared %v", d)
				}
			})
		}
	})
}

func TestIncremental(t *testing.T) {
	eachQEMU(t, func(t *testing.T, binary string) {
		b := newDiskBench(t, func(s *guest.Spec) { s.Disk.Track, s.Binary = true, binary })
		p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), func(o *guest.MigrateOptions) { o.DiskCopy = copyIncremental }))
		if err != nil {
			t.Fatal(err)
		}
		b.order("backup")
		b.check()
		b.holds(b.spec.Disk.Paths[testbed.Destination], p)
		var copied float64
		for _, r := range b.log.Named(results.DiskCopied) {
			copied = max(copied, r.Value)
		}
		if copied == 0 || copied > diskSize/4 {
			t.Errorf("a pass copied %.0f B, of a disk of which little was written", copied)
		}
	})
}

func TestSharedDisk(t *testing.T) {
	eachQEMU(t, func(t *testing.T, binary string) {
		b := newDiskBench(t, func(s *guest.Spec) {
			s.Disk.Shared, s.Binary = true, binary
			s.Disk.Paths[testbed.Destination] = s.Disk.Paths[testbed.Source]
		})
		p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), nil))
		if err != nil {
			t.Fatal(err)
		}
		b.holds(b.spec.Disk.Paths[testbed.Destination], p)
		// The destination owns the file now.
		if err := b.io(t.Context(), "write -P 9 0 64k"); err != nil {
			t.Error(err)
		}
		b.check()
		if n := len(b.log.Named(results.DiskCopyBegin)); n != 0 {
			t.Errorf("%d copies of a disk that is shared", n)
		}
	})
}

// A copy that is given up leaves the guest with its disk, and another migration possible.
func TestDiskCopyGivenUp(t *testing.T) {
	b := newDiskBench(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	o := b.options(b.bed.Destination(), func(o *guest.MigrateOptions) { o.DiskBandwidth = 1 << 20 })
	m, err := b.i.PrepareMigration(ctx, b.bed.Destination(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want that of the context", err)
	}
	if b.i.Host().Name() != testbed.Source {
		t.Errorf("the guest is on %s", b.i.Host().Name())
	}
	p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), nil))
	if err != nil {
		t.Fatal(err)
	}
	b.check()
	b.holds(b.spec.Disk.Paths[testbed.Destination], p)
}

// In post-copy the switch-over comes early, and the disk with it.
func TestMirrorWithPostCopy(t *testing.T) {
	b := newDiskBench(t, nil)
	p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), func(o *guest.MigrateOptions) { o.Algorithm = guest.PostCopy }))
	if err != nil {
		t.Fatal(err)
	}
	b.order("mirror")
	b.check()
	b.holds(b.spec.Disk.Paths[testbed.Destination], p)
}

// There and back: what the guest writes at the destination is its own, and what anyone else writes is a corruption.
func TestCheckDisk(t *testing.T) {
	b := newDiskBench(t, nil)
	if err := b.i.CheckDisk(t.Context()); err != nil || len(b.log.Named(results.DiskCompared)) > 0 {
		t.Fatalf("a guest that did not migrate is checked: %v", err)
	}
	p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), nil))
	if err != nil {
		t.Fatal(err)
	}
	b.check()
	if err := b.io(t.Context(), "aio_write -P 77 3M 128k"); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		p[3<<4+n] = 77
	}
	b.check()
	written := b.log.Named(results.DiskWritten)
	if len(written) != 2 || written[0].Value != 0 || written[1].Value != 128<<10 {
		t.Errorf("the guest wrote %v", written)
	}
	again, err := b.migrate(b.bed.Source(), b.options(b.bed.Source(), func(o *guest.MigrateOptions) { o.Port++ }))
	if err != nil {
		t.Fatal(err)
	}
	for n, v := range again {
		if v > 0 {
			p[n] = v
		}
	}
	b.check()
	b.holds(b.spec.Disk.Paths[testbed.Source], p)

	// The guest writes much, at one place; what is wrong at another is found all the same.
	for range 2 {
		if err := b.io(t.Context(), "aio_write -P 78 8M 1M"); err != nil {
			t.Fatal(err)
		}
	}
	b.check()
	if outside := b.log.Named(results.DiskOutside); len(outside) != 4 || outside[3].Value != 0 {
		t.Errorf("where the guest wrote nothing, %v differ", outside)
	}
	f, err := os.OpenFile(b.spec.Disk.Paths[testbed.Source], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 50<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var outcome *guest.OutcomeError
	if err := b.i.CheckDisk(t.Context()); !errors.As(err, &outcome) || !strings.Contains(err.Error(), "52428800") {
		t.Errorf("error %v, want one that names the byte", err)
	}
}

func TestDestinationEndsWhileTheDiskIsCopied(t *testing.T) {
	b := newDiskBench(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), diskWait)
	defer cancel()
	m, err := b.i.PrepareMigration(ctx, b.bed.Destination(), b.options(b.bed.Destination(), func(o *guest.MigrateOptions) { o.DiskBandwidth = 1 << 20 }))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.i.Processes() {
		if p.Host == testbed.Destination {
			time.AfterFunc(time.Second, func() { _ = syscall.Kill(p.PID, syscall.SIGKILL) })
		}
	}
	var outcome *guest.OutcomeError
	if err := m.Run(ctx); !errors.As(err, &outcome) {
		t.Errorf("error %v, want an outcome", err)
	} else {
		t.Log(err)
	}
	if _, err := b.i.agent.Hello(ctx); err != nil || b.i.Host().Name() != testbed.Source {
		t.Errorf("the guest does not live on at its source: %v", err)
	}
	if err := b.io(ctx, "write -P 1 0 64k"); err != nil {
		t.Error(err)
	}
}

func TestMirrorQCOW2(t *testing.T) {
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("needs qemu-img (apt-get install qemu-utils):", err)
	}
	for _, how := range []string{copyMirror, copyIncremental} {
		t.Run(how, func(t *testing.T) {
			b := newDiskBench(t, func(s *guest.Spec) { s.Disk.Format, s.Disk.Track = image.QCOW2, how == copyIncremental })
			p, err := b.migrate(b.bed.Destination(), b.options(b.bed.Destination(), func(o *guest.MigrateOptions) { o.DiskCopy = how }))
			if err != nil {
				t.Fatal(err)
			}
			b.check()
			if err := b.i.Close(); err != nil {
				t.Error(err)
			}
			b.holds(b.spec.Disk.Paths[testbed.Destination], p)
		})
	}
}
