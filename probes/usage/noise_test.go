package usage

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"virtscope/results"
)

func TestNoise(t *testing.T) {
	t.Parallel()
	pid, used, end := startChild(t)
	_ = pid
	defer end()
	log := run(t, Config{Host: "controller", Interval: 20 * time.Millisecond}, func() {
		_ = exec.Command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").Run() // comes and goes
		time.Sleep(50 * time.Millisecond)
	})
	absent := map[string]string{}
	for _, r := range log.series(results.UsageAbsent) {
		if r.Attrs[results.AttrError] == "" || absent[r.Attrs[results.AttrAbsent]] != "" {
			t.Errorf("%+v: no reason, or said twice", r)
		}
		absent[r.Attrs[results.AttrAbsent]] = r.Attrs[results.AttrError]
	}
	for _, resource := range resources {
		some, full := log.series(results.HostPressure, "resource", resource, "kind", "some"), log.series(results.HostPressure, "resource", resource, "kind", "full")
		missing := absent[results.HostPressure+" "+resource] != ""
		if missing != (len(some) == 0) {
			t.Errorf("%s: %d samples, absent: %q", resource, len(some), absent[results.HostPressure+" "+resource])
		}
		if (resource == "cpu" || missing) != (len(full) == 0) {
			t.Errorf("%s: %d samples of full", resource, len(full))
		}
		for i := 1; i < len(some); i++ {
			if some[i].Value < some[i-1].Value {
				t.Errorf("%s went back from %v to %v", resource, some[i-1].Value, some[i].Value)
			}
		}
	}
	own := log.series(results.HostOwnCPU)
	if absent[results.HostOwnCPU] == "" {
		first, last := own[0].Value, own[len(own)-1].Value
		if first < used.Seconds()-0.02 || last < first {
			t.Errorf("own CPU from %v to %v s, a child alone used %v before", first, last, used)
		}
	}
	for _, name := range []string{results.HostFreq, results.HostThrottle + " core", results.HostFaults} {
		base, _, _ := strings.Cut(name, " ")
		if have := len(log.series(base)) > 0; have == (absent[name] != "") {
			t.Errorf("%s: samples: %v, absent: %q", name, have, absent[name])
		}
	}
	if n := len(log.series(results.HostRunnable)); n < 2 {
		t.Errorf("%d samples of the run queue, want the first and the last at least", n)
	}
}

func TestNoiseOfFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = root + path
		if err := os.MkdirAll(path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("/proc/pressure/cpu", "some avg10=0.29 avg60=5.40 avg300=10.03 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
	write("/proc/vmstat", "pgfault 9\npgmajfault 7\n")
	for cpu, kHz := range map[string]string{"cpu0": "800000\n", "cpu1": "3000000\n", "cpu10": "<unknown>\n"} {
		write("/sys/devices/system/cpu/"+cpu+"/cpufreq/scaling_cur_freq", kHz)
		write("/sys/devices/system/cpu/"+cpu+"/thermal_throttle/core_throttle_count", "2\n")
	}
	var log []results.Record
	emit := func(at int64, name string, value float64, unit results.Unit, attrs map[string]string) {
		log = append(log, results.Record{Time: at, Name: name, Value: value, Unit: unit, Attrs: attrs})
	}
	n := newNoise(root+"/proc", root+"/sys", emit)
	defer n.close()
	if err := n.sample(emit, true); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	var absent []string
	for _, r := range log {
		if r.Name == results.UsageAbsent {
			absent = append(absent, r.Attrs[results.AttrAbsent])
			continue
		}
		got[r.Name+" "+r.Attrs["of"]+r.Attrs["kind"]] = r.Value
	}
	for name, want := range map[string]float64{
		"host.pressure some": 2.5, "host.frequency min": 8e8, "host.frequency mean": 1.9e9, "host.frequency max": 3e9, "host.throttled core": 6,
	} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	if _, ok := got["host.pressure full"]; ok {
		t.Error("pressure of the CPUs has no full: the kernel reports 0 for what it does not define")
	}
	all := strings.Join(absent, "; ")
	for _, want := range []string{"host.pressure io", "host.pressure memory", "host.throttled package", "host.cpu.own"} {
		if !strings.Contains(all, want) {
			t.Errorf("absent: %s; want %s too", all, want)
		}
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = root + "/" + path
		if err := os.MkdirAll(path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stat := func(pid string, times string) {
		write(pid+"/stat", pid+" (a) b) R 1 1 1 0 -1 0 0 0 0 0 "+times+" 20 0")
	}
	write("5/task/5/children", "7 ")
	write("5/task/6/children", "8")
	write("7/task/7/children", "9 10")
	stat("5", "100 20 3 4")
	stat("7", "10 0 0 0")
	stat("8", "1 1 1 1")
	stat("9", "1000 0 0 0") // 10 is gone
	tr, err := newTree(root, 5)
	if err != nil {
		t.Fatal(err)
	}
	var got float64
	if err := tr.sample(func(int64, string, float64, results.Unit, map[string]string) { got = -1 }); err != nil || got != 0 {
		t.Fatalf("a sum without one of the processes was recorded (%v), or %v", got, err)
	}
	write("7/task/7/children", "9")
	if err := tr.sample(func(_ int64, _ string, v float64, _ results.Unit, _ map[string]string) { got = v }); err != nil || got != 11.41 {
		t.Fatalf("got %v s, %v; want 11.41", got, err)
	}
	if _, err := newTree(root, 6); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no list of children: %v", err)
	}
}

func TestParsePressure(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "full total=1", "some avg10=1", "some total=-1", "some total=x", "some total=99999999999999999999"} {
		if got, err := parsePressure(bad); err == nil {
			t.Errorf("%q: got %v and no error", bad, got)
		}
	}
}

func FuzzPressure(f *testing.F) {
	f.Add("some avg10=0.29 avg60=5.40 avg300=10.03 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
	f.Add("some total=")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parsePressure(text)
		if err != nil {
			return
		}
		if v, ok := got["some"]; !ok || v < 0 {
			t.Errorf("%q: %v", text, got)
		}
	})
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("5 (a) b) R 1 1 1 0 -1 0 0 0 0 0 100 20 3 4 20 0"))
	f.Add([]byte(") 1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = statTicks(b)
	})
}
