package usage

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

func TestMachine(t *testing.T) {
	t.Parallel()
	log := run(t, Config{Host: "controller", Interval: 20 * time.Millisecond}, func() { time.Sleep(100 * time.Millisecond) })
	cpus := log.series(results.HostCPUs)
	if len(cpus) != 1 || cpus[0].Value != float64(runtime.NumCPU()) {
		t.Errorf("CPUs: %+v, want %d", cpus, runtime.NumCPU())
	}
	n := len(log.series(results.HostLoad))
	if n < 3 {
		t.Errorf("%d samples, want at least those at the begin and end and one between", n)
	}
	for _, mode := range modes {
		s := log.series(results.HostCPU, "mode", mode)
		if len(s) != n {
			t.Errorf("%s: %d samples of %d", mode, len(s), n)
		}
		for i := 1; i < len(s); i++ {
			if s[i].Value < s[i-1].Value && mode != "idle" && mode != "iowait" { // those may go back: proc_stat(5)
				t.Errorf("%s went back from %v to %v", mode, s[i-1].Value, s[i].Value)
			}
		}
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		t.Fatal(err)
	}
	for _, m := range log.series(results.HostMemory) {
		if m.Value <= 0 || m.Value >= float64(info.Totalram)*float64(info.Unit) || m.Host != "controller" {
			t.Errorf("got %+v of %d", m, info.Totalram)
		}
	}
	for _, name := range []string{results.ProbeCPU, results.ProbeWall, results.ProbeLate, results.ProbeDropped} {
		if len(log.series(name)) != 1 {
			t.Errorf("%s: %+v", name, log.series(name))
		}
	}
}

func TestWholeDisks(t *testing.T) {
	t.Parallel()
	sys := t.TempDir()
	for _, dir := range []string{"block/sda/device", "block/nvme0n1/device", "block/dm-0/slaves", "block/loop0", "block/zram0", "block/sda/sda1"} {
		if err := os.MkdirAll(sys+"/"+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got, err := wholeDisks(sys)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"nvme0n1", "sda"}) {
		t.Fatalf("got %v, %v", got, err)
	}
	if got, err := wholeDisks(sys + "/none"); err == nil {
		t.Fatalf("no /sys: got %v and no error", got)
	}
}
