package provision

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/host"
)

func newLocal(t *testing.T) *host.Local {
	t.Helper()
	h, err := host.NewLocal("here")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// TestRunIsCancelled ends a program in its midst, and what it wrote by then is removed.
func TestRunIsCancelled(t *testing.T) {
	h, path := newLocal(t), filepath.Join(t.TempDir(), "half")
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	err := made(ctx, h, path, func() error {
		go func() {
			for {
				if info, err := os.Stat(path); err == nil && info.Size() > 0 {
					cancel()
					return
				}
			}
		}()
		_, err := run(ctx, h, nil, "sh", "-c", `echo half >"$0"; sleep 600`, path)
		return err
	})
	if !errors.Is(err, context.Canceled) || time.Since(began) > time.Minute {
		t.Errorf("it ended after %s with %v", time.Since(began), err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a file is left: %v", err)
	}
}

func TestRunSaysWhy(t *testing.T) {
	h := newLocal(t)
	_, err := run(t.Context(), h, nil, "sh", "-c", "echo no room >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("a failed program says %v", err)
	}
	if got, err := run(t.Context(), h, strings.NewReader("text"), "cat"); err != nil || got != "text" {
		t.Errorf("cat gives %q, %v", got, err)
	}
}

// What is there already is neither overwritten nor removed.
func TestMadeKeepsWhatIsThere(t *testing.T) {
	h, path := newLocal(t), filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := made(t.Context(), h, path, func() error { return os.WriteFile(path, nil, 0o644) })
	if data, readErr := os.ReadFile(path); err == nil || string(data) != "mine" {
		t.Errorf("the file is %q, %v, %v", data, readErr, err)
	}
}

func TestAllocated(t *testing.T) {
	h, path := newLocal(t), filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(path, make([]byte, 8192), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Fatal(err)
	}
	if n, err := allocated(t.Context(), h, path); err != nil || n < 8192 || n > 1<<20 {
		t.Errorf("a sparse file takes %d B, %v", n, err)
	}
}
