package influx

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
)

// A proxy stands before a server and does harm. Fault answers the n-th request, from 1, or leaves it to the server.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	times []time.Time
	fault func(n int, w http.ResponseWriter, r *http.Request) bool
}

func newProxy(t testing.TB, server string, fault func(n int, w http.ResponseWriter, r *http.Request) bool) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	must(t, err)
	pass := httputil.NewSingleHostReverseProxy(u)
	pass.ErrorLog = discard()
	p := &proxy{fault: fault}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.mu.Lock()
		p.times = append(p.times, time.Now())
		n := len(p.times)
		p.mu.Unlock()
		if !p.fault(n, w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	p.Config.ErrorLog = discard()
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.times)
}

func status(code int) func(n int, w http.ResponseWriter, r *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "no: secret-token", code)
		return true
	}
}

func reset(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// What passes is tried again until it has: every point arrives, once.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	r := makeRun(t, 2, 4_000)
	want := wanted(t, r)
	for name, fault := range map[string]func(n int, w http.ResponseWriter, r *http.Request) bool{
		"too_many": func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				w.Header().Set("Retry-After", "1")
				return status(http.StatusTooManyRequests)(n, w, r)
			}
			return false
		},
		"error": func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n%2 == 1 && n < 6 && status(http.StatusInternalServerError)(n, w, r)
		},
		"away": func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n%2 == 1 && n < 6 && status(http.StatusServiceUnavailable)(n, w, r)
		},
		"reset": func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n%3 == 1 && n < 8 {
				reset(w)
				return true
			}
			return false
		},
		"answer_lost": func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 || n == 5 { // the server takes it, and nobody hears
				res, err := http.Post(d.URL+r.URL.RequestURI(), "", r.Body)
				if err == nil {
					res.Body.Close()
					reset(w)
				}
				return true
			}
			return false
		},
		"stalled": func(n int, _ http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				<-r.Context().Done()
			}
			return n == 2
		},
		"slow_body": func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				w.Header().Set("Content-Length", "1000")
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = w.Write([]byte("so"))
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}
			return n == 2
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			createDB(t, d, name)
			p := newProxy(t, d.URL, fault)
			to := target(p.URL, name)
			to.Timeout = 2 * time.Second
			s := &Shipper{Run: r, Target: to, batchLines: 500}
			ship(t, s)
			if got := s.Status(); got.Retries == 0 || got.Refused != 0 || got.Records != 8_000 {
				t.Errorf("status %+v", got)
			}
			same(t, served(t, d, name), want)
		})
	}
}

// A server that says when to come back is left alone until then, by all that send.
func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	p := newProxy(t, "http://127.0.0.1:1", nil)
	var put time.Time
	p.fault = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			p.mu.Lock()
			put = time.Now()
			p.mu.Unlock()
			return true
		}
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	// One batch: nobody else is on its way when the answer comes.
	s := &Shipper{Run: makeRun(t, 1, 100), Target: target(p.URL, "x")}
	ship(t, s)
	if gap := p.times[1].Sub(put); gap < 990*time.Millisecond {
		t.Errorf("it was asked again after %s", gap)
	}
}

// What stays is said at once, with what to do about it, and without the secret; the folder keeps everything, and a later push ships it.
func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	for code, remedy := range map[int]string{
		http.StatusUnauthorized: "INFLUX_TOKEN", http.StatusForbidden: "write access", http.StatusNotFound: "CREATE DATABASE",
		http.StatusOK: "proxy", http.StatusFound: "elsewhere", http.StatusMethodNotAllowed: "look at what answers",
		http.StatusBadRequest: "refuses all that it is sent",
	} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			db := "stay" + strings.ToLower(strings.ReplaceAll(http.StatusText(code), " ", ""))
			createDB(t, d, db)
			r := makeRun(t, 2, 2_000)
			fault := status(code)
			p := newProxy(t, d.URL, fault)
			to := target(p.URL, db)
			to.Token = "secret-token"
			s := &Shipper{Run: r, Target: to, batchLines: 500}
			err := s.Ship(t.Context())
			if err == nil || !strings.Contains(err.Error(), remedy) || strings.Contains(err.Error(), "secret-token") {
				t.Fatalf("error %v, want one with %q", err, remedy)
			}
			if n := p.requests(); n > 200 {
				t.Errorf("%d requests", n)
			}
			if got := s.Status(); got.Records != 0 || got.Refused != 0 {
				t.Errorf("status %+v", got)
			}
			noSecret(t, r.Dir, "secret-token")
			rest, err := Unshipped(t.Context(), r, to)
			if err != nil || len(rest) != 2 || rest[0].Records != 2_000 || rest[0].From != 0 {
				t.Errorf("left %+v, %v", rest, err)
			}
			p.fault = func(int, http.ResponseWriter, *http.Request) bool { return false }
			ship(t, &Shipper{Run: r, Target: to})
			same(t, served(t, d, db), wanted(t, r))
			if rest, err := Unshipped(t.Context(), r, to); err != nil || len(rest) != 0 {
				t.Errorf("left %+v, %v", rest, err)
			}
		})
	}
}

