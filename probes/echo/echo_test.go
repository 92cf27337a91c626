package echo

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"net"
	"net/netip"
	"os"
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

// here is this process's own network.
type here struct{}

func (here) Do(f func() error) error { return f() }

// nowhere is a network of its own without any interface that is up.
type nowhere struct{}

func (nowhere) Do(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is not used again
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
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

func (r *recorder) named(names ...string) []results.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.records), func(x results.Record) bool { return !slices.Contains(names, x.Name) })
}

// responder answers each datagram as its script says.
type responder struct {
	conn *net.UDPConn
	mu   sync.Mutex
	seen []uint64
}

// respond starts a responder; script is called with each probe, under the lock, and sends what it likes.
func respond(t *testing.T, script func(seq uint64, reply func(b []byte), b []byte)) *responder {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r := &responder{conn: conn}
	go func() {
		for {
			b := make([]byte, 2048)
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			seq := uint64(b[16])<<56 | uint64(b[22])<<8 | uint64(b[23])
			r.mu.Lock()
			r.seen = append(r.seen, seq)
			script(seq, func(b []byte) { _, _ = conn.WriteToUDPAddrPort(b, from) }, b[:n])
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *responder) addr() netip.AddrPort { return r.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// run runs a train for a while.
func run(t *testing.T, c Config, long time.Duration) (*recorder, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if c.In == nil {
		c.In = here{}
	}
	c.Host = "client"
	var log recorder
	err := New(c).Run(ctx, &log, func() { time.AfterFunc(long, cancel) })
	return &log, err
}

// outcome sorts the probes and checks that each is told of once: answers as they arrived, then losses as they were sent.
func (r *recorder) outcome(t *testing.T) (rtt map[uint64]float64, lost []uint64) {
	t.Helper()
	rtt = map[uint64]float64{}
	last := int64(0)
	for i, x := range r.named(results.EchoRTT, results.EchoLost) {
		seq, err := strconv.ParseUint(x.Attrs["seq"], 10, 64)
		if _, again := rtt[seq]; err != nil || again || x.Host != "client" || x.Source != results.SourceEcho {
			t.Fatalf("record %d: %+v", i, x)
		}
		if x.Name == results.EchoLost {
			if len(lost) > 0 && seq <= lost[len(lost)-1] {
				t.Fatalf("record %d: %+v comes after the loss of %d", i, x, lost[len(lost)-1])
			}
			lost = append(lost, seq)
			continue
		}
		if arrived := arrival(x); x.Unit != results.Seconds || x.Value <= 0 || len(lost) > 0 || arrived < last {
			t.Fatalf("record %d: %+v arrived %d after the one before, after %d losses", i, x, arrived-last, len(lost))
		} else {
			last = arrived
		}
		rtt[seq] = x.Value
	}
	all := r.bySending()
	for i, x := range all {
		if x.Attrs["seq"] != strconv.Itoa(i) || i > 0 && x.Time <= all[i-1].Time {
			t.Fatalf("probe %d: %+v", i, x)
		}
	}
	return rtt, lost
}

// arrival is when a probe was answered.
func arrival(x results.Record) int64 { return x.Time + int64(math.Round(x.Value*1e9)) }

// bySending are the probes in the order of sending.
func (r *recorder) bySending() []results.Record {
	return slices.SortedFunc(slices.Values(r.named(results.EchoRTT, results.EchoLost)), func(a, b results.Record) int { return cmp.Compare(a.Time, b.Time) })
}

func TestTrainFindsTheSilence(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	var ignored []uint64 // under the responder's lock
	r := respond(t, func(seq uint64, reply func([]byte), b []byte) {
		if since := time.Since(begin); since > 150*time.Millisecond && since < 300*time.Millisecond {
			ignored = append(ignored, seq)
			return
		}
		reply(b)
	})
	before := time.Now().UnixNano()
	log, err := run(t, Config{Target: r.addr(), Interval: 2 * time.Millisecond}, 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	rtt, lost := log.outcome(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(lost, ignored) || len(lost) == 0 {
		t.Errorf("lost %v, ignored were %v", lost, ignored)
	}
	if len(rtt)+len(lost) != len(r.seen) || len(rtt) == 0 {
		t.Errorf("%d answered, %d lost, %d arrived", len(rtt), len(lost), len(r.seen))
	}
	for seq, v := range rtt {
		if v > time.Since(begin).Seconds() {
			t.Errorf("probe %d took %v s", seq, v)
		}
	}
	all := log.bySending()
	if first, last := all[0].Time, all[len(all)-1].Time; first < before || last > time.Now().UnixNano() || last-first < 400e6 {
		t.Errorf("sent from %d to %d", first, last)
	}
	interval := log.named(results.EchoInterval)
	if len(interval) != 1 || interval[0].Value != 0.002 || interval[0].Unit != results.Seconds {
		t.Errorf("interval: %+v", interval)
	}
	for _, name := range []string{results.ProbeCPU, results.ProbeWall, results.ProbeLate, results.ProbeDropped} {
		if got := log.named(name); len(got) != 1 || got[0].Source != results.SourceEcho {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// No slot is taken twice and none vanishes: what was not sent was counted.
	slots := (all[len(all)-1].Time-all[0].Time)/2e6 + 1
	counted := int64(len(all)) + int64(log.named(results.ProbeLate)[0].Value)
	if counted < slots-2 || counted > slots+2 {
		t.Errorf("%d slots passed, %d were sent or counted as late", slots, counted)
	}
}

func TestTrainTakesRepliesAsTheyAre(t *testing.T) {
	t.Parallel()
	r := respond(t, func(seq uint64, reply func([]byte), b []byte) {
		switch seq {
		case 3: // late, but an answer
			time.AfterFunc(120*time.Millisecond, func() { reply(b) })
		case 4: // twice, the second much later
			reply(b)
			time.AfterFunc(100*time.Millisecond, func() { reply(b) })
		case 5: // another train's
			b[8] ^= 1
			reply(b)
		case 6: // a probe that was never sent
			b[16] = 1
			reply(b)
		case 7: // cut
			reply(b[:20])
		case 8: // not ours at all
			reply([]byte("hello"))
		default:
			reply(b)
		}
	})
	log, err := run(t, Config{Target: r.addr(), Interval: 5 * time.Millisecond, Size: 300}, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	rtt, lost := log.outcome(t)
	if !slices.Equal(lost, []uint64{5, 6, 7, 8}) {
		t.Errorf("lost %v", lost)
	}
	if rtt[3] < 0.120 {
		t.Errorf("the late reply took %v s, want at least 0.12", rtt[3])
	}
	if rtt[4] >= 0.100 {
		t.Errorf("the duplicate counted: %v s", rtt[4])
	}
}

// A stranger's datagram is no reply, even if it looks like one.
func TestTrainIgnoresOtherSenders(t *testing.T) {
	t.Parallel()
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		for b := make([]byte, 100); ; {
			n, from, err := silent.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = stranger.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	log, err := run(t, Config{Target: silent.LocalAddr().(*net.UDPAddr).AddrPort(), Linger: 20 * time.Millisecond}, 40*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if rtt, lost := log.outcome(t); len(rtt) != 0 || len(lost) == 0 {
		t.Fatalf("answered: %v, lost %d", slices.Collect(maps.Keys(rtt)), len(lost))
	}
}

// Nobody listens: ICMP says so, and every probe is lost, not an error.
func TestTrainGoesOnWhenRefused(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	target := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	_ = conn.Close()
	log, err := run(t, Config{Target: target, Linger: 20 * time.Millisecond}, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if rtt, lost := log.outcome(t); len(rtt) != 0 || len(lost) < 2 {
		t.Fatalf("%d answered, %d lost", len(rtt), len(lost))
	}
}

func TestTrainGoesOnWithoutRoute(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root: a network namespace")
	}
	log, err := run(t, Config{In: nowhere{}, Target: netip.MustParseAddrPort("10.0.0.9:7")}, 60*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	rtt, lost := log.outcome(t)
	if len(rtt) != 0 || len(lost) < 2 {
		t.Fatalf("%d answered, %d lost", len(rtt), len(lost))
	}
	for _, x := range log.named(results.EchoLost) {
		if x.Attrs["error"] != unix.ENETUNREACH.Error() {
			t.Fatalf("got %+v", x)
		}
	}
}

// A sender that was held up leaves slots out and says how many.
func TestTrainLeavesMissedSlotsOut(t *testing.T) {
	t.Parallel()
	r := respond(t, func(_ uint64, reply func([]byte), b []byte) { reply(b) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log recorder
	c := Config{Host: "client", In: here{}, Target: r.addr(), Interval: 10 * time.Millisecond}
	err := New(c).Run(ctx, &log, func() {
		time.Sleep(105 * time.Millisecond) // on the sender's thread
		time.AfterFunc(95*time.Millisecond, cancel)
	})
	if err != nil {
		t.Fatal(err)
	}
	log.outcome(t)
	late := log.named(results.ProbeLate)[0].Value
	if late < 9 {
		t.Errorf("%v slots were counted as missed, want at least 9", late)
	}
	all := log.bySending()
	if gap := all[1].Time - all[0].Time; gap < 105e6 {
		t.Errorf("the second probe came after %d ns, in spite of the hold-up", gap)
	}
	slots := (all[len(all)-1].Time-all[0].Time)/10e6 + 1
	if counted := int64(len(all)) + int64(late); counted < slots-1 || counted > slots+1 {
		t.Errorf("%d slots passed, %d were sent or counted as missed", slots, counted)
	}
}

func TestTrainIsBounded(t *testing.T) {
	t.Parallel()
	r := respond(t, func(_ uint64, reply func([]byte), b []byte) { reply(b) })
	log, err := run(t, Config{Target: r.addr(), Interval: time.Millisecond, Limit: 5}, time.Minute)
	if ends := log.named(results.EchoLost, results.EchoInterval); len(ends) > 0 {
		t.Errorf("a train that failed told of its end: %+v", ends)
	}
	if err == nil || !strings.Contains(err.Error(), "probes.echo.interval") || !strings.Contains(err.Error(), r.addr().String()) {
		t.Fatalf("got %v", err)
	}
}

func TestRunWithoutTarget(t *testing.T) {
	t.Parallel()
	if _, err := run(t, Config{}, time.Minute); err == nil {
		t.Fatal("a train without a target ran")
	}
}

func TestIsLoss(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		unix.EHOSTUNREACH: true, unix.ENETUNREACH: true, unix.ECONNREFUSED: true, unix.ENOBUFS: true, unix.EAGAIN: true,
		unix.EBADF: false, unix.EINVAL: false, unix.EMSGSIZE: false, errors.New("other"): false,
	} {
		if isLoss(err) != want {
			t.Errorf("%v: got %v", err, !want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b := make([]byte, 40)
	encode(b, 7, 9)
	f.Add(b, uint64(7))
	f.Add(b[:23], uint64(7))
	f.Fuzz(func(t *testing.T, b []byte, number uint64) {
		seq, ok := decode(b, number)
		if !ok {
			return
		}
		again := make([]byte, headerSize)
		encode(again, number, seq)
		if !slices.Equal(again, b[:headerSize]) {
			t.Fatalf("%x was taken for probe %d", b, seq)
		}
	})
}

// TestHeard tells of answers while the train runs, no oftener than was asked, and of none in a silence.
func TestHeard(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	r := respond(t, func(_ uint64, reply func([]byte), b []byte) {
		if time.Since(begin) < 200*time.Millisecond {
			reply(b)
		}
	})
	const least = 20 * time.Millisecond
	log, err := run(t, Config{Target: r.addr(), Interval: time.Millisecond, Heard: least}, 400*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	heard := log.named(results.EchoHeard)
	if len(heard) < 2 || len(heard) > 11 {
		t.Errorf("%d in 200 ms", len(heard))
	}
	for i, x := range heard {
		if i > 0 && x.Time-heard[i-1].Time < int64(least) {
			t.Errorf("%d comes %d ns after the one before", i, x.Time-heard[i-1].Time)
		}
	}
	both := log.named(results.EchoHeard, results.EchoRTT)
	if both[0].Name != results.EchoHeard || both[len(both)-1].Name != results.EchoRTT {
		t.Error("they do not come before the answers are told")
	}
	if silent, _ := run(t, Config{Target: r.addr(), Heard: least}, 20*time.Millisecond); len(silent.named(results.EchoHeard)) > 0 {
		t.Error("something was heard in the silence")
	}
}
