package load

import (
	"context"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// here is this process's own network.
type here struct{}

func (here) Do(f func() error) error { return f() }

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

func (r *recorder) named(name string, attrs ...string) []results.Record {
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

func (r *recorder) sum(name string, attrs ...string) (sum float64) {
	for _, x := range r.named(name, attrs...) {
		sum += x.Value
	}
	return sum
}

// merged is all latencies of records.
func merged(t *testing.T, records []results.Record) *hdrhistogram.Histogram {
	t.Helper()
	all := hdrhistogram.New(1, longest, digits)
	for _, x := range records {
		h, err := hdrhistogram.Decode([]byte(x.Attrs["histogram"]))
		if err != nil {
			t.Fatal(err)
		}
		if x.Attrs["count"] != strconv.FormatInt(h.TotalCount(), 10) {
			t.Errorf("count is %s, the histogram holds %d", x.Attrs["count"], h.TotalCount())
		}
		if dropped := all.Merge(h); dropped != 0 {
			t.Fatalf("%d values found no room", dropped)
		}
	}
	return all
}

// drive runs a probe, and script once it is armed; then the probe is told to end.
func drive(t *testing.T, c Config, script func()) (*recorder, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Host, c.In = "client", here{}
	var log recorder
	err := New(c).Run(ctx, &log, func() {
		go func() {
			script()
			cancel()
		}()
	})
	return &log, err
}

// A server that stands still for 300 ms: what was due meanwhile waited from when it was due until the end of the stall,
// so latencies fall in a straight line from 300 ms to nothing, and nothing that was due is left out.
func TestStallShowsAsOpenLoopPredicts(t *testing.T) {
	t.Parallel()
	const rate, long = 1000, 300 * time.Millisecond
	s := serve(t, false)
	var from, to time.Time
	c := Config{Target: s.addr(), Kind: Request, Rate: rate, Arrivals: Fixed, Connections: 2, RequestSize: 32, ResponseSize: 64, Bin: 50 * time.Millisecond}
	log, err := drive(t, c, func() {
		time.Sleep(250 * time.Millisecond)
		from, to = s.stall(long)
		time.Sleep(250 * time.Millisecond)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := log.sum(results.LoadRequests, "outcome", "failed") + log.sum(results.LoadRequests, "outcome", "pending"); n != 0 {
		t.Errorf("%v requests were not answered", n)
	}
	// Every bin but the last, in which the client was told to end, holds rate × bin requests.
	asked := log.named(results.LoadRequests, "outcome", "ok")
	for _, x := range asked[:len(asked)-1] {
		if x.Value != 50 || x.Time%int64(50*time.Millisecond) != 0 {
			t.Errorf("bin at %d holds %v requests, want 50 at a multiple of 50 ms", x.Time, x.Value)
		}
	}
	stalled := to.Sub(from)
	slack := lateness(log) + 30*time.Millisecond // scheduling of the server's own threads, on a busy machine
	for _, x := range log.named(results.LoadLatency) {
		begin := time.Unix(0, x.Time)
		if begin.Before(from) || !begin.Before(to) {
			continue
		}
		// The first request of the bin waits longest: until the end of the stall.
		if got, want := seconds(x.Value), to.Sub(begin); got < want-slack || got > want+slack {
			t.Errorf("bin %v into the stall: longest latency %v, want %v", begin.Sub(from), got, want)
		}
	}
	// Of n requests of the stall, the share that waited more than x is (stall − x) / stall.
	all := merged(t, log.named(results.LoadLatency))
	for _, share := range []float64{0.25, 0.5, 0.75} {
		beyond := 0
		least := time.Duration(float64(stalled) * share)
		for _, bar := range all.Distribution() {
			if time.Duration(bar.From)*time.Microsecond >= least {
				beyond += int(bar.Count)
			}
		}
		want := float64(rate) * (stalled - least).Seconds()
		if math.Abs(float64(beyond)-want) > rate*slack.Seconds() {
			t.Errorf("%d requests waited %v or longer, want %.0f", beyond, least, want)
		}
	}
	// A closed loop of two connections would have seen two of them.
	if n := len(log.named(results.LoadInfo, "kind", Request, "rate", "1000", "arrivals", Fixed, "connections", "2", "bin", "0.05", "on", "client")); n != 1 {
		t.Errorf("load.info is there %d times", n)
	}
}

func seconds(v float64) time.Duration { return time.Duration(v * 1e9) }

// lateness is by how much the client itself was late at most.
func lateness(log *recorder) time.Duration {
	most := 0.0
	for _, x := range log.named(results.LoadLatency) {
		v, _ := strconv.ParseFloat(x.Attrs["late"], 64)
		most = max(most, v)
	}
	return seconds(most)
}

func TestAnswersAndBytesCountByArrival(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	var from, to time.Time
	c := Config{Target: s.addr(), Kind: Request, Rate: 500, Arrivals: Poisson, RequestSize: 8, ResponseSize: 64, Bin: 20 * time.Millisecond}
	log, err := drive(t, c, func() {
		time.Sleep(100 * time.Millisecond)
		from, to = s.stall(200 * time.Millisecond)
		time.Sleep(100 * time.Millisecond)
	})
	if err != nil {
		t.Fatal(err)
	}
	ok := log.sum(results.LoadRequests, "outcome", "ok")
	if got := log.sum(results.LoadAnswers); got != ok {
		t.Errorf("%v answers by arrival, %v by when they were due", got, ok)
	}
	if got := log.sum(results.LoadBytes); got != ok*68 {
		t.Errorf("%v B came, want %v", got, ok*68)
	}
	bins := log.named(results.LoadAnswers)
	silent := 0
	for i, x := range bins {
		if i > 0 && x.Time != bins[i-1].Time+int64(20*time.Millisecond) {
			t.Errorf("bins are not in a row: %d after %d", x.Time, bins[i-1].Time)
		}
		begin := time.Unix(0, x.Time)
		if begin.After(from.Add(20*time.Millisecond)) && begin.Add(20*time.Millisecond).Before(to) {
			silent++
			if x.Value != 0 {
				t.Errorf("%v answers came during the stall", x.Value)
			}
		}
	}
	if silent == 0 {
		t.Error("no bin lies in the stall")
	}
}

func TestBrokenConnectionsFailWhatTheyOwe(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	c := Config{Target: s.addr(), Kind: Request, Rate: 500, Arrivals: Fixed, Connections: 3, RequestSize: 8, ResponseSize: 64}
	log, err := drive(t, c, func() {
		time.Sleep(100 * time.Millisecond)
		s.gate.Lock()
		time.Sleep(100 * time.Millisecond) // about 50 are unanswered
		s.breakAll()
		s.gate.Unlock()
		time.Sleep(200 * time.Millisecond)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := log.sum(results.LoadRequests, "outcome", "failed"); n < 30 {
		t.Errorf("%v requests failed, want those of 100 ms", n)
	}
	if again := log.named(results.LoadReconnect); len(again) != 3 || again[0].Attrs["error"] == "" {
		t.Errorf("connections were made anew: %+v, want three with a reason", again)
	}
	last := log.named(results.LoadAnswers)
	if n := last[len(last)-2].Value; n == 0 {
		t.Error("nothing was answered after the break")
	}
}

func TestWhatIsNotAnsweredIsPending(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	c := Config{
		Target: s.addr(), Kind: Request, Rate: 1000, Arrivals: Fixed, RequestSize: 1 << 16, ResponseSize: 64,
		Linger: 10 * time.Millisecond, Queue: 150,
	}
	s.gate.Lock()
	log, err := drive(t, c, func() { time.Sleep(400 * time.Millisecond) })
	s.gate.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	// The socket's buffers hold a few MB; what is due goes on being due, and beyond the queue's bound it fails.
	if n := log.sum(results.LoadRequests, "outcome", "pending"); n != 150 {
		t.Errorf("%v requests are pending, want 150", n)
	}
	total := log.sum(results.LoadRequests)
	if total < 300 || log.sum(results.LoadRequests, "outcome", "failed") != total-150 {
		t.Errorf("%v requests were due, %v of them failed", total, log.sum(results.LoadRequests, "outcome", "failed"))
	}
	if len(log.named(results.LoadLatency)) != 0 {
		t.Error("a latency was recorded where nothing was answered")
	}
}

func TestAnswerOfAnotherSizeFails(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	c := Config{Target: s.addr(), Kind: Request, Rate: 200, RequestSize: 8, ResponseSize: 65}
	log, err := drive(t, c, func() { time.Sleep(100 * time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	if log.sum(results.LoadRequests, "outcome", "ok") != 0 || log.sum(results.LoadRequests, "outcome", "failed") == 0 {
		t.Errorf("got %+v", log.named(results.LoadRequests))
	}
}

func TestStoreIsFilledBeforeArmed(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	c := Config{Target: s.addr(), Kind: KV, Rate: 1000, Keys: 1500, ValueSize: 700, Gets: 0.5, Connections: 4}
	atArm := 0
	log, err := drive(t, c, func() {
		s.mu.Lock()
		atArm = len(s.store)
		s.mu.Unlock()
		time.Sleep(200 * time.Millisecond)
	})
	if err != nil {
		t.Fatal(err)
	}
	first, last := s.value("key:000000000000"), s.value("key:000000001499")
	if atArm != 1500 || first != 700 || last != 700 {
		t.Errorf("%d keys were set as it was armed, of %d and %d B", atArm, first, last)
	}
	ok := log.sum(results.LoadRequests, "outcome", "ok")
	if ok == 0 || ok != log.sum(results.LoadRequests) {
		t.Errorf("%v of %v requests were answered", ok, log.sum(results.LoadRequests))
	}
	sets := float64(s.written() - 1500)
	if share := sets / ok; math.Abs(share-0.5) > 6*0.5/math.Sqrt(ok) {
		t.Errorf("%.2f of %v requests wrote, want half", share, ok)
	}
	// A second client finds it full.
	before := s.written()
	c.Gets = 1
	if _, err := drive(t, c, func() {}); err != nil {
		t.Fatal(err)
	}
	if n := s.written() - before; n != 0 {
		t.Errorf("a full store was filled again: %d keys were set", n)
	}
	// One of another size does not.
	c.ValueSize = 701
	if _, err := drive(t, c, func() {}); err != nil {
		t.Fatal(err)
	}
	if n := s.written() - before; n != 1500 {
		t.Errorf("%d keys were set, want all 1500", n)
	}
}

// Nobody listens: the error says so once the trial gives up.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := l.Addr().(*net.TCPAddr).AddrPort()
	_ = l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = New(Config{In: here{}, Target: target, Kind: Request, Rate: 1}).Run(ctx, &recorder{}, func() { t.Error("armed") })
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("got %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	for name, c := range map[string]Config{
		"kind":     {Target: s.addr(), Kind: "smtp", Rate: 1},
		"target":   {Kind: Request, Rate: 1},
		"rate":     {Target: s.addr(), Kind: Request},
		"not rate": {Target: s.addr(), Kind: Request, Rate: math.NaN()},
		"gets":     {Target: s.addr(), Kind: KV, Rate: 1, Gets: 1.1},
		"arrivals": {Target: s.addr(), Kind: Request, Rate: 1, Arrivals: "bursts"},
		"pattern":  {Target: s.addr(), Kind: KV, Rate: 1, Pattern: "hot"},
		"bin":      {Target: s.addr(), Kind: Request, Rate: 1, Bin: time.Microsecond},
		"keys":     {Target: s.addr(), Kind: KV, Rate: 1, Keys: -1},
	} {
		if _, err := drive(t, c, func() {}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBulkCountsAllBytes(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		time.Sleep(250 * time.Millisecond) // the first bin has begun
		_, _ = c.Write(make([]byte, 3<<20))
	}()
	log, err := drive(t, Config{Target: l.Addr().(*net.TCPAddr).AddrPort(), Kind: Bulk}, func() { time.Sleep(700 * time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	if n := log.sum(results.LoadBytes, "kind", Bulk, "bin", "0.1"); n != 3<<20 {
		t.Errorf("%v B were counted, want 3 MiB", n)
	}
	if len(log.named(results.LoadAnswers)) != 0 || len(log.named(results.LoadRequests)) != 0 {
		t.Error("bulk has no requests")
	}
}

// nowhere is a network of its own without any interface that is up.
type nowhere struct{}

func (nowhere) Do(f func() error) error { return host.InScratchNamespace(f) }

// Sockets belong to the client's network, not to this process's, where the server could be reached.
func TestSocketsAreOfTheClientsNetwork(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root: a network namespace")
	}
	s := serve(t, false)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := New(Config{In: nowhere{}, Target: s.addr(), Kind: Request, Rate: 1}).Run(ctx, &recorder{}, func() { t.Error("armed") })
	if err == nil || !strings.Contains(err.Error(), "unreachable") {
		t.Fatalf("got %v", err)
	}
}
