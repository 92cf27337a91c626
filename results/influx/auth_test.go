package influx

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

// User and password of the real server.
func TestAuth(t *testing.T) {
	const password = "pass-word-123"
	d := daemon(t, true)
	_, err := d.Query(t.Context(), "", `CREATE USER me WITH PASSWORD '`+password+`' WITH ALL PRIVILEGES`, "", "")
	must(t, err)
	_, err = d.Query(t.Context(), "", `CREATE DATABASE a`, "me", password)
	must(t, err)
	r := makeRun(t, 1, 500)
	for _, tc := range []struct {
		token Secret
		want  string
	}{
		{"", "set INFLUX_TOKEN"},
		{"me:wrong-secret", "does not know the token"},
		{Secret("me:" + password), ""}, // the last: then nothing is left to ship
	} {
		token, want := tc.token, tc.want
		to := target(d.URL, "a")
		to.Token = token
		err := (&Shipper{Run: r, Target: to}).Ship(t.Context())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "wrong-secret")) {
			t.Errorf("%s: %v, want %q", token, err, want)
		}
		_, err = Probe(t.Context(), to)
		if (err == nil) != (want == "") {
			t.Errorf("%s: probe: %v", token, err)
		}
	}
	noSecret(t, r.Dir, password)
	noSecret(t, r.Dir, "wrong-secret")
}

// A certificate is verified, always: by the system's, and by those that are named.
func TestTLS(t *testing.T) {
	taken := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v2/write" && r.ContentLength != 0 {
			taken++
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	s.Config.ErrorLog = discard()
	t.Cleanup(s.Close)
	r := makeRun(t, 1, 100)
	to := target(s.URL, "x")
	err := (&Shipper{Run: r, Target: to}).Ship(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--ca") || taken > 0 {
		t.Fatalf("an unknown certificate: %v, %d requests", err, taken)
	}
	to.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(to.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	if err := (&Shipper{Run: r, Target: to}).Ship(t.Context()); err != nil || taken != 1 {
		t.Errorf("a named one: %v, %d requests", err, taken)
	}
	to.CAFile = filepath.Join(t.TempDir(), "none.pem")
	must(t, os.WriteFile(to.CAFile, []byte("x"), 0o600))
	if err := to.Check(); err == nil || !strings.Contains(err.Error(), "holds none in PEM") {
		t.Errorf("no certificate: %v", err)
	}
}

// Gzip is what the server reads.
func TestGzip(t *testing.T) {
	d := daemon(t, false)
	createDB(t, d, "z")
	r := makeRun(t, 1, 3_000)
	to := target(d.URL, "z")
	to.Gzip = GzipOn
	ship(t, &Shipper{Run: r, Target: to})
	same(t, served(t, d, "z"), wanted(t, r))
}

func TestProbe(t *testing.T) {
	d := daemon(t, false)
	if _, err := Probe(t.Context(), target(d.URL, "nowhere")); err == nil || !strings.Contains(err.Error(), "CREATE DATABASE") {
		t.Errorf("no database: %v", err)
	}
	createDB(t, d, "here")
	a, err := Probe(t.Context(), target(d.URL, "here"))
	if err != nil || !a.Named || a.Version == "" || a.Took <= 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if got := served(t, d, "here"); len(got) != 0 {
		t.Errorf("it wrote %v", got)
	}
	if _, err := Probe(t.Context(), target("http://127.0.0.1:1", "x")); err == nil || !strings.Contains(err.Error(), "is InfluxDB running there") {
		t.Errorf("nobody: %v", err)
	}
}

func TestTargetCheck(t *testing.T) {
	for _, tc := range []struct {
		t    Target
		want string
	}{
		{Target{URL: "http://localhost:8086", Bucket: "b"}, ""},
		{Target{URL: "https://x/influx", Bucket: "b"}, ""},
		{Target{Bucket: "b"}, "no InfluxDB is named"},
		{Target{URL: "http://me:hidden@x", Bucket: "b"}, "holds a user"},
		{Target{URL: "http://x?token=hidden", Bucket: "b"}, "holds a query"},
		{Target{URL: "localhost:8086", Bucket: "b"}, "want one such as"},
		{Target{URL: "http://me:hidden@x:port", Bucket: "b"}, "want one such as"},
		{Target{URL: "http://x"}, "no bucket"},
		{Target{URL: "http://x", Bucket: "b", Gzip: "maybe"}, "want on or off"},
		{Target{URL: "http://x", Bucket: "b", Token: "hid\nden"}, "space or line break"},
		{Target{URL: "http://x", Bucket: "b", Timeout: -1}, "above 0"},
		{Target{URL: "http://x", Bucket: "b", CAFile: "/nowhere"}, "no such file"},
	} {
		err := tc.t.Check()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.t, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

// What answers and does not say that it is InfluxDB is not taken for it.
func TestProbeOfAnotherServer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(s.Close)
	if a, err := Probe(t.Context(), target(s.URL, "x")); err != nil || a.Named || a.Version != "unknown" {
		t.Errorf("%+v, %v", a, err)
	}
}
