package ready

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"virtscope/results"
)

// here is this process's own network.
type here struct{}

func (here) Do(f func() error) error { return f() }

// nowhere cannot be entered.
type nowhere struct{}

var errNowhere = errors.New("no such network")

func (nowhere) Do(func() error) error { return errNowhere }

// recorder keeps records.
type recorder struct {
	mu   sync.Mutex
	list []results.Record
}

func (r *recorder) Record(rec results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rec)
}

func (r *recorder) named(name string) (list []results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.list {
		if rec.Name == name {
			list = append(list, rec)
		}
	}
	return list
}

// waiter is closed with the test; its records come to log.
func waiter(t testing.TB, c Config) (w *Waiter, log *recorder) {
	t.Helper()
	if c.In == nil {
		c.In = here{}
	}
	c.Host = "client"
	w, log = New(c), &recorder{}
	t.Cleanup(func() {
		if err := w.Close(log); err != nil {
			t.Error(err)
		}
	})
	return w, log
}

// read is the only answer's figures.
func read(t *testing.T, log *recorder, method string) (at int64, rtt, bound float64, attempts int) {
	t.Helper()
	list := log.named(results.BootAnswer)
	if len(list) != 1 {
		t.Fatalf("%d answers", len(list))
	}
	r := list[0]
	if r.Host != "client" || r.Source != results.SourceReady || r.Attrs["method"] != method {
		t.Errorf("got %+v", r)
	}
	rtt, err1 := strconv.ParseFloat(r.Attrs["rtt"], 64)
	bound, err2 := strconv.ParseFloat(r.Attrs["bound"], 64)
	attempts, err3 := strconv.Atoi(r.Attrs["attempts"])
	if err := errors.Join(err1, err2, err3); err != nil || bound < 0 || rtt < 0 {
		t.Fatalf("got %+v: %v", r, err)
	}
	return r.Time, rtt, bound, attempts
}

