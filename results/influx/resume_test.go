package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"virtscope/results"
)

// TestHelperShips is no test: it ships in a process of its own, which TestKilledShipper kills.
func TestHelperShips(t *testing.T) {
	dir, url, ok := strings.Cut(os.Getenv("VIRTSCOPE_TEST_SHIP"), "|")
	if !ok {
		t.Skip("it is started by TestKilledShipper")
	}
	r, err := results.Open(dir)
	must(t, err)
	must(t, (&Shipper{Run: r, Target: target(url, "k"), batchLines: 200, saveEvery: 20 * time.Millisecond}).Ship(t.Context()))
}

// kill -9 of the process that ships, over and over: the next one goes on, and every point is there, once.
func TestKilledShipper(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	createDB(t, d, "k")
	r := makeRun(t, 3, 5_000)
	// Slow enough to be killed in the middle.
	p := newProxy(t, d.URL, func(int, http.ResponseWriter, *http.Request) bool { time.Sleep(60 * time.Millisecond); return false })
	kills := 0
	for kills < 3 {
		state, err := ReadState(r, target(p.URL, "k"))
		must(t, err)
		before := state.Settled()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperShips$")
		cmd.Env = append(os.Environ(), "VIRTSCOPE_TEST_SHIP="+r.Dir+"|"+p.URL)
		must(t, cmd.Start())
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		progress := func() bool {
			s, err := ReadState(r, target(p.URL, "k"))
			return err == nil && s.Settled() >= before+1_000
		}
		for over := false; !over && !progress(); {
			select {
			case <-done:
				over = true
			case <-time.After(20 * time.Millisecond):
			}
		}
		_ = cmd.Process.Kill()
		<-done
		kills++
	}
	state, err := ReadState(r, target(p.URL, "k"))
	must(t, err)
	if n := state.Settled(); n < 1_000 || n >= 15_000 {
		t.Fatalf("%d records are settled after %d kills", n, kills)
	}
	s := &Shipper{Run: r, Target: target(p.URL, "k"), batchLines: 2_000}
	ship(t, s)
	if got := s.Status(); got.Records != 15_000 || got.Sent != 15_000-state.Settled() {
		t.Errorf("status %+v after %d", got, state.Settled())
	}
	same(t, served(t, d, "k"), wanted(t, r))
}

// A run that goes on: an attempt that is set aside for another, one that is cut off by a kill, and a trial after them.
func TestShipLive(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	createDB(t, d, "live")
	r := makeRun(t, 2, 1)
	must(t, os.RemoveAll(r.Dir+"/trials"))
	must(t, os.Mkdir(r.Dir+"/trials", 0o755))
	must(t, os.Remove(r.Dir+"/journal.ndjson"))
	var over atomic.Bool
	s := &Shipper{Run: r, Target: target(d.URL, "live"), Over: over.Load, Gentle: true}
	done := make(chan error, 1)
	go func() { done <- s.Ship(t.Context()) }()
	first := beginAttempt(t, r, r.Plan[0])
	feed(first, 0, 800)
	waitFor(t, func() bool { return s.Status().Records == 800 }) // while it is under way
	feed(first, 800, 200)
	must(t, first.Finish(&results.Outcome{Trial: r.Plan[0], Attempt: 1, Verdict: results.Invalid}))
	second := beginAttempt(t, r, r.Plan[0]) // sets the first aside at once
	feed(second, 1_000, 3_000)
	must(t, second.Finish(&results.Outcome{Trial: r.Plan[0], Attempt: 2, Verdict: results.Completed}))
	third := beginAttempt(t, r, r.Plan[1])
	feed(third, 4_000, 1_500)
	waitFor(t, func() bool { return s.Status().Records == 5_500 })
	must(t, third.Finish(&results.Outcome{Trial: r.Plan[1], Attempt: 1, Verdict: results.Completed}))
	over.Store(true)
	must(t, <-done)
	same(t, served(t, d, "live"), wanted(t, r))
	if got := s.Status(); got.Records != 5_500 {
		t.Errorf("status %+v", got)
	}
}

// An attempt that a kill cut off ships what can be read, and the state says so.
func TestShipACutOffAttempt(t *testing.T) {
	r := makeRun(t, 1, 2_000)
	dir := r.TrialDir(r.Plan[0].ID)
	must(t, os.Remove(dir+"/trial.json"))
	data, err := os.ReadFile(dir + "/records.ndjson.gz")
	must(t, err)
	must(t, os.WriteFile(dir+"/records.ndjson.gz", data[:len(data)/2], 0o644))
	p := newProxy(t, "http://127.0.0.1:1", status(http.StatusNoContent))
	s := &Shipper{Run: r, Target: target(p.URL, "x")}
	ship(t, s)
	state, err := ReadState(r, s.Target)
	must(t, err)
	notes := state.Notes()
	if n := s.Status().Records; n == 0 || n >= 2_000 || len(notes) != 1 || !strings.Contains(notes[0], "cut off") {
		t.Errorf("%d records, notes %q", n, notes)
	}
}

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}

