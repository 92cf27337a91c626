package usage

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
	"virtscope/results"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
)

// A machine samples this machine as a whole.
type machine struct {
	disks []string
	modes [8]map[string]string
}

// modes of CPU time, as proc_stat(5) has them. Time that a CPU spent for guests is in user and nice.
var modes = [8]string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}

func newMachine() (*machine, error) {
	m := &machine{}
	for i, mode := range modes {
		m.modes[i] = map[string]string{"mode": mode}
	}
	var err error
	m.disks, err = wholeDisks("/sys")
	return m, err
}

// wholeDisks are the block devices with hardware of their own: no partitions, and nothing that is stacked on
// another (dm, md, loop) or on memory (zram, ram), where a byte would count twice or is no disk's.
func wholeDisks(sys string) ([]string, error) {
	links, err := filepath.Glob(filepath.Join(sys, "block", "*", "device"))
	if err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	if _, err := os.Stat(filepath.Join(sys, "block")); err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	var disks []string
	for _, link := range links {
		disks = append(disks, filepath.Base(filepath.Dir(link)))
	}
	return disks, nil
}

// once records what does not change.
func (m *machine) once(emit emitter) error {
	at := time.Now().UnixNano()
	n, err := cpu.Counts(true)
	if err != nil {
		return fmt.Errorf("count CPUs: %w", err)
	}
	emit(at, results.HostCPUs, float64(n), results.One, nil)
	return nil
}

func (m *machine) sample(emit emitter) error {
	at := time.Now().UnixNano()
	times, err := cpu.Times(false)
	if err != nil {
		return fmt.Errorf("read CPU times: %w", err)
	}
	if len(times) != 1 {
		return fmt.Errorf("read CPU times: got %d rows for all CPUs, want 1", len(times))
	}
	t := times[0]
	for i, seconds := range [8]float64{t.User, t.Nice, t.System, t.Idle, t.Iowait, t.Irq, t.Softirq, t.Steal} {
		emit(at, results.HostCPU, seconds, results.Seconds, m.modes[i])
	}
	at = time.Now().UnixNano()
	average, err := load.Avg()
	if err != nil {
		return fmt.Errorf("read load: %w", err)
	}
	emit(at, results.HostLoad, average.Load1, results.One, nil)
	memory, err := mem.VirtualMemory()
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	// Total − free − buffers − cache, as free(1) counts it.
	emit(at, results.HostMemory, float64(memory.Used), results.Bytes, nil)
	return m.sampleDisks(emit)
}

// sampleDisks records nothing if the machine has no disk.
func (m *machine) sampleDisks(emit emitter) error {
	if len(m.disks) == 0 {
		return nil
	}
	at := time.Now().UnixNano()
	counters, err := disk.IOCounters(m.disks...)
	if err != nil {
		return fmt.Errorf("read disk counters: %w", err)
	}
	read, written := 0.0, 0.0
	for _, name := range m.disks {
		c := counters[name] // gopsutil leaves out a disk whose counters are all 0
		read += float64(c.ReadBytes)
		written += float64(c.WriteBytes)
	}
	emit(at, results.HostDiskRead, read, results.Bytes, nil)
	emit(at, results.HostDiskWrite, written, results.Bytes, nil)
	return nil
}
