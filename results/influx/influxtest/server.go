// Package influxtest starts a real InfluxDB for tests.
package influxtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// Version is the InfluxDB that tests run against.
const Version = "1.8.3"

// A Server is an influxd of one test, which fails where it does not answer as it should.
type Server struct{ URL string }

// Start starts a server that ends with the test, from what FindDaemon makes of path. Without any, the test is skipped. With Flux it takes some 10 s.
func Start(t testing.TB, path string, flux bool) *Server {
	t.Helper()
	path, err := FindDaemon(path)
	if err != nil {
		t.Skip(err)
	}
	d, err := start(path, t.TempDir(), flux, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill)
	return &Server{URL: d.URL}
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
	defer res.Body.Close() //nolint:errcheck // it was only read
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
