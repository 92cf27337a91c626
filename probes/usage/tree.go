package usage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// A tree is this process and all that it started.
type tree struct {
	proc string
	root int
	buf  [64 << 10]byte
}

// newTree is an error if the kernel does not list a process's children (CONFIG_PROC_CHILDREN).
func newTree(proc string, root int) (*tree, error) {
	t := &tree{proc: proc, root: root}
	path := fmt.Sprintf("%s/%d/task/%d/children", proc, root, root)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("the kernel does not list a process's children: %w", err)
	}
	return t, nil
}

// treeTries is how often the processes are read again because one ended meanwhile.
const treeTries = 3

// sample records the CPU time of the processes that are there and of those that have ended: who waits for a child is given its time, and
// that of whom the child waited for (proc(5), cutime and cstime). A parent is read before its children: if the child is there still, its
// time was not its parent's yet; if it is gone, it may have been, and all are read again.
func (t *tree) sample(emit emitter) error {
	var at int64
	var sum float64
	whole := false
	for try := 0; try < treeTries && !whole; try++ {
		list := t.pids()
		at = time.Now().UnixNano()
		var err error
		if sum, whole, err = t.sum(list); err != nil {
			return err
		}
	}
	if !whole {
		return nil // a sum that counts a process twice, or not, is none
	}
	emit(at, results.HostOwnCPU, sum, results.Seconds, nil)
	return nil
}

// sum adds up the times of processes; whole is false if one of them is gone.
func (t *tree) sum(list []int) (sum float64, whole bool, err error) {
	whole = true
	for _, pid := range list {
		v, err := t.cpu(pid)
		switch {
		case errors.Is(err, errGone):
			whole = false
		case err != nil:
			return 0, false, err
		}
		sum += v
	}
	return sum, whole, nil
}

// pids are the processes of the tree, parents before their children. Children are listed by the thread that started them.
func (t *tree) pids() []int {
	list := []int{t.root}
	for i := 0; i < len(list); i++ {
		tasks := fmt.Sprintf("%s/%d/task", t.proc, list[i])
		for _, tid := range names(tasks) {
			b := contents(tasks+"/"+tid+"/children", t.buf[:])
			for _, field := range bytes.Fields(b) {
				if pid, err := strconv.Atoi(string(field)); err == nil && !slices.Contains(list, pid) {
					list = append(list, pid)
				}
			}
		}
	}
	return list
}

// names are those of a folder's entries; none of one that is gone.
func names(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, err := f.Readdirnames(-1)
	if err != nil {
		return nil
	}
	return list
}

// contents are those of a file of /proc, which are read at once, as far as buf goes; none of one that is gone. There is one for each thread:
// os.ReadFile would ask for each one's size and try to poll it first.
func contents(path string, buf []byte) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	n, err := unix.Read(fd, buf)
	if err != nil || n < 0 {
		return nil
	}
	return buf[:n]
}

// cpu is the time of a process and of the children it waited for.
func (t *tree) cpu(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("%s/%d/stat", t.proc, pid))
	if err != nil {
		if errors.Is(gone(err), errGone) {
			return 0, errGone
		}
		return 0, fmt.Errorf("read a process's CPU time: %w", err)
	}
	ticks, err := statTicks(b)
	if err != nil {
		return 0, fmt.Errorf("read CPU time of process %d: %w", pid, err)
	}
	return float64(ticks) / userHZ, nil
}

// statTicks adds up utime, stime, cutime and cstime, fields 14 to 17 of proc(5)'s stat. The name in brackets may hold anything.
func statTicks(b []byte) (int64, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return 0, fmt.Errorf("stat %q has no name", b)
	}
	const first = 14 - 3 // field 3 stands first behind the name
	fields := bytes.Fields(b[end+1:])
	if len(fields) < first+4 {
		return 0, fmt.Errorf("stat %q has too few fields", b)
	}
	var sum int64
	for _, f := range fields[first : first+4] {
		v, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}
