package load

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

// The reply of redis-benchmark 7.0.15 (Debian bookworm), as it was recorded.
func TestParseBenchmark(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/redis-benchmark-7.0.15.csv")
	if err != nil {
		t.Fatal(err)
	}
	figures, err := parseBenchmark(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"SET rps": 84033.61, "SET mean": 34e-6, "SET min": 8e-6, "SET p50": 31e-6, "SET p95": 71e-6, "SET p99": 103e-6, "SET max": 287e-6,
		"GET rps": 74626.87, "GET mean": 38e-6, "GET min": 16e-6, "GET p50": 39e-6, "GET p95": 55e-6, "GET p99": 95e-6, "GET max": 1215e-6,
	}
	if len(figures) != len(want) {
		t.Errorf("%d figures, want %d", len(figures), len(want))
	}
	for _, f := range figures {
		w := want[f.test+" "+f.stat]
		if d := f.value - w; d > 1e-9 || d < -1e-9 || (f.unit == results.One) != (f.stat == "rps") {
			t.Errorf("%s %s is %v %s, want %v", f.test, f.stat, f.value, f.unit, w)
		}
	}
}

func TestParseBenchmarkRefuses(t *testing.T) {
	t.Parallel()
	const head = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"` + "\n"
	for name, text := range map[string]string{
		"empty":        "",
		"no figures":   head,
		"older":        `"SET","84033.61"` + "\n",
		"short":        head + `"SET","1"` + "\n",
		"not a number": head + `"SET","1","2","3","x","5","6","7"` + "\n",
		"negative":     head + `"SET","1","2","3","-4","5","6","7"` + "\n",
		"infinite":     head + `"SET","inf","2","3","4","5","6","7"` + "\n",
		"a column":     `"test","rps"` + "\n" + `"SET","1"` + "\n",
		"complaint":    "Could not connect to Redis at 10.0.0.9:6379: Connection refused\n",
	} {
		if figures, err := parseBenchmark(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %+v, want an error", name, figures)
		}
	}
}

func FuzzParseBenchmark(f *testing.F) {
	b, err := os.ReadFile("testdata/redis-benchmark-7.0.15.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("test,rps\n\"SET\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		figures, err := parseBenchmark(bytes.NewReader(b))
		if (err == nil) != (len(figures) > 0) {
			t.Fatalf("%d figures and error %v", len(figures), err)
		}
		for _, f := range figures {
			if !(f.value >= 0) {
				t.Fatalf("got %+v", f)
			}
		}
	})
}

// redis-benchmark itself, against redis-server itself.
func TestBenchmark(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"redis-server", "redis-benchmark"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: apt-get install redis-server redis-tools", tool)
		}
	}
	h, err := host.NewLocal("client")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	target := freePort(t)
	server, err := h.Start(t.Context(), host.Cmd{Path: "redis-server", Args: []string{
		"--port", target[strings.LastIndexByte(target, ':')+1:], "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(target)

	// The load client fills the server first, so it is up when redis-benchmark begins.
	load, err := drive(t, Config{Target: at, Kind: Redis, Rate: 500, Keys: 1000, ValueSize: 512, Gets: 0.9, Connections: 4}, func() { time.Sleep(300 * time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	if ok := load.sum(results.LoadRequests, "outcome", "ok"); ok == 0 || ok != load.sum(results.LoadRequests) {
		t.Errorf("redis-server answered %v of %v requests", ok, load.sum(results.LoadRequests))
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log recorder
	c := BenchmarkConfig{Host: "client", On: h, Target: at, Requests: 200}
	ended := make(chan error)
	go func() { ended <- NewBenchmark(c).Run(ctx, &log, func() {}) }()
	for len(log.named(results.BenchmarkResult, "pass", "2")) == 0 {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, test := range []string{"SET", "GET"} {
		if got := log.named(results.BenchmarkResult, "pass", "1", "test", test, "stat", "rps"); len(got) != 1 || got[0].Value <= 0 {
			t.Errorf("%s: %+v", test, got)
		}
	}
	_ = server.Kill()
}

// A pass that fails is the guest's outcome, not an error of the probe.
func TestBenchmarkFails(t *testing.T) {
	t.Parallel()
	h, err := host.NewLocal("client")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ctx, cancel := context.WithCancel(t.Context())
	log, armed := recorder{}, false
	c := BenchmarkConfig{Host: "client", On: h, Target: netip.MustParseAddrPort("127.0.0.1:9"), Path: "false"}
	ended := make(chan error)
	go func() { ended <- NewBenchmark(c).Run(ctx, &log, func() { armed = true }) }()
	for len(log.named(results.BenchmarkFailed, "pass", "1")) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil || !armed {
		t.Errorf("armed %v, error %v", armed, err)
	}
	c.Path = "no-such-benchmark"
	if err := NewBenchmark(c).Run(t.Context(), &recorder{}, func() {}); err == nil || !strings.Contains(err.Error(), "redis-tools") {
		t.Errorf("got %v, want what to install", err)
	}
}
