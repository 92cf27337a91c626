package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"virtscope/results/influx"
)

// A run whose records nobody would take does not start, if only the user can mend that; for a server that is away it does not wait.
func TestAskInflux(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code       int
		named      bool
		fail, warn string
	}{
		{204, true, "", ""},
		{204, false, "", "does not say that it is InfluxDB"},
		{400, true, "", ""},
		{401, true, "401 Unauthorized: no way: it does not know the token", ""},
		{403, true, "403 Forbidden: no way", ""},
		{404, true, "404 Not Found: no way: make bucket b", ""},
		{302, true, "302 Found", ""},
		{429, true, "", "429 Too Many Requests: no way"},
		{500, true, "", "500 Internal Server Error: no way"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tc.named {
				w.Header().Set("X-Influxdb-Version", "1.8")
			}
			if r.URL.Path == "/ping" || tc.code == 204 {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			http.Error(w, "no way", tc.code)
		}))
		var warned bytes.Buffer
		err := askInflux(t.Context(), &warned, influx.Target{URL: server.URL, Bucket: "b", Token: "sesame"}, askFor)
		if tc.fail == "" && err != nil || tc.fail != "" && (err == nil || exitCode(err) != exitSpec || !strings.Contains(err.Error(), tc.fail)) {
			t.Errorf("%d: %v", tc.code, err)
		}
		if (warned.Len() > 0) != (tc.warn != "") || !strings.Contains(warned.String(), tc.warn) {
			t.Errorf("%d: warned %q", tc.code, warned.String())
		}
		server.Close()
	}
	var warned bytes.Buffer
	if err := askInflux(t.Context(), &warned, influx.Target{URL: "http://127.0.0.1:1", Bucket: "b"}, askFor); err != nil || !strings.Contains(warned.String(), "the run goes on, and ships once it answers") {
		t.Errorf("away: %v, %q", err, warned.String())
	}
}

// A server that accepts and says nothing holds a run up for a bounded time.
func TestAskInfluxOfASilentServer(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-silent:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(silent)
	var warned bytes.Buffer
	if err := askInflux(t.Context(), &warned, influx.Target{URL: server.URL, Bucket: "b", Timeout: time.Hour}, 100*time.Millisecond); err != nil || !strings.Contains(warned.String(), "deadline exceeded") {
		t.Errorf("%v, %q", err, warned.String())
	}
}

// The real server has no such database: run ends before anything is made.
func TestRunDoesNotStartWithoutADatabase(t *testing.T) {
	d := influxDaemon(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "e.yaml")
	fatalIf(t, os.WriteFile(file, []byte("virtscope: 1\nname: e\nguest: {driver: scripted}\naction: {migrate: {outage: 50ms}}\n"), 0o644))
	runs := filepath.Join(dir, "runs")
	_, err := runCommand(t, "run", file, "--runs", runs, "--influx="+d.URL, "--influx-database", "nowhere")
	if exitCode(err) != exitSpec || !strings.Contains(fmt.Sprint(err), "CREATE DATABASE") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(runs); err == nil {
		t.Error("a run folder was made")
	}
}

// A run whose shipping stopped says so at the end, and the reason once.
func TestStoppedShippingIsSaidAtTheEnd(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no way", http.StatusNotFound) }))
	t.Cleanup(server.Close)
	var said atomic.Value
	s := startLive(t.Context(), finishedRun(t), influx.Target{URL: server.URL, Bucket: "b"}, func(text string) { said.Store(text) })
	<-s.done
	var out bytes.Buffer
	s.finish(t.Context(), &out, time.Minute)
	if text := fmt.Sprint(said.Load()); !strings.Contains(text, "404 Not Found: no way") {
		t.Errorf("said %q", text)
	}
	for _, want := range []string{"shipping stopped, for the reason that is said above", "not shipped: trial 2, from record 1 on: 300 records", "influx: ship the rest with: virtscope influx push"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "no way") {
		t.Errorf("the reason is said again:\n%s", out.String())
	}
}

// A push that cannot begin does not advise to push.
func TestPushThatCannotBegin(t *testing.T) {
	r := finishedRun(t)
	fatalIf(t, os.WriteFile(filepath.Join(r.Dir, influx.Dir), nil, 0o644))
	out, err := runCommand(t, "influx", "push", r.Dir, "--url", "http://127.0.0.1:1", "--bucket", "b")
	if err == nil || !strings.Contains(err.Error(), "ship run "+r.Dir) || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
}
