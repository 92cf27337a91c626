package qemu

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"virtscope/testbed/guest"
)

// tinyFolder is a file system with almost no room.
func tinyFolder(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fickle listens, and gives each connection to f.
func fickle(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vs")
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done; _ = os.RemoveAll(dir) })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f(conn)
		}
	}()
	return "unix:" + dir + "/s"
}

// TestSaveThatFails makes saves fail in every way; the guest runs on each time with nothing left, and can be saved.
func TestSaveThatFails(t *testing.T) {
	t.Run("new", func(t *testing.T) { testSaveThatFails(t, nil) })
	t.Run("old", func(t *testing.T) {
		needReal(t)
		old := needOld(t)
		testSaveThatFails(t, func(s *guest.Spec) { s.Binary = old })
	})
}

func testSaveThatFails(t *testing.T, change func(*guest.Spec)) {
	tiny, shared := tinyFolder(t, "4m"), sharedFolder(t)
	b := newDiskBench(t, func(s *guest.Spec) {
		s.Start.MemoryFile = shared + "/guest"
		if change != nil {
			change(s)
		}
	})
	closes := fickle(t, func(conn net.Conn) { _, _ = io.CopyN(io.Discard, conn, 1<<20); _ = conn.Close() })
	release := make(chan struct{})
	hangs := fickle(t, func(conn net.Conn) { <-release; _ = conn.Close() })
	defer close(release)
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	for _, c := range []struct {
		name    string
		options guest.SaveOptions
		within  time.Duration // 0: no deadline
		cancel  bool
		later   bool // QEMU 9.0 and newer
		outcome bool
	}{
		{name: "reader closes", options: guest.SaveOptions{Format: guest.FormatStream, Stream: closes, Disk: disk}, outcome: true},
		{name: "reader closes, live", options: guest.SaveOptions{Format: guest.FormatStream, Stream: closes, Live: true}, outcome: true},
		{name: "reader closes, live with disk", options: guest.SaveOptions{Format: guest.FormatStream, Stream: closes, Live: true, Disk: disk}, outcome: true},
		{name: "no reader", options: guest.SaveOptions{Format: guest.FormatStream, Stream: "unix:/nowhere/s", Disk: disk}, outcome: true},
		{name: "deadline", options: guest.SaveOptions{Format: guest.FormatStream, Stream: hangs, Disk: disk}, within: time.Second, outcome: true},
		{name: "deadline, live", options: guest.SaveOptions{Format: guest.FormatStream, Stream: hangs, Live: true, Disk: disk}, within: time.Second, outcome: true},
		{name: "cancel", options: guest.SaveOptions{Format: guest.FormatStream, Stream: hangs}, within: time.Second, cancel: true},
		{name: "cancelled before", options: guest.SaveOptions{Format: guest.FormatStream, Stream: hangs, Disk: disk}, within: time.Nanosecond, cancel: true},
		{name: "no room for memory", options: guest.SaveOptions{Format: guest.FormatMappedRAM, Memory: tiny + "/m", Disk: disk}, later: true, outcome: true},
		{name: "no room for the copy", options: guest.SaveOptions{Format: guest.FormatMemoryFile, Memory: tiny + "/m", State: dir + "/state", Disk: disk}, outcome: true},
		{name: "no room for the disk", options: guest.SaveOptions{Format: guest.FormatMemoryFile, Memory: dir + "/m", State: dir + "/state", Disk: tiny + "/d"}, outcome: true},
		{name: "no room for the disk, live", options: guest.SaveOptions{Format: guest.FormatStream, Live: true, Disk: tiny + "/d"}, outcome: true},
		{name: "no folder", options: guest.SaveOptions{Format: guest.FormatMemoryFile, Memory: dir + "/m", State: dir + "/nowhere/state"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.options.Live && change != nil {
				t.Skip("QEMU 7.2 leaves the guest hanging in memory that waits to be written")
			}
			if c.options.Stream == "" && c.options.Format == guest.FormatStream {
				c.options.Stream, _ = keepStream(t, dir+"/stream")
			}
			ctx, cancel := context.WithCancel(t.Context())
			switch {
			case c.cancel:
				time.AfterFunc(c.within, cancel)
			case c.within > 0:
				ctx, cancel = context.WithTimeout(ctx, c.within)
			}
			defer cancel()
			began := time.Now()
			_, err := b.i.Save(ctx, c.options)
			t.Logf("%s: %v", time.Since(began).Round(time.Millisecond), err)
			var outcome *guest.OutcomeError
			var missing *guest.NotSupportedError
			switch {
			case c.later && change != nil:
				if !errors.As(err, &missing) {
					t.Errorf("error %v", err)
				}
			case err == nil || errors.As(err, &outcome) != c.outcome:
				t.Errorf("error %v", err)
			case c.cancel && !errors.Is(err, context.Canceled):
				t.Errorf("error %v", err)
			}
			left(t, b.i.running(), "")
			for _, name := range []string{"/m", "/d"} {
				_ = os.Remove(tiny + name)
			}
			answer, stop := context.WithTimeout(t.Context(), patience)
			defer stop()
			if _, err := b.i.agent.Hello(answer); err != nil {
				t.Error(err)
			}
		})
	}
	uri, wait := keepStream(t, dir+"/stream")
	saved, err := b.i.Save(t.Context(), guest.SaveOptions{Format: guest.FormatStream, Stream: uri, Disk: disk})
	const devices = 1 << 20 // B, more than they take: QEMU 7.2 does not count them
	if n := wait(); err != nil || n < saved.MemoryBytes || n > saved.MemoryBytes+devices {
		t.Errorf("saved %+v, %v", saved, err)
	}
}