// memory is the most that the heap grows to while f runs, in bytes.
func memory(f func()) (most uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	begin := m.HeapAlloc
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc-min(begin, m.HeapAlloc))
			}
		}
	}()
	f()
	close(stop)
	<-stopped
	return most
}

// With the server away, or stalled, for the whole of a run of many records, memory stays bounded; what was read is not kept.
func TestMemoryIsBounded(t *testing.T) {
	const bound = 64 << 20
	r := makeRun(t, 4, 50_000)
	stalled, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer stalled.Close()
	go func() {
		for {
			c, err := stalled.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetReadBuffer(1 << 10)
		}
	}()
	for name, url := range map[string]string{"away": "http://127.0.0.1:1", "stalled": "http://" + stalled.Addr().String()} {
		for _, gentle := range []bool{true, false} {
			ctx, cancel := context.WithCancel(t.Context())
			s := &Shipper{Run: r, Target: target(url, "x"), Gentle: gentle}
			s.Target.Timeout = time.Second
			go func() { // until there was trouble, and then for so long that all could have been read
				for begin := time.Now(); s.Status().Trouble == "" && time.Since(begin) < 2*time.Minute; {
					time.Sleep(20 * time.Millisecond)
				}
				time.Sleep(time.Second)
				cancel()
			}()
			most := memory(func() {
				if err := s.Ship(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", name, err)
				}
			})
			cancel()
			if got := s.Status(); most > bound || got.Trouble == "" || got.Records != 0 {
				t.Errorf("%s, gentle %v: %d MiB, status %+v", name, gentle, most>>20, got)
			}
			t.Logf("%s, gentle %v: %.1f MiB", name, gentle, float64(most)/(1<<20))
		}
	}
	// A server that takes all: the same bound.
	p := newProxy(t, "http://127.0.0.1:1", status(http.StatusNoContent))
	s := &Shipper{Run: r, Target: target(p.URL, "x")}
	most := memory(func() { ship(t, s) })
	t.Logf("taken: %.1f MiB", float64(most)/(1<<20))
	if most > bound || s.Status().Records != 200_000 {
		t.Errorf("%d MiB, status %+v", most>>20, s.Status())
	}
}

// A server that is away for longer than we want to wait.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	r := makeRun(t, 1, 10)
	err := (&Shipper{Run: r, Target: target("http://127.0.0.1:1", "x"), GiveUp: 300 * time.Millisecond}).Ship(t.Context())
	if err == nil || !strings.Contains(err.Error(), "did not take anything") {
		t.Errorf("got %v", err)
	}
}

// What stands about a run and its attempts is sent with them, once.
func TestHeadAndBeside(t *testing.T) {
	d := daemon(t, false)
	createDB(t, d, "h")
	r := makeRun(t, 2, 300)
	heads := 0
	s := &Shipper{
		Run: r, Target: target(d.URL, "h"),
		Head: func() ([]byte, error) {
			heads++
			return []byte("run,run=run-1 text=\"two\nlines, \\\"quoted\\\"\" 1\nrun,run=run-1 text=\"b\" 2\n"), nil
		},
		Beside: func(_ context.Context, a results.Attempted) ([]byte, error) {
			return []byte("trial,id=" + a.Trial.ID + " ok=true 1\n"), nil
		},
	}
	ship(t, s)
	next := &Shipper{Run: r, Target: s.Target, Head: s.Head, Beside: s.Beside}
	ship(t, next)
	if heads != 1 {
		t.Errorf("the head was sent %d times", heads)
	}
	want := wanted(t, r)
	want["run,run=run-1 1"] = map[string]any{"text": "two\nlines, \"quoted\""}
	want["run,run=run-1 2"] = map[string]any{"text": "b"}
	want["trial,id=0001-x 1"] = map[string]any{"ok": true}
	want["trial,id=0002-x 1"] = map[string]any{"ok": true}
	same(t, served(t, d, "h"), want)
}

