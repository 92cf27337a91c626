package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/results/influx"
	"virtscope/results/influx/influxtest"
)

// Flags before the environment before the experiment; what belongs together comes from one of them.
func TestInfluxTarget(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	open := filepath.Join(dir, "open")
	for path, mode := range map[string]os.FileMode{file: 0o600, open: 0o644} {
		if err := os.WriteFile(path, []byte("from-file\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"INFLUX_URL": "http://env:8086", "INFLUX_ORG": "env-org", "INFLUX_BUCKET": "env-bucket", "INFLUX_TOKEN": "env-token"}
	said := &spec.Influx{URL: "http://spec:8086", Org: "spec-org", Database: "spec-db", Retention: "week", User: "spec-user", Gzip: "off"}
	for _, tc := range []struct {
		name  string
		flags influxOptions
		env   map[string]string
		said  *spec.Influx
		want  influx.Target
		err   string
	}{
		{name: "nothing", err: "no InfluxDB is named"},
		{name: "environment", env: env, said: said, want: influx.Target{URL: "http://env:8086", Org: "env-org", Bucket: "env-bucket", Token: "env-token", Gzip: "off"}},
		{
			name: "flags", flags: influxOptions{url: "http://flag", database: "d", user: "u", password: "p", gzip: "on"}, env: env, said: said,
			want: influx.Target{URL: "http://flag", Org: "env-org", Bucket: "d", Token: "u:p", Gzip: "on"},
		},
		{
			name: "experiment", env: map[string]string{"INFLUX_PASSWORD": "secret"}, said: said,
			want: influx.Target{URL: "http://spec:8086", Org: "spec-org", Bucket: "spec-db/week", Token: "spec-user:secret", Gzip: "off"},
		},
		{name: "no password", said: said, err: "set INFLUX_PASSWORD"},
		{
			name: "user and token in the environment", env: map[string]string{"INFLUX_URL": "http://e", "INFLUX_BUCKET": "b", "INFLUX_TOKEN": "t", "INFLUX_USER": "u"},
			want: influx.Target{URL: "http://e", Bucket: "b", Token: "t"},
		},
		{name: "file", flags: influxOptions{tokenFile: file}, env: env, want: influx.Target{URL: "http://env:8086", Org: "env-org", Bucket: "env-bucket", Token: "from-file"}},
		{name: "file that others read", flags: influxOptions{tokenFile: open}, env: env, err: "chmod 600"},
		{name: "two secrets", flags: influxOptions{token: "a", user: "b"}, env: env, err: "one of a token"},
		{name: "two places", flags: influxOptions{bucket: "a", database: "b"}, env: env, err: "not both"},
		{name: "retention alone", flags: influxOptions{retention: "a"}, env: env, err: "name that, too"},
		{name: "a URL with a password", flags: influxOptions{url: "http://me:hidden@x"}, env: env, err: "holds a user"},
	} {
		got, err := tc.flags.target(func(k string) string { return tc.env[k] }, tc.said)
		switch {
		case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "hidden")):
			t.Errorf("%s: %v, want %q", tc.name, err, tc.err)
		case tc.err == "" && (err != nil || got != tc.want):
			t.Errorf("%s: %#v, %v", tc.name, got, err)
		}
	}
}

// finishedRun is a run of two trials.
func finishedRun(t *testing.T) *results.Run {
	t.Helper()
	plan := []results.Trial{{ID: "001-a", Order: 1, Replicate: 1}, {ID: "002-a", Order: 2, Replicate: 2}}
	r, err := results.Create(t.TempDir(), results.Manifest{Format: results.ManifestFormat, Run: "r", Name: "e"}, []byte("x"), plan)
	if err != nil {
		t.Fatal(err)
	}
	for i := range plan {
		a, _, err := r.Begin(plan[i])
		if err != nil {
			t.Fatal(err)
		}
		for k := range 300 {
			a.Record(results.Record{Time: 1_790_000_000_000_000_000 + int64(i*300+k)*1e6, Host: "h", Source: "s", Name: "n", Value: float64(k), Unit: results.One})
		}
		if err := a.Finish(&results.Outcome{Trial: plan[i], Attempt: 1, Verdict: results.Completed}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func runCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := newRoot(func() {})
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func influxDaemon(t *testing.T) *influxtest.Daemon {
	t.Helper()
	for _, name := range []string{"INFLUX_URL", "INFLUX_ORG", "INFLUX_BUCKET", "INFLUX_TOKEN", "INFLUX_USER", "INFLUX_PASSWORD"} {
		t.Setenv(name, "")
	}
	path, err := influxtest.FindDaemon(os.Getenv("VIRTSCOPE_INFLUXD"))
	if err != nil {
		t.Skip(err)
	}
	d, err := influxtest.StartDaemon(path, t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill)
	return d
}

func TestInfluxPush(t *testing.T) {
	d := influxDaemon(t)
	r := finishedRun(t)
	if _, err := runCommand(t, "influx", "check", "--url", d.URL, "--database", "db"); err == nil || !strings.Contains(err.Error(), "CREATE DATABASE") {
		t.Errorf("no database: %v", err)
	}
	out, err := runCommand(t, "influx", "push", r.Dir, "--url", d.URL, "--database", "db")
	if err == nil || !strings.Contains(out, "not shipped: trial 1, from record 1 on: 300 records") ||
		!strings.Contains(out, "virtscope influx push "+r.Dir+" --url "+d.URL+" --bucket db") {
		t.Errorf("no database: %v\n%s", err, out)
	}
	if _, err := d.Query(t.Context(), "", "CREATE DATABASE db", "", ""); err != nil {
		t.Fatal(err)
	}
	if out, err := runCommand(t, "influx", "check", "--url", d.URL, "--database", "db"); err != nil || !strings.Contains(out, "would take points") {
		t.Errorf("check: %v\n%s", err, out)
	}
	for _, args := range [][]string{nil, nil, {"--again"}} {
		out, err := runCommand(t, append([]string{"influx", "push", r.Dir, "--url", d.URL, "--database", "db"}, args...)...)
		if err != nil || !strings.Contains(out, "took 600 records of r") {
			t.Errorf("push %v: %v\n%s", args, err, out)
		}
		if n, err := d.Count(t.Context(), "db", "value_number"); err != nil || n != 600 {
			t.Errorf("push %v: %d points, %v", args, n, err)
		}
	}
}

// A run's experiment may be somebody else's: it says where records and the token go only when it is asked to.
func TestExperimentSaysWhereToOnlyIfAsked(t *testing.T) {
	for _, name := range []string{"INFLUX_URL", "INFLUX_BUCKET", "INFLUX_TOKEN", "INFLUX_USER"} {
		t.Setenv(name, "")
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	r := finishedRun(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("virtscope: 1\nname: e\nguest: {driver: scripted}\naction: {migrate: {outage: 50ms}}\ninflux: {url: %q, bucket: b, token-file: %q}\n", server.URL, token)
	if err := os.WriteFile(r.ExperimentPath(), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"push", "check"} {
		if _, err := runCommand(t, "influx", command, r.Dir); err == nil || !strings.Contains(err.Error(), "--as-said takes what it says") || len(asked) > 0 {
			t.Errorf("%s: %v, asked with %q", command, err, asked)
		}
		t.Setenv("INFLUX_TOKEN", "mine")
		if _, err := runCommand(t, "influx", command, r.Dir, "--bucket", "b"); err == nil || len(asked) > 0 {
			t.Errorf("%s: %v, asked with %q", command, err, asked)
		}
		t.Setenv("INFLUX_TOKEN", "")
	}
	if out, err := runCommand(t, "influx", "check", r.Dir, "--as-said"); err != nil || !strings.Contains(out, "does not say that it is InfluxDB") {
		t.Errorf("check: %v\n%s", err, out)
	}
	if out, err := runCommand(t, "influx", "push", r.Dir, "--as-said"); err != nil || !strings.Contains(out, "took 600 records of r") {
		t.Errorf("push: %v\n%s", err, out)
	}
	if len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool { return a != "Token sesame" && a != "" }) {
		t.Errorf("asked with %q", asked)
	}
	if err := os.WriteFile(r.ExperimentPath(), []byte("virtscope: 1\nfuture: 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := runCommand(t, "influx", "check", r.Dir, "--as-said"); err == nil || !strings.Contains(err.Error(), "read where the run's experiment ships to") {
		t.Errorf("unreadable: %v", err)
	}
}

// A push beside another one has no figures, and prints none.
func TestPushBesideAPush(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	r := finishedRun(t)
	first := newShipper(r, influx.Target{URL: server.URL, Bucket: "b"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- first.Ship(ctx) }()
	for end := time.Now().Add(20 * time.Second); !first.Status().Known && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	out, err := runCommand(t, "influx", "push", r.Dir, "--url", server.URL, "--bucket", "b")
	if !errors.Is(err, influx.ErrShipping) || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
	cancel()
	close(release)
	<-done
	if line := progressLine(influx.Status{}); line != "not begun" {
		t.Errorf("before it begins: %q", line)
	}
}

// At the end of a run whose server is away, what is not shipped is said, with the command that ships it; the run has not waited for longer than it may.
func TestLiveSinkWithoutAServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := finishedRun(t)
	var said atomic.Int32
	s := startLive(t.Context(), r, influx.Target{URL: "http://" + address, Bucket: "db"}, func(string) { said.Add(1) })
	for end := time.Now().Add(20 * time.Second); s.shipper.Status().Trouble == "" && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if line := s.line(); !strings.Contains(line, "lags") {
		t.Errorf("the status says %q", line)
	}
	var out bytes.Buffer
	s.finish(t.Context(), &out, 100*time.Millisecond)
	for _, want := range []string{
		"took 0 records of r", "not all was shipped within 100ms", "trial 1, from record 1 on: 300 records", "trial 2, from record 1 on: 300 records",
		fmt.Sprintf("virtscope influx push %s --url http://%s --bucket db", r.Dir, address),
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	if said.Load() != 0 {
		t.Errorf("a server that is away was told as hopeless")
	}
}

// What only the user can mend is said at once.
func TestLiveSinkThatIsRefused(t *testing.T) {
	d := influxDaemon(t)
	said := make(chan string, 1)
	s := startLive(t.Context(), finishedRun(t), influx.Target{URL: d.URL, Bucket: "nowhere"}, func(text string) { said <- text })
	select {
	case text := <-said:
		if !strings.Contains(text, "CREATE DATABASE") {
			t.Errorf("said %q", text)
		}
	case <-time.After(30 * time.Second):
		t.Error("nothing was said")
	}
	s.finish(t.Context(), &bytes.Buffer{}, time.Minute)
	if line := s.line(); line != "influx: stopped" {
		t.Errorf("the status says %q", line)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"a/b-1": "a/b-1", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'"} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
