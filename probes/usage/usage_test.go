package usage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

const (
	burnt   = 250 * time.Millisecond // CPU that the child's busy thread uses, or a little more: it tells
	touched = 64 << 20               // B of memory that the child holds
)

// TestMain makes this binary the child, too.
func TestMain(m *testing.M) {
	if os.Getenv("USAGE_TEST_CHILD") == "" {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child holds memory and burns CPU on a named thread, says so, and waits until its input ends.
func child() error {
	memory := make([]byte, touched)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	ready := make(chan error)
	var used time.Duration
	go func() {
		runtime.LockOSThread()
		if err := os.WriteFile("/proc/thread-self/comm", []byte("busy (x) y"), 0); err != nil {
			ready <- err
			return
		}
		for used < burnt {
			used = threadTime()
		}
		ready <- nil
		select {}
	}()
	if err := <-ready; err != nil {
		return err
	}
	fmt.Println(int64(used))
	_, err := io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(memory)
	return err
}

func threadTime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

// startChild starts a child and waits until it has burnt its CPU, used; end ends and reaps it.
func startChild(tb testing.TB) (pid int, used time.Duration, end func()) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "USAGE_TEST_CHILD=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	tb.Cleanup(end)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatalf("child said %q: %v", line, err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil || ns < int64(burnt) {
		tb.Fatalf("child said %q: %v", line, err)
	}
	return cmd.Process.Pid, time.Duration(ns), end
}

// recorder keeps records.
type recorder struct {
	mu      sync.Mutex
	records []results.Record
}

func (r *recorder) Record(rec results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
}

// series returns the values of a name whose attributes have all of attrs, given as key, value, ….
func (r *recorder) series(name string, attrs ...string) []results.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.records), func(x results.Record) bool {
		for i := 0; i < len(attrs); i += 2 {
			if x.Attrs[attrs[i]] != attrs[i+1] {
				return true
			}
		}
		return x.Name != name
	})
}

// run runs the probe until f returns.
func run(t *testing.T, c Config, f func()) *recorder {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var log recorder
	armed, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- New(c).Run(ctx, &log, func() { close(armed) }) }()
	select {
	case <-armed:
	case err := <-ended:
		t.Fatalf("ended before it was armed: %v", err)
	}
	f()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return &log
}

func TestProcessAndThreads(t *testing.T) {
	t.Parallel()
	pid, used, end := startChild(t)
	var mu sync.Mutex
	watched := []Process{{Host: "src", Role: "source", PID: pid}}
	var second int
	var usedBySecond time.Duration
	told := map[string]float64{"source": status(t, pid)}
	log := run(t, Config{Host: "controller", Interval: 10 * time.Millisecond, Processes: func() []Process {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(watched)
	}}, func() {
		time.Sleep(50 * time.Millisecond)
		another, burnt, endAnother := startChild(t)
		defer endAnother()
		second, usedBySecond = another, burnt
		told["destination"] = status(t, another)
		mu.Lock()
		watched = append(watched, Process{Host: "dst", Role: "destination", PID: another}) // it appears later
		mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		end() // and the first goes
		time.Sleep(50 * time.Millisecond)
	})
	for role, want := range map[string]struct {
		host string
		pid  int
		used time.Duration
	}{"source": {"src", pid, used}, "destination": {"dst", second, usedBySecond}} {
		cpu := log.series(results.ProcessCPU, "process", role, "pid", strconv.Itoa(want.pid))
		rss := log.series(results.ProcessRSS, "process", role)
		busy := log.series(results.ThreadCPU, "process", role, "thread", "busy (x) y")
		if len(cpu) == 0 || len(rss) != len(cpu) || len(busy) == 0 {
			t.Fatalf("%s: %d CPU, %d RSS, %d thread samples", role, len(cpu), len(rss), len(busy))
		}
		last := busy[len(busy)-1]
		if more := last.Value - want.used.Seconds(); more < 0 || more > 0.020 || last.Unit != results.Seconds || last.Host != want.host {
			t.Errorf("%s: the thread says it used %v, got %+v", role, want.used, last)
		}
		if last.Attrs["tid"] == "" || last.Attrs["pid"] != strconv.Itoa(want.pid) {
			t.Errorf("%s: thread %+v", role, last.Attrs)
		}
		if p := cpu[len(cpu)-1]; p.Value < last.Value || p.Value > 5 || p.Host != want.host {
			t.Errorf("%s: the process used %+v, its thread %v", role, p, last.Value)
		}
		if r := rss[len(rss)-1]; r.Value < touched || math.Abs(r.Value-told[role]) > 8<<20 || r.Unit != results.Bytes {
			t.Errorf("%s: it touched %d B and its status says %v, got %+v", role, touched, told[role], r)
		}
		if !slices.IsSortedFunc(cpu, func(a, b results.Record) int { return int(a.Time - b.Time) }) ||
			!slices.IsSortedFunc(cpu, func(a, b results.Record) int { return int((a.Value - b.Value) * 1e9) }) {
			t.Errorf("%s: time or CPU runs backwards: %+v", role, cpu)
		}
	}
	gone, stayed := log.series(results.ProcessCPU, "process", "source"), log.series(results.ProcessCPU, "process", "destination")
	if gone[len(gone)-1].Time >= stayed[len(stayed)-1].Time {
		t.Error("the series of a process that ended goes on")
	}
}

