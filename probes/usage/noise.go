package usage

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"virtscope/results"

	"github.com/shirou/gopsutil/v3/load"
)

// How often what is dear to read is sampled: our own CPU time, whose first and last sample bound the time in which others are measured,
// and the rest, which changes slowly or counts up.
const (
	ownEvery  = 250 * time.Millisecond
	restEvery = time.Second
)

// A noise samples what else went on at the machine: see vocabulary_noise.go. What the machine does not have is said once.
type noise struct {
	pressures []*pressure
	frequency []string
	throttle  map[string][]string // by kind
	kinds     map[string]map[string]string
	tree      *tree // nil if the kernel does not list children
	faults    bool
	own, rest time.Time // when they were last sampled
}

// newNoise finds what there is below /proc and /sys, and tells emit of the rest.
func newNoise(proc, sys string, emit emitter) *noise {
	absent := func(name string, err error) {
		emit(time.Now().UnixNano(), results.UsageAbsent, 0, results.Event, map[string]string{results.AttrAbsent: name, results.AttrError: err.Error()})
	}
	n := &noise{throttle: map[string][]string{}, kinds: map[string]map[string]string{}}
	n.pressures = openPressure(proc+"/pressure", absent)
	var err error
	if n.frequency, err = cpuFiles(sys, "cpufreq/scaling_cur_freq", "the kernel does not set this machine's frequencies, as in most virtual machines"); err != nil {
		absent(results.HostFreq, err)
	}
	for kind, below := range throttleFiles {
		files, err := cpuFiles(sys, below, "only the kernel on Intel's own CPUs counts them")
		if err != nil {
			absent(results.HostThrottle+" "+kind, err)
			continue
		}
		n.throttle[kind], n.kinds[kind] = files, map[string]string{"of": kind}
	}
	if n.tree, err = newTree(proc, os.Getpid()); err != nil {
		absent(results.HostOwnCPU, err)
	}
	if _, err = majorFaults(proc); err != nil {
		absent(results.HostFaults, err)
	}
	n.faults = err == nil
	return n
}

// sample records what is due; last says that there will be no other, and all is.
func (n *noise) sample(emit emitter, last bool) error {
	for _, p := range n.pressures {
		if err := p.sample(emit); err != nil {
			return err
		}
	}
	now := time.Now()
	if n.tree != nil && (last || now.Sub(n.own) >= ownEvery) {
		n.own = now
		if err := n.tree.sample(emit); err != nil {
			return err
		}
	}
	if !last && now.Sub(n.rest) < restEvery {
		return nil
	}
	n.rest = now
	return n.sampleRest(emit)
}

func (n *noise) sampleRest(emit emitter) error {
	if err := sampleFrequency(n.frequency, emit); err != nil {
		return err
	}
	for kind, files := range n.throttle {
		if err := sampleThrottle(files, n.kinds[kind], emit); err != nil {
			return err
		}
	}
	at := time.Now().UnixNano()
	m, err := load.Misc()
	if err != nil {
		return fmt.Errorf("read the run queue: %w", err)
	}
	emit(at, results.HostRunnable, float64(m.ProcsRunning), results.One, nil)
	emit(at, results.HostBlocked, float64(m.ProcsBlocked), results.One, nil)
	emit(at, results.HostSwitches, float64(m.Ctxt), results.One, nil)
	if !n.faults {
		return nil
	}
	at = time.Now().UnixNano()
	faults, err := majorFaults("/proc")
	if err != nil {
		return err
	}
	emit(at, results.HostFaults, faults, results.One, nil)
	return nil
}

// majorFaults reads pgmajfault of vmstat; gopsutil's figure of it is in B.
func majorFaults(proc string) (float64, error) {
	b, err := os.ReadFile(proc + "/vmstat")
	if err != nil {
		return 0, fmt.Errorf("read major faults: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "pgmajfault "); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read major faults: %w", err)
			}
			return float64(n), nil
		}
	}
	return 0, fmt.Errorf("read major faults: %s/vmstat does not count them", proc)
}

func (n *noise) close() {
	for _, p := range n.pressures {
		p.close()
	}
}