// responder answers each datagram from a time on; what came before it answers then, or drops.
func responder(t testing.TB, addr string, from time.Time, drops bool) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		if !drops {
			time.Sleep(time.Until(from)) // the socket's buffer holds them, as a host's queue to a guest does
		}
		b := make([]byte, 2048)
		for {
			n, sender, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if time.Now().After(from) {
				_, _ = conn.WriteToUDPAddrPort(b[:n], sender)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestBound(t *testing.T) {
	const ms = int64(time.Millisecond)
	for _, tt := range []struct {
		name string
		a    answer
		want int64
	}{
		{"the first attempt is answered at once", answer{at: 103 * ms, sent: 100 * ms, before: 100 * ms, interval: 10 * ms}, 3 * ms},
		{"the one before was not", answer{at: 103 * ms, sent: 100 * ms, before: 90 * ms, interval: 10 * ms}, 13 * ms},
		{"held, and nothing more is known", answer{at: 9100 * ms, sent: 100 * ms, before: 90 * ms, interval: 10 * ms}, 9010 * ms},
		{"held, and another took 4 ms", answer{at: 9100 * ms, sent: 100 * ms, before: 90 * ms, interval: 10 * ms, fresh: 4 * ms}, 14 * ms},
		{"held, and another took longer", answer{at: 150 * ms, sent: 100 * ms, before: 90 * ms, interval: 10 * ms, fresh: 900 * ms}, 60 * ms},
	} {
		if got := tt.a.bound(); got != tt.want {
			t.Errorf("%s: %d ms, want %d", tt.name, got/ms, tt.want/ms)
		}
	}
	if got := spread(10*time.Millisecond, time.Millisecond, 5); got != 10*time.Millisecond {
		t.Errorf("five guests are asked every %s", got)
	}
	if got := spread(10*time.Millisecond, time.Millisecond, 50); got != 50*time.Millisecond {
		t.Errorf("fifty guests are asked every %s", got)
	}
}

// The edge lies between the answer and its bound before that, whether attempts are lost or held until the guest is up.
func TestEcho(t *testing.T) {
	t.Parallel()
	for _, drops := range []bool{true, false} {
		t.Run(fmt.Sprint("drops=", drops), func(t *testing.T) {
			t.Parallel()
			w, log := waiter(t, Config{})
			edge := time.Now().Add(300 * time.Millisecond)
			target := responder(t, "127.0.0.1:0", edge, drops)
			if err := w.Await(t.Context(), Target{Method: Echo, Addr: target.Addr(), Port: target.Port()}, log); err != nil {
				t.Fatal(err)
			}
			at, rtt, bound, attempts := read(t, log, Echo)
			late := float64(at-edge.UnixNano()) / 1e9
			if late < -1e-3 || bound < late {
				t.Errorf("the answer came %g s after the edge: more than its bound, %g s", late, bound)
			}
			if attempts < 2 || !drops && rtt < 0.2 {
				t.Errorf("%d attempts, the one that was answered took %g s", attempts, rtt)
			}
			if late < 0.05 && bound > 0.25 {
				t.Errorf("the bound is %g s: all that was waited", bound)
			}
		})
	}
}

// Datagrams that answer no attempt are no answer.
func TestEchoOfOthers(t *testing.T) {
	t.Parallel()
	w, log := waiter(t, Config{})
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	go func() {
		b := make([]byte, 2048)
		for {
			n, sender, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = stranger.WriteToUDPAddrPort(b[:n], sender) // from elsewhere
			_, _ = conn.WriteToUDPAddrPort(b[:n-1], sender)   // cut
			b[8] ^= 1
			_, _ = conn.WriteToUDPAddrPort(b[:n], sender) // another waiter's
			b[8] ^= 1
			b[16] = 0x80
			_, _ = conn.WriteToUDPAddrPort(b[:n], sender) // an attempt that was never made
		}
	}()
	target := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 150*time.Millisecond, errors.New("too late"))
	defer cancel()
	err = w.Await(ctx, Target{Method: Echo, Addr: target.Addr(), Port: target.Port()}, log)
	if err == nil || !strings.Contains(err.Error(), "too late") || !strings.Contains(err.Error(), "no answer to") || len(log.named(results.BootAnswer)) > 0 {
		t.Errorf("got %v", err)
	}
}

// listen accepts at an address from a time on, and calls serve with each connection.
func listen(t *testing.T, addr string, from time.Time, serve func(net.Conn)) {
	t.Helper()
	ended := make(chan net.Listener, 1)
	time.AfterFunc(time.Until(from), func() {
		l, err := net.Listen("tcp4", addr)
		if err != nil {
			t.Error(err)
			close(ended)
			return
		}
		ended <- l
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	})
	t.Cleanup(func() {
		if l, ok := <-ended; ok {
			_ = l.Close()
		}
	})
}

// free is a TCP address where nobody listens.
func free(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestConnects(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	for _, tt := range []struct {
		name, method string
		serve        func(net.Conn)
	}{
		{"port", Port, func(net.Conn) {}},
		{"ssh", SSH, func(c net.Conn) {
			_, _ = c.Write([]byte("be\r\nwelcome\r\nSSH-2.0-x\r\n"))
			time.Sleep(50 * time.Millisecond)
		}},
		{"ssh that refuses the first", SSH, func(c net.Conn) {
			if asked.Add(1) > 1 {
				_, _ = c.Write([]byte("SSH-2.0-x\r\n"))
			}
		}},
		{"http", HTTP, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, log := waiter(t, Config{Connects: 30 * time.Millisecond})
			to, edge := free(t), time.Now().Add(200*time.Millisecond)
			listen(t, to.String(), edge, tt.serve)
			if err := w.Await(t.Context(), Target{Method: tt.method, Addr: to.Addr(), Port: to.Port()}, log); err != nil {
				t.Fatal(err)
			}
			at, rtt, bound, attempts := read(t, log, tt.method)
			late := float64(at-edge.UnixNano()) / 1e9
			if late < -1e-3 || strings.HasPrefix(tt.name, "ssh that") == false && bound < late {
				t.Errorf("the answer came %g s after the edge: more than its bound, %g s", late, bound)
			}
			if attempts < 2 || rtt > bound+1e-9 {
				t.Errorf("%d attempts, %g s, bound %g s", attempts, rtt, bound)
			}
		})
	}
}

// A page that is not there yet is no answer, nor is a server that says something else.
func TestNotYet(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 || r.URL.Path != "/up" {
			out.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	to := l.Addr().(*net.TCPAddr).AddrPort()
	w, log := waiter(t, Config{Connects: 10 * time.Millisecond})
	if err := w.Await(t.Context(), Target{Method: HTTP, Addr: to.Addr(), Port: to.Port(), Path: "/up"}, log); err != nil {
		t.Fatal(err)
	}
	if _, _, _, attempts := read(t, log, HTTP); attempts < 3 {
		t.Errorf("%d attempts, want 3: the first two pages were not there", attempts)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = w.Await(ctx, Target{Method: HTTP, Addr: to.Addr(), Port: to.Port()}, log)
	if err == nil || !strings.Contains(err.Error(), "status 503") {
		t.Errorf("a page that is never there: %v", err)
	}
	err = w.Await(ctx, Target{Method: SSH, Addr: to.Addr(), Port: to.Port()}, log)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a web server for ssh: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w, log := waiter(t, Config{})
	for _, target := range []Target{
		{Method: "icmp", Addr: netip.MustParseAddr("127.0.0.1")},
		{Method: Echo},
		{Method: Echo, Addr: netip.MustParseAddr("::1")},
	} {
		if err := w.Await(t.Context(), target, log); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%+v: %v", target, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	there := responder(t, "127.0.0.1:0", time.Now().Add(time.Hour), true)
	target := Target{Method: Echo, Addr: there.Addr(), Port: there.Port()}
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- w.Await(ctx, target, log) }()
	}
	if err := <-ended; !strings.Contains(err.Error(), "waited for already") {
		t.Errorf("two that wait for one guest: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	lost := New(Config{In: nowhere{}})
	if err := lost.Await(t.Context(), Target{Method: Echo, Addr: there.Addr()}, log); !errors.Is(err, errNowhere) {
		t.Errorf("no network: %v", err)
	}
	if err := lost.Close(log); err != nil {
		t.Error(err)
	}
}

// Closing ends every wait, and leaves no goroutine.
func TestClose(t *testing.T) {
	w, log := New(Config{Host: "client", In: here{}}), &recorder{}
	before := runtime.NumGoroutine()
	there, to := responder(t, "127.0.0.1:0", time.Now().Add(time.Hour), true), free(t)
	ended := make(chan error, 2)
	go func() {
		ended <- w.Await(context.Background(), Target{Method: Echo, Addr: there.Addr(), Port: there.Port()}, log)
	}()
	go func() {
		ended <- w.Await(context.Background(), Target{Method: Port, Addr: to.Addr(), Port: to.Port()}, log)
	}()
	time.Sleep(50 * time.Millisecond)
	for range 2 {
		if err := w.Close(log); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, errClosed) {
			t.Errorf("got %v", err)
		}
	}
	if err := w.Await(t.Context(), Target{Method: Echo, Addr: there.Addr()}, log); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	if got := log.named(results.ProbeCPU); len(got) != 1 || got[0].Source != results.SourceReady || got[0].Value <= 0 {
		t.Errorf("what it cost: %+v", got)
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before+2; time.Sleep(5 * time.Millisecond) { // the responder's
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// Fifty guests are waited for at once, each with its own answer.
func TestMany(t *testing.T) {
	t.Parallel()
	w, log := waiter(t, Config{})
	const guests = 50
	edge := time.Now().Add(500 * time.Millisecond)
	var all sync.WaitGroup
	for i := range guests {
		there := responder(t, fmt.Sprintf("127.0.1.%d:0", i+1), edge.Add(time.Duration(i)*10*time.Millisecond), true)
		all.Go(func() {
			if err := w.Await(t.Context(), Target{Method: Echo, Addr: there.Addr(), Port: there.Port()}, log); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(log.named(results.BootAnswer)); n != guests {
		t.Errorf("%d answers", n)
	}
	for _, r := range log.named(results.BootAnswer) {
		if r.Time < edge.UnixNano() {
			t.Errorf("an answer before its guest was up: %+v", r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b := make([]byte, datagram)
	copy(b, magic)
	f.Add(b, uint64(0))
	f.Add(b[:20], uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, number uint64) {
		if _, ok := decode(b, number); ok && (len(b) != datagram || !strings.HasPrefix(string(b), string(magic))) {
			t.Errorf("%x was taken", b)
		}
	})
}

// What waiting for guests costs while none answers: the figure is s of CPU a second.
func BenchmarkWait(b *testing.B) {
	for _, guests := range []int{1, 50} {
		b.Run(fmt.Sprint("guests=", guests), func(b *testing.B) {
			for b.Loop() {
				w, log := New(Config{In: here{}}), &recorder{}
				ctx, cancel := context.WithTimeout(b.Context(), 2*time.Second)
				var all sync.WaitGroup
				for i := range guests {
					there := responder(b, fmt.Sprintf("127.0.2.%d:0", i+1), time.Now().Add(time.Hour), true)
					all.Go(func() {
						_ = w.Await(ctx, Target{Method: Echo, Addr: there.Addr(), Port: there.Port()}, log)
					})
				}
				all.Wait()
				cancel()
				if err := w.Close(log); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(log.named(results.ProbeCPU)[0].Value/2, "cpu-s/s")
			}
		})
	}
}