func noSecret(t testing.TB, dir, secret string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	}))
}

// The real server refuses lines for what they are: those, and no others, are kept with its reason, and counted.
func TestRefusedLines(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	createDB(t, d, "types")
	r := makeRun(t, 2, 3_000)
	want := wanted(t, r)
	c, err := connect(target(d.URL, "types"), 1)
	must(t, err)
	defer c.close()
	// The shard of the run has a field of another type.
	if got := c.write(t.Context(), []byte("power value_watts=\"text\" 1790000000000000001\n")); got.kind != accepted {
		t.Fatalf("%+v", got)
	}
	p := newProxy(t, d.URL, func(int, http.ResponseWriter, *http.Request) bool { return false })
	s := &Shipper{Run: r, Target: target(p.URL, "types"), batchLines: 700}
	ship(t, s)
	if n := p.requests(); n > 100 {
		t.Errorf("%d requests", n) // each line by itself would be thousands
	}
	refusedPoints := 0
	for key := range want {
		if strings.HasPrefix(key, "power,") {
			delete(want, key)
			refusedPoints++
		}
	}
	got := served(t, d, "types")
	delete(got, "power, 1790000000000000001")
	same(t, got, want)
	state := s.Status()
	if state.Records != 6_000 || state.Refused != int64(refusedPoints) || state.Lost != state.Refused || state.Sent != 6_000-state.Lost || refusedPoints < 800 {
		t.Errorf("status %+v, want %d refused", state, refusedPoints)
	}
	data, err := os.ReadFile(RefusedPath(r.Dir, s.Target))
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != refusedPoints {
		t.Errorf("%d lines are kept, want %d", len(lines), refusedPoints)
	}
	for _, line := range lines {
		if !strings.Contains(line, "field type conflict") || !strings.Contains(line, `"line":"power,`) {
			t.Fatalf("kept %s", line)
		}
	}
	// Again: they are found again, and not counted twice.
	again := &Shipper{Run: r, Target: s.Target, Again: true}
	ship(t, again)
	if got := again.Status().Refused; got != int64(refusedPoints) {
		t.Errorf("again: %d refused", got)
	}
	if after, err := os.ReadFile(RefusedPath(r.Dir, s.Target)); err != nil || bytes.Count(after, []byte("\n")) != refusedPoints {
		t.Errorf("again: %d lines are kept, %v", bytes.Count(after, []byte("\n")), err)
	}
}

// A retention policy that the run is too old for: all is refused, and the server is not asked for each line.
func TestOutOfRetention(t *testing.T) {
	d := daemon(t, false)
	createDB(t, d, "old WITH DURATION 1h NAME short")
	r := makeRun(t, 1, 1)
	must(t, os.RemoveAll(filepath.Join(r.Dir, "trials")))
	must(t, os.Mkdir(filepath.Join(r.Dir, "trials"), 0o755))
	a := beginAttempt(t, r, r.Plan[0])
	for i := range 2_000 {
		rec := record(i)
		rec.Time -= epoch - int64(1_600_000_000e9)
		a.Record(rec)
	}
	must(t, a.Finish(&results.Outcome{Trial: r.Plan[0], Verdict: results.Completed}))
	p := newProxy(t, d.URL, func(int, http.ResponseWriter, *http.Request) bool { return false })
	s := &Shipper{Run: r, Target: Target{URL: p.URL, Bucket: "old/short"}, batchLines: 500}
	ship(t, s)
	if got := s.Status(); got.Refused != 2_000 || got.Lost != 2_000 {
		t.Errorf("status %+v", got)
	}
	if n := p.requests(); n > 20 {
		t.Errorf("%d requests", n)
	}
}

// What line protocol has no form for is among the refused, with its record.
func TestRecordWithoutAForm(t *testing.T) {
	r := makeRun(t, 1, 1)
	must(t, os.RemoveAll(filepath.Join(r.Dir, "trials")))
	must(t, os.Mkdir(filepath.Join(r.Dir, "trials"), 0o755))
	a := beginAttempt(t, r, r.Plan[0])
	a.Record(record(1))
	a.Record(results.Record{Time: epoch, Host: "h", Source: "s", Name: "odd", Value: 1, Unit: "furlong"})
	a.Record(record(3))
	must(t, a.Finish(&results.Outcome{Trial: r.Plan[0], Verdict: results.Completed}))
	p := newProxy(t, "http://127.0.0.1:1", status(http.StatusNoContent))
	s := &Shipper{Run: r, Target: target(p.URL, "x")}
	ship(t, s)
	data, err := os.ReadFile(RefusedPath(r.Dir, s.Target))
	must(t, err)
	if got := s.Status(); got.Records != 3 || got.Lost != 1 || !strings.Contains(string(data), `"record":2`) || !strings.Contains(string(data), "furlong") {
		t.Errorf("status %+v, kept %s", got, data)
	}
}

