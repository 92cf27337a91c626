package qemu

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/image"
)

// The bytes of a console, as a reader stamped them that has nothing of the driver's: of each read, when it began to wait,
// when it had the bytes, and how many it had with them.
type reading struct {
	asked, arrived time.Time
	upTo           int
}

type independent struct {
	text     bytes.Buffer
	readings []reading
	done     chan struct{}
}

// listenTo makes a QEMU whose console goes to a FIFO too, by QEMU's own log of the character device, and reads that.
func listenTo(t *testing.T) (binary string, ind *independent) {
	t.Helper()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "console")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	real, err := exec.LookPath(DefaultBinary)
	if err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
	script := "#!/bin/bash\nexec " + real + " \"${@/#socket,id=console,/socket,id=console,logfile=" + strings.ReplaceAll(fifo, "/", `\/`) + ",}\"\n"
	binary = filepath.Join(dir, "qemu")
	if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	// Opened for writing too, so that opening does not wait for QEMU, and closed with it.
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	ind = &independent{done: make(chan struct{})}
	t.Cleanup(func() { f.Close(); <-ind.done })
	go func() {
		defer close(ind.done)
		buffer := make([]byte, 64<<10)
		for {
			asked := time.Now()
			n, err := f.Read(buffer)
			if err != nil {
				return
			}
			ind.text.Write(buffer[:n])
			ind.readings = append(ind.readings, reading{asked, time.Now(), ind.text.Len()})
		}
	}()
	return binary, ind
}

// of returns the reading in which the byte came, and the one before.
func (ind *independent) of(at int) (before, with reading) {
	i := slices.IndexFunc(ind.readings, func(r reading) bool { return r.upTo > at })
	if i > 0 {
		before = ind.readings[i-1]
	}
	return before, ind.readings[i]
}

// noise measures how late a goroutine gets a CPU here, until the test ends it.
func noise(t *testing.T) (worst func() time.Duration) {
	var most atomic.Int64
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				most.Store(max(most.Load(), int64(time.Since(last)-time.Millisecond)))
			}
		}
	}()
	return func() time.Duration { return time.Duration(most.Load()) }
}

// Every way in gives every edge, in order, and the stamps are those that an independent reader takes of the same bytes.
func TestStartIsSeen(t *testing.T) {
	needReal(t)
	for _, c := range []struct {
		machine, boot string
		prealloc      bool
	}{
		{"q35", guest.BootKernel, false},
		{"q35", guest.BootPVH, true},
		{machineMicroVM, guest.BootKernel, true},
		{machineMicroVM, guest.BootPVH, false},
	} {
		t.Run(c.machine+" "+c.boot, func(t *testing.T) {
			s := realSpec(t)
			if img, _ := builtImage(); c.machine == machineMicroVM && !slices.Contains(img.Modules, "virtio_mmio") {
				t.Skip("needs an initramfs with virtio_mmio")
			}
			if c.boot == guest.BootPVH {
				var err error
				if s.Kernel, err = image.Vmlinux(s.Kernel, imageDir); err != nil {
					t.Fatal(err)
				}
			}
			s.Machine, s.Start = c.machine, guest.Start{Boot: c.boot, Prealloc: c.prealloc, Observe: true}
			s.Append += ObserveAppend(c.machine, c.boot)
			binary, ind := listenTo(t)
			s.Binary = binary
			late := noise(t)
			edges := bootAndClose(t, s)

			log, err := os.ReadFile(s.LogDir + "/console-src-1.log")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(log, ind.text.Bytes()) {
				t.Errorf("the log has %d B, the independent reader read %d B: %q", len(log), ind.text.Len(), log)
			}
			at := 0
			for _, r := range edges.Named(results.BootConsole) {
				i := bytes.Index(log[at:], []byte(r.Attrs["text"]))
				if i < 0 {
					t.Fatalf("line %q is not in the log after byte %d", r.Attrs["text"], at)
				}
				at += i
				before, with := ind.of(at)
				ours := time.Unix(0, r.Time)
				t.Logf("%-40.40s driver %s, other reader %+.3f ms, which had waited for %.3f ms", r.Attrs["text"], ours.Format("05.000000"),
					with.arrived.Sub(ours).Seconds()*1e3, with.arrived.Sub(with.asked).Seconds()*1e3)
				// QEMU had written the byte before to the other reader, which it was still to wait for then.
				if ours.Before(before.asked.Round(0)) {
					t.Errorf("%q was stamped %s before it can have been written", r.Attrs["text"], before.asked.Sub(ours))
				}
				if bound := 2*late() + 100*time.Millisecond; ours.Sub(with.arrived) > bound {
					t.Errorf("%q was stamped %s after the other reader, where a goroutine waits %s for a CPU at most", r.Attrs["text"], ours.Sub(with.arrived), late())
				}
				at += len(r.Attrs["text"])
			}
		})
	}
}

// bootAndClose boots the guest, waits until it is ready, checks its edges' order and ends it.
func bootAndClose(t *testing.T, s guest.Spec) *guesttest.Log {
	t.Helper()
	bed, log := guesttest.NewBed(t), new(guesttest.Log)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	i, err := New().Boot(ctx, bed.Source(), s, log)
	if err != nil {
		t.Fatal(err)
	}
	_, helloErr := i.(guest.Agented).Agent().Hello(ctx)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if helloErr != nil {
		console, _ := os.ReadFile(s.LogDir + "/console-src-1.log")
		t.Fatalf("%v\n%s", helloErr, console)
	}
	inOrder(t, log, results.BootSpawn, results.BootFirmware, results.BootFirmwareEnd, results.BootKernel, results.BootInit, results.GuestReady)
	inOrder(t, log, results.BootSpawn, results.BootMonitor, results.GuestReady)
	return log
}

func inOrder(t *testing.T, log *guesttest.Log, names ...string) {
	t.Helper()
	var last, first results.Record
	for _, name := range names {
		all := log.Named(name)
		if name == results.BootInit {
			all = slices.DeleteFunc(all, func(r results.Record) bool { return r.Source != results.SourceConsole })
		}
		if len(all) != 1 {
			t.Errorf("%s: %d records", name, len(all))
			continue
		}
		if first.Time == 0 {
			first = all[0]
		}
		if all[0].Time < last.Time {
			t.Errorf("%s is %s before %s", name, time.Duration(last.Time-all[0].Time), last.Name)
		}
		last = all[0]
		t.Logf("%8.3f s %-18s %s", time.Duration(last.Time-first.Time).Seconds(), name, fmt.Sprint(last.Attrs))
	}
}
