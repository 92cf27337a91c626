package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// inside returns the processes, other than this one, whose first thread is in a named namespace.
func inside(namespace string) ([]int, error) {
	var ns unix.Stat_t
	if err := unix.Stat(filepath.Join(host.NamespaceDir, namespace), &ns); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil, nil
		}
		return nil, fmt.Errorf("look at namespace %s: %w", namespace, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if isIn(pid, &ns) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// isIn is false for a process that is gone, and for a zombie, which has no namespaces left.
func isIn(pid int, ns *unix.Stat_t) bool {
	var st unix.Stat_t
	err := unix.Stat(fmt.Sprintf("/proc/%d/ns/net", pid), &st)
	return err == nil && st.Ino == ns.Ino && st.Dev == ns.Dev
}

// killInside kills what lives in a namespace, all at once, until nothing does: a process may start others meanwhile.
func killInside(ctx context.Context, namespace string) error {
	for {
		pids, err := inside(namespace)
		if err != nil || len(pids) == 0 {
			return err
		}
		if err := kill(ctx, namespace, pids...); err != nil {
			return err
		}
	}
}

// kill kills processes that are in the namespace, all before it waits for the end of any.
func kill(ctx context.Context, namespace string, pids ...int) error {
	var errs []error
	struck := make(map[int]int, len(pids)) // descriptor by PID
	for _, pid := range pids {
		fd, err := strike(pid, namespace)
		errs = append(errs, err)
		if fd >= 0 {
			struck[pid] = fd
		}
	}
	for pid, fd := range struck {
		if err := awaitEnd(ctx, fd); err != nil {
			errs = append(errs, fmt.Errorf("process %d in %s was killed and still lives: see /proc/%d/stack: %w", pid, namespace, pid, err))
		}
		errs = append(errs, os.NewSyscallError("close", unix.Close(fd)))
	}
	return errors.Join(errs...)
}

// strike sends SIGKILL to a process that is in the namespace, and returns its descriptor, or -1 if it is gone or elsewhere. The descriptor,
// taken before the look at its namespace, makes sure that no other is hit that has got its PID.
func strike(pid int, namespace string) (fd int, err error) {
	fd, err = unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return -1, nil
	}
	if err != nil {
		return -1, fmt.Errorf("open process %d in %s: %w", pid, namespace, err)
	}
	var ns unix.Stat_t
	if err := unix.Stat(filepath.Join(host.NamespaceDir, namespace), &ns); err != nil || !isIn(pid, &ns) {
		return -1, os.NewSyscallError("close", unix.Close(fd))
	}
	err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return -1, errors.Join(fmt.Errorf("kill process %d in %s: %w", pid, namespace, err), unix.Close(fd))
	}
	return fd, nil
}

// awaitEnd waits for the end of a process.
func awaitEnd(ctx context.Context, pidfd int) error {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int((10 * time.Millisecond).Milliseconds()))
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// command is what a process was started as, for a person to recognise.
func command(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(b) == 0 {
		return "unknown command"
	}
	line := strings.Join(strings.Split(strings.TrimRight(string(b), "\x00"), "\x00"), " ")
	if len(line) > 80 {
		line = line[:77] + "..."
	}
	return line
}
