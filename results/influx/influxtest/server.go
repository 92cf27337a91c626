// Package influxtest starts a real InfluxDB for tests.
package influxtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Version is the InfluxDB that tests run against.
const Version = "1.8.3"

// A Server is an influxd on loopback, with a data folder of its own.
type Server struct {
	URL string
}

const config = `reporting-disabled = true
bind-address = "%[1]s"
[meta]
  dir = "%[3]s/meta"
[data]
  dir = "%[3]s/data"
  wal-dir = "%[3]s/wal"
  series-id-set-cache-size = 100
[http]
  bind-address = "%[2]s"
  flux-enabled = %[4]t
  log-enabled = false
[monitor]
  store-enabled = false
`

// patience is how long a start may take on a machine that does other things, too. With Flux it takes some 10 s on one that does not.
const patience = 2 * time.Minute

// Start starts a server that ends with the test. Path is the program; if it is "", the one that the repository's tools hold is taken. Without any, the
// test is skipped.
func Start(t testing.TB, path string, flux bool) *Server {
	t.Helper()
	if path == "" {
		path = find(t)
	}
	dir := t.TempDir()
	address := freeAddress(t)
	file := filepath.Join(dir, "influxd.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, freeAddress(t), address, dir, flux), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(context.Background(), path, "run", "-config", file)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start influxd: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done //nolint:errcheck // that it was killed
	})
	s := &Server{URL: "http://" + address}
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("influxd ended: %v\n%s", err, log.String())
		default:
		}
		if status, _, err := s.do(t.Context(), http.MethodGet, "/ping", nil); err == nil && status == http.StatusNoContent {
			return s
		}
	}
	t.Fatalf("influxd does not answer")
	return nil
}

// find looks for the program below this folder's parents.
func find(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, ".cache", "tools", "influxd-"+Version)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skipf("there is no InfluxDB: set VIRTSCOPE_INFLUXD to influxd %s, or let make test install it", Version)
		}
		dir = parent
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was sent
	return l.Addr().String()
}

func (s *Server) do(ctx context.Context, method, path string, body io.Reader) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return 0, nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// Query asks in InfluxQL, and fails the test unless the server answers without an error.
func (s *Server) Query(t testing.TB, db, query string) []byte {
	t.Helper()
	form := url.Values{"db": {db}, "q": {query}, "epoch": {"ns"}}
	status, answer, err := s.do(t.Context(), http.MethodPost, "/query?"+form.Encode(), nil)
	if err != nil || status != http.StatusOK || bytes.Contains(answer, []byte(`"error"`)) {
		t.Fatalf("%s: %d %s %v", query, status, answer, err)
	}
	return answer
}

// Create makes a database.
func (s *Server) Create(t testing.TB, db string) {
	s.Query(t, "", fmt.Sprintf("CREATE DATABASE %q", db))
}

// Write writes line protocol, and returns what is wrong.
func (s *Server) Write(t testing.TB, db string, lines []byte) error {
	t.Helper()
	status, answer, err := s.do(t.Context(), http.MethodPost, "/api/v2/write?bucket="+url.QueryEscape(db+"/autogen")+"&precision=ns", bytes.NewReader(lines))
	if err == nil && status != http.StatusNoContent {
		err = fmt.Errorf("write: %d %s", status, answer)
	}
	return err
}
