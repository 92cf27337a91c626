package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// runtimeRoot holds a folder for each run that goes on. Its paths are short: a unix address has 108 bytes.
const runtimeRoot = "/run/virtscope"

const ownerFile = "owner"

// Runtime makes the run's runtime folder, /run/virtscope/<id>, for sockets, readable by this user alone. The
// folder says that this process owns the run's id, which keeps Sweep from its namespaces. Release removes the
// folder with its content. If this process has made it already, Runtime returns it, and that release does
// nothing. A folder of another process is an error.
func Runtime(runID string) (dir string, release func(context.Context) error, err error) {
	return runtimeIn(runtimeRoot, runID)
}

func runtimeIn(root, runID string) (dir string, release func(context.Context) error, err error) {
	fail := func(err error) (string, func(context.Context) error, error) {
		return "", nil, fmt.Errorf("make the runtime folder of run %s: %w", runID, err)
	}
	if err := checkRunID(runID); err != nil {
		return fail(err)
	}
	dir = filepath.Join(root, runID)
	self, err := identify(os.Getpid())
	if err != nil {
		return fail(err)
	}
	switch holder, err := owner(dir); {
	case err == nil && holder == self:
		return dir, func(context.Context) error { return nil }, nil
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return fail(errors.Join(err, taken(dir)))
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return fail(err)
	}
	// The folder appears with its owner in it, or not at all: Sweep runs beside us.
	tmp, err := os.MkdirTemp(root, ".new-")
	if err != nil {
		return fail(err)
	}
	err = os.WriteFile(filepath.Join(tmp, ownerFile), []byte(self.String()+"\n"), 0o600)
	if err == nil {
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		return fail(errors.Join(err, os.RemoveAll(tmp)))
	}
	return dir, func(context.Context) error { return os.RemoveAll(dir) }, nil
}

// taken says why a runtime folder cannot be claimed.
func taken(dir string) error {
	holder, err := owner(dir)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w: remove it with virtscope clean", dir, err)
	case holder.alive():
		return fmt.Errorf("%s belongs to process %d, which goes on: take another run id", dir, holder.pid)
	default:
		return fmt.Errorf("%s was left behind by process %d: remove it with virtscope clean", dir, holder.pid)
	}
}

// checkOwner is an error if another process, alive or not, has a runtime folder for the id.
func checkOwner(runID string) error {
	dir := filepath.Join(runtimeRoot, runID)
	holder, err := owner(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	self, selfErr := identify(os.Getpid())
	if err == nil && selfErr == nil && holder == self {
		return nil
	}
	return taken(dir)
}

// A who is a process for good: PIDs are used again, but not with the same start time.
type who struct {
	pid   int
	start uint64 // clock ticks after boot (proc_pid_stat(5), field 22)
}

func (w who) String() string { return fmt.Sprintf("%d %d", w.pid, w.start) }

func (w who) alive() bool {
	now, err := identify(w.pid)
	return err == nil && now == w
}

func identify(pid int) (who, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return who{}, err
	}
	start, err := parseStart(string(b))
	return who{pid, start}, err
}

// parseStart finds field 22 of /proc/PID/stat. The second field, the name, may hold blanks and brackets. A
// zombie has no start: it owns nothing any more.
func parseStart(stat string) (uint64, error) {
	_, rest, ok := cutLast(stat, ")")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return 0, fmt.Errorf("read start time: %q is no process status", stat)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return 0, fmt.Errorf("read start time: the process has ended (%s)", state)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read start time: %w", err)
	}
	return start, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// owner reads who owns a runtime folder. No folder is fs.ErrNotExist; one without an owner's name is another
// error.
func owner(dir string) (who, error) {
	if _, err := os.Lstat(dir); err != nil {
		return who{}, err
	}
	b, err := os.ReadFile(filepath.Join(dir, ownerFile))
	if err != nil {
		return who{}, errors.New("the owner is unknown: " + err.Error()) // not wrapped: the folder itself is there
	}
	return parseOwner(string(b))
}

func parseOwner(text string) (who, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return who{}, fmt.Errorf("the owner is unknown: %q: want a PID and a start time", text)
	}
	pid, pidErr := strconv.Atoi(fields[0])
	start, startErr := strconv.ParseUint(fields[1], 10, 64)
	if err := errors.Join(pidErr, startErr); err != nil || pid <= 0 {
		return who{}, fmt.Errorf("the owner is unknown: %q: want a PID and a start time", text)
	}
	return who{pid, start}, nil
}
