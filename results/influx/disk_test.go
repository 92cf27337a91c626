package influx

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A folder that cannot be written to is named once, with what helps.
func TestOnDisk(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{syscall.ENOSPC, "write x: no space left on device: free some space, then go on with virtscope influx push"},
		{syscall.EDQUOT, "write x: disk quota exceeded: free some space, then go on with virtscope influx push"},
		{syscall.EROFS, "write x: read-only file system: how far it was shipped is written there: make the folder writable, or push a copy of it"},
		{syscall.EACCES, "write x: permission denied: how far it was shipped is written there: make the folder writable, or push a copy of it"},
		{syscall.EIO, "write x: write y: write .y.123: input/output error"},
	} {
		err := onDisk("write x", fmt.Errorf("write y: %w", &fs.PathError{Op: "write", Path: ".y.123", Err: tc.err}))
		if err.Error() != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
}

// What the disk does not take is said once, though it is tried again at the end.
func TestDiskTroubleIsSaidOnce(t *testing.T) {
	r := makeRun(t, 1, 100)
	p := newProxy(t, "http://127.0.0.1:1", func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		_ = os.RemoveAll(filepath.Join(r.Dir, Dir))
		w.WriteHeader(http.StatusNoContent)
		return true
	})
	err := (&Shipper{Run: r, Target: target(p.URL, "x")}).Ship(t.Context())
	if err == nil || strings.Count(err.Error(), "write how far the run was shipped into "+filepath.Join(r.Dir, Dir)) != 1 {
		t.Errorf("%v", err)
	}
	if other := errors.New("other"); !errors.Is(withClose(err, other), other) || !errors.Is(withClose(other, err), other) || withClose(nil, err) == nil {
		t.Error("another error is lost")
	}
}
