package qemu

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// memoryDir is a new directory on a tmpfs.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "virtscope-test")
	if err != nil {
		t.Skipf("needs a tmpfs at /dev/shm: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// allocated is what the file takes of its file system, in B.
func allocated(t *testing.T, path string) int64 {
	t.Helper()
	var at syscall.Stat_t
	if err := syscall.Stat(path, &at); err != nil {
		t.Fatal(err)
	}
	return at.Blocks * 512
}

// A guest is made smaller and larger, stopped, let go on, given a vCPU and killed.
func TestResizePauseKill(t *testing.T) {
	needReal(t)
	if img, err := builtImage(); err != nil || !slices.Contains(img.Modules, "virtio_balloon") {
		t.Skipf("needs an initramfs with virtio_balloon: %v, %v", img.Modules, err)
	}
	const small = 112 << 20
	file := filepath.Join(memoryDir(t), "memory")
	tr := newTrip(t, func(s *guest.Spec) {
		s.Start = guest.Start{MemoryFile: file, Balloon: true, MaxVCPUs: 3, Prealloc: true}
	})
	i := tr.guest.(*instance)
	// The guest's own writes must not hide what the balloon gives back.
	if err := tr.agent().Reserve(tr.within(), agent.Memory{Bytes: 8 << 20, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	all := allocated(t, file)
	has, err := i.SetMemory(tr.within(), small)
	if err != nil || has != small {
		t.Fatalf("%d, %v", has, err)
	}
	after := allocated(t, file)
	t.Logf("memory file: %d B allocated, %d B after %d B were taken", all, after, i.spec.Memory-small)
	if given := all - after; given < (i.spec.Memory-small)*9/10 {
		t.Errorf("%d B were given back to the host, of %d B", given, i.spec.Memory-small)
	}
	if has, err = i.SetMemory(tr.within(), i.spec.Memory); err != nil || has != i.spec.Memory {
		t.Fatalf("%d, %v", has, err)
	}
	if got := tr.log.Named(results.GuestMemoryGiven); len(got) != 2 || got[0].Value != small || got[1].Attrs["asked"] != "167772160" {
		t.Errorf("%+v", got)
	}
	if v, err := tr.agent().Verify(tr.within()); err != nil || v.Corrupt != 0 || v.Verified < 8<<20 {
		t.Errorf("memory after the balloon: %+v, %v", v, err)
	}
	if _, err := i.SetMemory(tr.within(), i.spec.Memory+1); err == nil {
		t.Error("more memory than it has is no error")
	}

	if err := i.AddVCPUs(tr.within(), 3); err != nil {
		t.Fatal(err)
	}
	var cpus []any
	if err := i.running().mon.Execute(tr.within(), "query-cpus-fast", nil, &cpus); err != nil || len(cpus) != 3 {
		t.Errorf("%d vCPUs, %v", len(cpus), err)
	}
	if err := i.AddVCPUs(tr.within(), 4); err == nil {
		t.Error("more vCPUs than can be is no error")
	}

	tr.log.Clear()
	if err := i.Pause(tr.within()); err != nil {
		t.Fatal(err)
	}
	// A guest that stands still cannot follow.
	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if has, err := i.SetMemory(soon, small); !errors.Is(err, context.DeadlineExceeded) || has != i.spec.Memory {
		t.Errorf("%d, %v", has, err)
	}
	if err := i.Resume(tr.within()); err != nil {
		t.Fatal(err)
	}
	if err := i.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-i.Done():
	case <-time.After(patience):
		t.Fatal("a killed guest is not done")
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if stops, resumes := tr.log.Named(results.VMStop), tr.log.Named(results.VMResume); len(stops) != 1 || len(resumes) != 1 || stops[0].Time > resumes[0].Time {
		t.Errorf("stops %+v, resumes %+v", stops, resumes)
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the memory file is left: %v", err)
	}
}
