package usage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// A thread is one series of samples.
type thread struct {
	cpu, comm int // files
	name      []byte
	attrs     map[string]string
	seen      int // the sample in which it was last listed
}

// sampleThreads records the threads that there are now.
func (p *process) sampleThreads(emit emitter) error {
	if _, err := p.task.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	tids, err := p.task.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("list threads: %w", gone(err))
	}
	p.sweep++
	for _, tid := range tids {
		t, ok := p.threads[tid]
		if !ok {
			t = &thread{cpu: -1, comm: -1}
			p.threads[tid] = t
		}
		t.seen = p.sweep
		err := t.open(p.dir+"/task/"+tid, p.all.schedule)
		if err == nil {
			err = p.sampleThread(t, tid, emit)
		}
		if errors.Is(err, errGone) {
			t.close()
			delete(p.threads, tid)
			continue
		}
		if err != nil {
			return fmt.Errorf("thread %s: %w", tid, err)
		}
	}
	maps.DeleteFunc(p.threads, func(_ string, t *thread) bool {
		if t.seen == p.sweep {
			return false
		}
		t.close()
		return true
	})
	return nil
}

// open opens what is not open yet.
func (t *thread) open(dir string, schedule bool) (err error) {
	if t.comm >= 0 {
		return nil
	}
	file := "/stat"
	if schedule {
		file = "/schedstat"
	}
	if t.cpu, err = unix.Open(dir+file, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s%s: %w", dir, file, gone(err))
	}
	if t.comm, err = unix.Open(dir+"/comm", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s/comm: %w", dir, gone(err))
	}
	return nil
}

func (p *process) sampleThread(t *thread, tid string, emit emitter) error {
	comm, err := read(t.comm, p.all.buf[:])
	if err != nil {
		return fmt.Errorf("read comm: %w", err)
	}
	if name := bytes.TrimRight(comm, "\n"); t.attrs == nil || !bytes.Equal(name, t.name) {
		t.name = bytes.Clone(name) // a thread gets its name after it was started
		t.attrs = map[string]string{"process": p.role, "pid": p.pid, "thread": string(name), "tid": tid}
	}
	at := time.Now().UnixNano()
	b, err := read(t.cpu, p.all.buf[:])
	if err != nil {
		return fmt.Errorf("read CPU time: %w", err)
	}
	parse := ticks
	if p.all.schedule {
		parse = schedstat
	}
	ns, err := parse(b)
	if err != nil {
		return err
	}
	emit(at, results.ThreadCPU, seconds(ns), results.Seconds, t.attrs)
	return nil
}

// schedstat reads the time on a CPU, in ns: the first field (Documentation/scheduler/sched-stats.rst).
func schedstat(b []byte) (int64, error) {
	first, _, found := bytes.Cut(b, []byte{' '})
	if !found {
		return 0, fmt.Errorf("read schedstat: %q has too few fields", b)
	}
	ns, err := strconv.ParseInt(string(first), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read schedstat: %w", err)
	}
	return ns, nil
}

// userHZ is the unit of times in stat: 1/100 s on every architecture that Go's Linux ports have.
const userHZ = 100

// ticks reads utime + stime, fields 14 and 15 of proc_pid_stat(5), in ns. The name, field 2, may hold spaces
// and parentheses.
func ticks(b []byte) (int64, error) {
	end := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[end+1:])
	if end < 0 || len(fields) < 13 {
		return 0, fmt.Errorf("read stat: %q has too few fields", b)
	}
	total := int64(0)
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read stat: %w", err)
		}
		total += n
	}
	return total * int64(time.Second) / userHZ, nil
}

func (t *thread) close() {
	for _, fd := range []int{t.cpu, t.comm} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	t.cpu, t.comm = -1, -1
}
