package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func newLocal(t *testing.T) *Local {
	t.Helper()
	l, err := NewLocal("here")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// play starts this test program in a mode and returns the first line that it prints.
func play(t *testing.T, h Host, mode string) (Process, string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Start(t.Context(), Cmd{Path: self, Env: []string{modeVar + "=" + mode}, Stdout: w, Stderr: os.Stderr})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%s said %q: %v", mode, line, err)
	}
	return p, strings.TrimSpace(line)
}

// alive says whether a process runs; a zombie does not.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestStartReportsExit(t *testing.T) {
	l := newLocal(t)
	var out, errOut bytes.Buffer
	p, err := l.Start(t.Context(), Cmd{
		Path: "env", Args: []string{"printenv", "WORD"}, Env: []string{"WORD=hello"}, Dir: t.TempDir(), Stdout: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() != nil || out.String() != "hello\n" {
		t.Errorf("err %v, output %q", p.Err(), out.String())
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err = l.Start(t.Context(), Cmd{Path: self, Env: []string{modeVar + "=fail"}, Stderr: &errOut})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	var exit *exec.ExitError
	if !errors.As(p.Err(), &exit) || exit.ExitCode() != 3 || errOut.String() != "no luck\n" {
		t.Errorf("err %v, stderr %q", p.Err(), errOut.String())
	}
	if err := errors.Join(p.Stop(t.Context()), p.Kill()); err != nil {
		t.Errorf("stopping what has ended: %v", err)
	}
	if _, err := l.Start(t.Context(), Cmd{Path: "no-such-program-at-all"}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("start of a missing program: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Start(ctx, Cmd{Path: "sleep", Args: []string{"60"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("start with a cancelled context: %v", err)
	}
}

func TestStdin(t *testing.T) {
	l := newLocal(t)
	var out bytes.Buffer
	p, err := l.Start(t.Context(), Cmd{Path: "cat", Stdin: strings.NewReader("over\n"), Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() != nil || out.String() != "over\n" {
		t.Errorf("err %v, output %q", p.Err(), out.String())
	}
}

func TestStopEscalates(t *testing.T) {
	l := newLocal(t)
	p, _ := play(t, l, "deaf")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if p.Err() == nil || p.Err().Error() != "signal: killed" {
		t.Errorf("ended with %v, want SIGKILL", p.Err())
	}
	q, err := l.Start(t.Context(), Cmd{Path: "sleep", Args: []string{"60"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q.Err() == nil || q.Err().Error() != "signal: terminated" {
		t.Errorf("ended with %v, want SIGTERM", q.Err())
	}
}

func TestConcurrentStop(t *testing.T) {
	l := newLocal(t)
	p, _ := play(t, l, "deaf")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
			defer cancel()
			if err := p.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestGroupEndsWithItsLeader(t *testing.T) {
	l := newLocal(t)
	p, child := play(t, l, "orphan")
	<-p.Done()
	eventually(t, "child of an ended leader is gone", func() bool { return !alive(t, child) })

	p, child = play(t, l, "parent")
	if !alive(t, child) {
		t.Fatal("child does not live")
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "child of a killed leader is gone", func() bool { return !alive(t, child) })
}

func TestCloseKillsAll(t *testing.T) {
	l, err := NewLocal("here")
	if err != nil {
		t.Fatal(err)
	}
	p, child := play(t, l, "parent")
	q, _ := play(t, l, "deaf")
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []Process{p, q} {
		select {
		case <-p.Done():
		default:
			t.Errorf("process %d was not reaped by Close", p.PID())
		}
	}
	eventually(t, "grandchild is gone", func() bool { return !alive(t, child) })
	if _, err := l.Start(t.Context(), Cmd{Path: "true"}); !errors.Is(err, errClosed) {
		t.Errorf("start after close: %v", err)
	}
	if err := l.Do(func() error { return nil }); !errors.Is(err, errClosed) {
		t.Errorf("do after close: %v", err)
	}
}

// The kernel must kill the children when the program is killed, though not when some thread of it ends.
func TestChildrenDieWithTheProgram(t *testing.T) {
	l := newLocal(t)
	controller, pid := play(t, l, "controller")
	if !alive(t, pid) {
		t.Fatal("child does not live")
	}
	if err := syscall.Kill(controller.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "child died with the program", func() bool { return !alive(t, pid) })
}

func TestChildrenOutliveTheThreadOfTheirCaller(t *testing.T) {
	l := newLocal(t)
	var p Process
	err := l.Do(func() (err error) { // this thread ends with the function
		p, err = l.Start(t.Context(), Cmd{Path: "sleep", Args: []string{"60"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // end many threads
		if err := l.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(20 * time.Millisecond)
	if !alive(t, strconv.Itoa(p.PID())) {
		t.Error("process died with a thread that did not fork it")
	}
}

func TestDo(t *testing.T) {
	l := newLocal(t)
	boom := errors.New("boom")
	if err := l.Do(func() error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if err := l.Do(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("no error from a function that exits its goroutine")
	}
	slow := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- l.Do(func() error { <-slow; return nil }) }()
	if err := l.Do(func() error { return nil }); err != nil { // must not wait for the slow one
		t.Error(err)
	}
	close(slow)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPutAndGet(t *testing.T) {
	l := newLocal(t)
	dir := t.TempDir()
	from, there, back := filepath.Join(dir, "from"), filepath.Join(dir, "there"), filepath.Join(dir, "back")
	content := bytes.Repeat([]byte("0123456789abcdef"), copyStep/16+1000)
	if err := os.WriteFile(from, content, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(there, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Put(t.Context(), from, there), l.Get(t.Context(), there, back)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(back)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("content differs: %d B, %v", len(got), err)
	}
	if info, err := os.Stat(back); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"cancelled":  l.Put(ctx, from, there),
		"missing":    l.Put(t.Context(), filepath.Join(dir, "nothing"), there),
		"directory":  l.Get(t.Context(), dir, back),
		"no such to": l.Get(t.Context(), from, filepath.Join(dir, "no", "such")),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// usage counts what a leak would add to.
func usage(t *testing.T) (threads, fds, goroutines int) {
	t.Helper()
	for dir, n := range map[string]*int{"/proc/self/task": &threads, "/proc/self/fd": &fds} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		*n = len(entries)
	}
	return threads, fds, runtime.NumGoroutine()
}

// leaks runs f until the runtime's own pools are warm, then 100 times more.
func leaks(t *testing.T, f func()) {
	t.Helper()
	for range 20 {
		f()
	}
	threads, fds, goroutines := usage(t)
	for range 100 {
		f()
	}
	var now string
	eventuallyNoMore := func() bool {
		th, fd, g := usage(t)
		now = fmt.Sprintf("threads %d → %d, fds %d → %d, goroutines %d → %d", threads, th, fds, fd, goroutines, g)
		return th <= threads+8 && fd <= fds+2 && g <= goroutines+4
	}
	for deadline := time.Now().Add(5 * time.Second); !eventuallyNoMore(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 100 cycles: %s", now)
		}
	}
	t.Log(now)
}

func TestLocalLeaksNothing(t *testing.T) {
	leaks(t, func() {
		l, err := NewLocal("here")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"true", "cat"} { // one ends by itself, one at Close
			var stdin io.Reader
			if path == "cat" {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				defer w.Close()
				stdin = r
			}
			if _, err := l.Start(t.Context(), Cmd{Path: path, Stdin: stdin, Stdout: io.Discard}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