// status is the resident size that /proc/PID/status tells, in B.
func status(t *testing.T, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib * 1024
}

// A process that is gone stays gone, though its number may be used again.
func TestProcessNumberIsNotReused(t *testing.T) {
	t.Parallel()
	pid, _, end := startChild(t)
	ps, err := newProcesses("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer ps.close()
	w := Process{Host: "src", Role: "source", PID: pid}
	var log recorder
	s := sampler{rec: &log}
	sample := func() int {
		t.Helper()
		log.records = nil
		if err := ps.sample([]Process{w}, s.emitter); err != nil {
			t.Fatal(err)
		}
		return len(log.records)
	}
	if sample() == 0 {
		t.Fatal("no records of a process that runs")
	}
	end()
	if n := sample(); n != 0 {
		t.Fatalf("%d records of a process that ended", n)
	}
	ps.known[w].clock, ps.known[w].dir = cpuClock(os.Getpid()), "/proc/self" // as if the number were used again
	if n := sample(); n != 0 {
		t.Fatalf("%d records of another process", n)
	}
	if err := ps.sample([]Process{{Role: "none", PID: 0}, {Role: "none", PID: 1 << 30}}, s.emitter); err != nil || len(log.records) != 0 {
		t.Fatalf("a process that never was: %v, %+v", err, log.records)
	}
}

// A zombie uses nothing and must not look like a process of 0 B.
func TestZombieIsGone(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/true")
	if err := cmd.Start(); err != nil {
		t.Skip("needs /bin/true: ", err)
	}
	defer func() { _ = cmd.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("no zombie: %q, %v", stat, err)
		}
		if strings.Contains(string(stat), ") Z ") {
			break
		}
	}
	ps, err := newProcesses("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer ps.close()
	var log recorder
	s := sampler{rec: &log}
	if err := ps.sample([]Process{{Host: "src", Role: "source", PID: cmd.Process.Pid}}, s.emitter); err != nil || len(log.records) != 0 {
		t.Fatalf("error %v, records %+v", err, log.records)
	}
}

// Where the kernel keeps no schedstat, threads are read from stat, and the two agree within its ticks.
func TestThreadsFromTicks(t *testing.T) {
	t.Parallel()
	pid, _, _ := startChild(t)
	var got [2]float64
	for i, schedule := range []bool{false, true} {
		ps, err := newProcesses("/proc")
		if err != nil {
			t.Fatal(err)
		}
		if schedule && !ps.schedule {
			t.Skip("needs schedstat: this kernel does not account it")
		}
		ps.schedule = schedule
		var log recorder
		s := sampler{rec: &log}
		if err := ps.sample([]Process{{Host: "src", Role: "source", PID: pid}}, s.emitter); err != nil {
			t.Fatal(err)
		}
		ps.close()
		got[i] = log.series(results.ThreadCPU, "thread", "busy (x) y")[0].Value
	}
	if d := got[1] - got[0]; d < -0.001 || d > 0.0201 {
		t.Fatalf("stat says %v s, schedstat %v s", got[0], got[1])
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{"123456789 42 3\n": 123456789, "0 0 0\n": 0, "": -1, "x 1 2": -1, "5": -1} {
		if got, err := schedstat([]byte(in)); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("schedstat %q: %d, %v", in, got, err)
		}
	}
	const stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 1 0 100 1 1 1"
	for in, want := range map[string]int64{stat: 3_000_000_000, "7 (x) S 1": -1, "": -1, strings.Replace(stat, " 250 ", " q ", 1): -1} {
		if got, err := ticks([]byte(in)); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("stat %q: %d, %v", in, got, err)
		}
	}
	if size, resident, err := statm([]byte("100 25 3 1 0 9 0\n")); size != 100 || resident != 25 || err != nil {
		t.Errorf("statm: %d, %d, %v", size, resident, err)
	}
	if _, _, err := statm([]byte("100")); err == nil {
		t.Error("statm: no error for one field")
	}
}

func FuzzTicks(f *testing.F) {
	f.Add([]byte("7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 1 0 100 1 1 1"))
	f.Add([]byte("1 2 3\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = ticks(b)
		_, _ = schedstat(b)
		_, _, _ = statm(b)
	})
}