// kill -9 of the server in the middle: what it had said it took it has, the rest comes when it is back.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	d := daemon(t, false)
	createDB(t, d, "killed")
	r := makeRun(t, 2, 6_000)
	var once sync.Once
	back := make(chan error, 1)
	p := newProxy(t, d.URL, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n >= 8 {
			once.Do(func() {
				d.Kill()
				go func() {
					time.Sleep(300 * time.Millisecond)
					back <- d.Start()
				}()
			})
		}
		return false
	})
	s := &Shipper{Run: r, Target: target(p.URL, "killed"), batchLines: 300}
	ship(t, s)
	must(t, <-back)
	if s.Status().Retries == 0 {
		t.Error("the server was never missed")
	}
	same(t, served(t, d, "killed"), wanted(t, r))
}

// Two at once would write one state.
func TestOneShipperATarget(t *testing.T) {
	r := makeRun(t, 1, 10)
	release, err := lockState(r.Dir, target("http://a", "x"))
	must(t, err)
	if err := (&Shipper{Run: r, Target: target("http://a", "x")}).Ship(t.Context()); !errors.Is(err, ErrShipping) {
		t.Errorf("got %v", err)
	}
	release()
}

// A server that refuses a measurement, without a count, and that took others before or takes them now: it is the lines, in whatever order they come.
func TestRefusedMeasurementThatComesFirst(t *testing.T) {
	r := makeRun(t, 2, 3_000)
	var once sync.Once
	first := ""
	p := newProxy(t, "http://127.0.0.1:1", nil)
	p.fault = func(_ int, w http.ResponseWriter, req *http.Request) bool {
		body, _ := io.ReadAll(req.Body)
		once.Do(func() { first = string(body[:bytes.IndexAny(body, ", ")]) })
		if bytes.HasPrefix(body, []byte(first+",")) || bytes.Contains(body, []byte("\n"+first+",")) {
			http.Error(w, "no such lines", http.StatusBadRequest)
			return true
		}
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	s := &Shipper{Run: r, Target: target(p.URL, "x"), batchLines: 700}
	ship(t, s)
	got := s.Status()
	if got.Records != 6_000 || got.Lost < 800 || got.Lost > 2_000 || got.Sent != got.Records-got.Lost {
		t.Errorf("status %+v", got)
	}
	kept, err := os.ReadFile(RefusedPath(r.Dir, s.Target))
	must(t, err)
	for line := range strings.Lines(string(kept)) {
		if !strings.Contains(line, `"line":"`+first+`,`) {
			t.Fatalf("kept %s", line)
		}
	}
}

// What the server took earlier counts, too: then it is the lines, even if a push has no others.
func TestRefusedLinesAfterAnEarlierPush(t *testing.T) {
	r := makeRun(t, 2, 400)
	p := newProxy(t, "http://127.0.0.1:1", status(http.StatusNoContent))
	to := target(p.URL, "x")
	must(t, os.Rename(r.TrialDir(r.Plan[1].ID), r.Dir+"/later"))
	ship(t, &Shipper{Run: r, Target: to})
	must(t, os.Rename(r.Dir+"/later", r.TrialDir(r.Plan[1].ID)))
	p.fault = status(http.StatusBadRequest)
	s := &Shipper{Run: r, Target: to}
	ship(t, s)
	if got := s.Status(); got.Records != 800 || got.Lost != 400 || got.Sent != 0 {
		t.Errorf("status %+v", got)
	}
}

// A server that says the token again, where its text is cut, does not bring a part of it into a file or an error.
func TestTokenAcrossTheCut(t *testing.T) {
	const token = "SECRET-0123456789abcdef0123456789abcdef"
	r := makeRun(t, 1, 40)
	p := newProxy(t, "http://127.0.0.1:1", nil)
	for pad := 400; pad < 500; pad += 7 {
		must(t, os.RemoveAll(filepath.Join(r.Dir, Dir)))
		p.fault = func(_ int, w http.ResponseWriter, req *http.Request) bool {
			http.Error(w, strings.Repeat("x", pad)+req.Header.Get("Authorization"), http.StatusBadRequest)
			return true
		}
		to := target(p.URL, "x")
		to.Token = token
		err := (&Shipper{Run: r, Target: to}).Ship(t.Context())
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Fatalf("%d: %v", pad, err)
		}
		noSecret(t, r.Dir, "SECRET")
		reader, err := to.Reader()
		must(t, err)
		if _, err := reader.Find(t.Context(), "r"); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Fatalf("%d: %v", pad, err)
		}
	}
}
