package usage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// errGone is a process or thread that has ended.
var errGone = errors.New("has ended")

// gone turns what /proc and the clocks say of a process or thread that is not there into errGone.
func gone(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return errGone
	}
	return err
}

// read reads a kept file of a process or thread from its beginning.
func read(fd int, buf []byte) ([]byte, error) {
	n, err := unix.Pread(fd, buf, 0)
	if err != nil {
		return nil, gone(err)
	}
	if n == 0 {
		return nil, errGone
	}
	return buf[:n], nil
}

// processes samples processes and their threads. It keeps the files of /proc open: a kept file belongs to the
// process that it was opened for and never to a later one with the same number, and reading it again is cheap.
type processes struct {
	proc     string
	schedule bool // threads are read from schedstat, else from stat
	known    map[Process]*process
	buf      [512]byte
}

// newProcesses finds out how this kernel accounts threads.
func newProcesses(proc string) (*processes, error) {
	stat, err := os.ReadFile(proc + "/thread-self/schedstat")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read own CPU time: %w", err)
	}
	ns, err := schedstat(stat)
	return &processes{proc: proc, schedule: err == nil && ns > 0, known: map[Process]*process{}}, nil
}

// sample records all that are wanted and still there.
func (ps *processes) sample(wanted []Process, emitter func(host string) emitter) error {
	for _, w := range wanted {
		p, ok := ps.known[w]
		if !ok {
			p = newProcess(ps, w)
			ps.known[w] = p
		}
		if p.gone {
			continue // for good, even if a new process has the number now
		}
		err := p.open()
		if err == nil {
			err = p.sample(emitter(w.Host))
		}
		if errors.Is(err, errGone) {
			p.close()
			continue
		}
		if err != nil {
			return fmt.Errorf("sample process %d (%s): %w", w.PID, w.Role, err)
		}
	}
	return nil
}

func (ps *processes) close() {
	for _, p := range ps.known {
		p.close()
	}
}

// A process is one series of samples, and its threads'.
type process struct {
	all     *processes
	dir     string
	pid     string
	role    string
	clock   int32
	statm   int
	task    *os.File
	attrs   map[string]string
	threads map[string]*thread // by tid
	sweep   int                // number of the sample at hand
	gone    bool
}

func newProcess(ps *processes, w Process) *process {
	pid := strconv.Itoa(w.PID)
	return &process{
		all: ps, dir: ps.proc + "/" + pid, pid: pid, role: w.Role, clock: cpuClock(w.PID), statm: -1,
		attrs: map[string]string{"process": w.Role, "pid": pid}, threads: map[string]*thread{},
	}
}

// open opens what is not open yet.
func (p *process) open() (err error) {
	if p.task != nil {
		return nil
	}
	if p.statm, err = unix.Open(p.dir+"/statm", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s/statm: %w", p.dir, gone(err))
	}
	if p.task, err = os.Open(p.dir + "/task"); err != nil {
		return fmt.Errorf("open threads: %w", gone(err))
	}
	return nil
}

// cpuClock is the clock of a process's CPU time: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of Linux's
// include/linux/posix-timers_types.h, as clock_getcpuclockid(3) makes it.
func cpuClock(pid int) int32 { return int32(^pid<<3 | 2) }

func (p *process) sample(emit emitter) error {
	at := time.Now().UnixNano()
	var cpu unix.Timespec
	if err := unix.ClockGettime(p.clock, &cpu); err != nil {
		return fmt.Errorf("read CPU time: %w", gone(err))
	}
	// The kept file fails once its process is gone: if it can be read, the time above was that process's.
	b, err := read(p.statm, p.all.buf[:])
	if err != nil {
		return fmt.Errorf("read statm: %w", err)
	}
	size, resident, err := statm(b)
	if err != nil {
		return err
	}
	if size == 0 {
		return errGone // a zombie has no memory
	}
	emit(at, results.ProcessCPU, seconds(cpu.Nano()), results.Seconds, p.attrs)
	emit(at, results.ProcessRSS, float64(resident*int64(os.Getpagesize())), results.Bytes, p.attrs)
	return p.sampleThreads(emit)
}

// statm reads total and resident size, in pages.
func statm(b []byte) (size, resident int64, err error) {
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, 0, fmt.Errorf("read statm: %q has too few fields", b)
	}
	if size, err = strconv.ParseInt(string(fields[0]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("read statm: %w", err)
	}
	if resident, err = strconv.ParseInt(string(fields[1]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("read statm: %w", err)
	}
	return size, resident, nil
}

func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }

func (p *process) close() {
	p.gone = true
	if p.statm >= 0 {
		_ = unix.Close(p.statm)
		p.statm = -1
	}
	if p.task != nil {
		_ = p.task.Close()
		p.task = nil
	}
	for _, t := range p.threads {
		t.close()
	}
	clear(p.threads)
}