// What stands beside a large attempt is not derived while a trial is measured, but once the run is over; and by the next Shipper if this one ended before.
func TestBesideOfALargeAttemptIsLate(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	createDB(t, d, "late")
	r := makeRun(t, 3, 1)
	must(t, os.RemoveAll(r.Dir+"/trials"))
	must(t, os.Mkdir(r.Dir+"/trials", 0o755))
	must(t, os.Remove(r.Dir+"/journal.ndjson"))
	var over atomic.Bool
	var mu sync.Mutex
	asked := map[string]bool{} // and whether the run was over
	gentle := func(ctx context.Context) (*Shipper, chan error) {
		s := &Shipper{
			Run: r, Target: target(d.URL, "late"), Over: over.Load, Gentle: true, maxBeside: 500,
			Beside: func(_ context.Context, a results.Attempted) ([]byte, error) {
				mu.Lock()
				defer mu.Unlock()
				asked[a.Trial.ID] = over.Load()
				return []byte("trial,id=" + a.Trial.ID + " ok=true 1\n"), nil
			},
		}
		done := make(chan error, 1)
		go func() { done <- s.Ship(ctx) }()
		return s, done
	}
	attempt := func(i, from, n int) {
		a := beginAttempt(t, r, r.Plan[i])
		feed(a, from, n)
		must(t, a.Finish(&results.Outcome{Trial: r.Plan[i], Attempt: 1, Verdict: results.Completed}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, done := gentle(ctx)
	attempt(0, 0, 800)
	waitFor(t, func() bool { return s.Status().Records == 800 })
	cancel() // this one never gets to it
	<-done
	s, done = gentle(t.Context())
	attempt(1, 1_000, 900)
	attempt(2, 2_000, 400)
	waitFor(t, func() bool { return s.Status().Records == 2_100 })
	waitFor(t, func() bool { mu.Lock(); defer mu.Unlock(); _, ok := asked[r.Plan[2].ID]; return ok })
	over.Store(true)
	must(t, <-done)
	if len(asked) != 3 || !asked[r.Plan[0].ID] || !asked[r.Plan[1].ID] || asked[r.Plan[2].ID] {
		t.Errorf("asked while the run went on (false) or after it: %v", asked)
	}
	want := wanted(t, r)
	for _, p := range r.Plan {
		want["trial,id="+p.ID+" 1"] = map[string]any{"ok": true}
	}
	same(t, served(t, d, "late"), want)
	if rest, err := Unshipped(t.Context(), r, s.Target); err != nil || len(rest) != 0 {
		t.Errorf("left %+v, %v", rest, err)
	}
}

func TestLines(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "a b=1 2\n": 1, "a b=1 2\nc d=2": 2, "a b=\"x\ny\" 1\n": 1, `a"\ b b="\"` + "\n" + `" 1` + "\n" + `c d=1`: 2,
		`a,t=q"uote b=1 1` + "\n" + `c,t=q"uote b=1 1` + "\n": 2,
	} {
		if got := countLines([]byte(text)); got != want {
			t.Errorf("%q: %d lines, want %d", text, got, want)
		}
	}
}

// FuzzState: a file that somebody edited is refused or makes sense.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"format":1,"run":"r","url":"u","bucket":"b","attempts":[{"trial":"a","attempt":1,"before":0,"records":3}]}`))
	f.Add([]byte(`{"format":1,"attempts":[{"trial":"a","attempt":1,"records":-3}]}`))
	f.Add([]byte(`{"format":3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s State // what was edited is refused by its sum: here as if it were put right
		if err := json.Unmarshal(data, &s); err != nil || s.check() != nil {
			return
		}
		if s.Settled() < 0 {
			t.Errorf("%d records", s.Settled())
		}
		for i, a := range s.Attempts {
			if s.find(a.Trial, a.Attempt) != i {
				t.Errorf("attempt %d of %s stands twice", a.Attempt, a.Trial)
			}
		}
	})
}

// A state that is damaged, or of another target, is named with what to do.
func TestDamagedState(t *testing.T) {
	r := makeRun(t, 1, 10)
	to := target("http://127.0.0.1:1", "x")
	must(t, os.Mkdir(r.Dir+"/"+Dir, 0o755))
	other, err := (&State{Format: StateFormat, Run: "other"}).marshal()
	must(t, err)
	for text, want := range map[string]string{"{": "unexpected end", string(other): "of another run", `{"format":9}`: "format 9"} {
		must(t, os.WriteFile(statePath(r.Dir, to), []byte(text), 0o644))
		if err := (&Shipper{Run: r, Target: to}).Ship(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An attempt that another one sets aside in this moment is looked for again where it is now.
func TestBesideOfAnAttemptThatIsSetAside(t *testing.T) {
	r := makeRun(t, 1, 10)
	p := newProxy(t, "http://127.0.0.1:1", status(http.StatusNoContent))
	asked := 0
	s := &Shipper{
		Run: r, Target: target(p.URL, "x"), Over: func() bool { return true },
		Beside: func(_ context.Context, a results.Attempted) ([]byte, error) {
			if asked++; asked == 1 {
				beginAttempt(t, r, a.Trial) // between the look and the read
			}
			if _, err := os.Stat(a.Dir + "/trial.json"); err != nil {
				return nil, err
			}
			return fmt.Appendf(nil, "trial,id=%s attempt=%di 1\n", a.Trial.ID, a.Number), nil
		},
	}
	ship(t, s)
	state, err := ReadState(r, s.Target)
	must(t, err)
	if first := state.Attempts[0]; asked != 2 || first.Attempt != 1 || !first.Done || first.Note != "" {
		t.Errorf("asked %d times: %+v", asked, state.Attempts)
	}
}
