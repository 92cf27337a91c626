package influx

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A code is said once, and a server's own words stay.
func TestSaying(t *testing.T) {
	to := Target{URL: "http://x", Bucket: "b"}
	for _, tc := range []struct {
		code        int
		words, want string
	}{
		{404, "", "404 Not Found"},
		{404, "not found", "404 Not Found"},
		{404, "404 page not found\n", "404 Not Found: page not found"},
		{404, "404 Not Found", "404 Not Found"},
		{500, "retention policy not found: nope", "500 Internal Server Error: retention policy not found: nope"},
		{502, "<html>\r\n<body>\n  bad\n", "502 Bad Gateway: <html> <body> bad"},
		{599, "odd", "599: odd"},
		{400, strings.Repeat("ä", maxReason), "400 Bad Request: " + strings.Repeat("ä", maxReason/2) + "…"},
	} {
		if got := to.saying(tc.code, tc.words); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestWordsOf(t *testing.T) {
	h := http.Header{errorHeader: {"of the header"}}
	for _, tc := range []struct {
		header     http.Header
		body, want string
	}{
		{nil, `{"error":"authorization failed"}`, "authorization failed"},
		{nil, `{"code":"not found","message":"bucket x not found"}`, "bucket x not found"},
		{h, `{"error":"of the body"}`, "of the body"},
		{h, `{}`, "of the header"},
		{h, ``, "of the header"},
		{nil, `{"error":{"code":7}}`, `{"error":{"code":7}}`},
		{nil, "plain", "plain"},
		{nil, "", ""},
	} {
		if got := wordsOf(tc.header, []byte(tc.body)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.body, got, tc.want)
		}
	}
}

// A secret is hidden before its text is cut, in each form in which a server may say it again.
func TestHide(t *testing.T) {
	to := Target{Token: Secret(`me:pa"ss/wörd+<`)}
	for _, text := range []string{
		`token me:pa"ss/wörd+< is unknown`, `pa"ss/wörd+<`, `{"error":"me:pa\"ss/wörd+\u003c"}`, `{"error":"pa\"ss/wörd+<"}`,
		"?p=pa%22ss%2Fw%C3%B6rd%2B%3C", strings.Repeat("x", maxReason-3) + `pa"ss/wörd+<`, strings.Repeat(" ", maxLoose-4) + `pa"ss/wörd+<`,
	} {
		if got := to.quote(text); strings.Contains(got, "pa") || len(got) > maxReason+len("…") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// What a server says of an error is said again, in any of the forms, by a write and by a look.
func TestServersWordsAreSaid(t *testing.T) {
	for _, tc := range []struct {
		code         int
		kind, body   string
		want, remedy string
		stays        bool
	}{
		{500, "application/json", `{"error":"engine: disk is gone, sesame"}`, "500 Internal Server Error: engine: disk is gone, [secret]", "", false},
		{500, "application/json", `{"error":"retention policy not found: nope"}`, "500 Internal Server Error: retention policy not found: nope", "make retention policy autogen of database b there", true},
		{503, "text/html", "<h1>\nback soon</h1>", "503 Service Unavailable: <h1> back soon</h1>", "", false},
		{401, "application/json", `{"error":"authorization failed"}`, "401 Unauthorized: authorization failed", "it does not know the token", true},
		{401, "application/json", ``, "401 Unauthorized", "it does not know the token", true},
		{403, "application/json", `{"code":"forbidden","message":"insufficient permissions"}`, "403 Forbidden: insufficient permissions", "write access", true},
		{404, "application/json", `{"error":"database not found: \"b\""}`, `404 Not Found: database not found: "b"`, "CREATE DATABASE", true},
		{302, "text/plain", "", "302 Found", "sends us elsewhere", true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ping" {
				w.Header().Set("X-Influxdb-Version", "1.8.9")
				w.WriteHeader(http.StatusNoContent)
				return
			}
			w.Header().Set("Content-Type", tc.kind)
			w.WriteHeader(tc.code)
			fmt.Fprint(w, tc.body)
		}))
		to := target(server.URL, "b")
		to.Token = "sesame"
		_, err := Probe(t.Context(), to)
		if err == nil || !strings.Contains(err.Error(), "InfluxDB 1.8.9 at "+server.URL+" answers "+tc.want+": ") || !strings.Contains(err.Error(), tc.remedy) || Stays(err) != tc.stays {
			t.Errorf("probe: %v, stays %v; want %q", err, Stays(err), tc.want)
		}
		c, err := connect(to, 1)
		must(t, err)
		r := c.write(t.Context(), []byte("a b=1\n"))
		if r.kind != map[bool]int{true: hopeless, false: later}[tc.stays] || !strings.HasPrefix(r.reason, tc.want) || !strings.Contains(r.reason, tc.remedy) {
			t.Errorf("write: %+v, want %q", r, tc.want)
		}
		c.close()
		server.Close()
	}
}

// A server that is away may come back; one whose certificate nobody knows stays unknown.
func TestStays(t *testing.T) {
	if _, err := Probe(t.Context(), target("http://127.0.0.1:1", "x")); err == nil || Stays(err) {
		t.Errorf("away: %v", err)
	}
	s := httptest.NewTLSServer(http.NotFoundHandler())
	s.Config.ErrorLog = discard()
	defer s.Close()
	if _, err := Probe(t.Context(), target(s.URL, "x")); err == nil || !Stays(err) || !strings.Contains(err.Error(), "--ca") {
		t.Errorf("certificate: %v", err)
	}
}

// A retention policy that the real server does not have is said with what to do, and not waited for.
func TestNoRetention(t *testing.T) {
	d := daemon(t, false)
	createDB(t, d, "kept")
	to := Target{URL: d.URL, Bucket: "kept/nope"}
	err := (&Shipper{Run: makeRun(t, 1, 10), Target: to}).Ship(t.Context())
	const want = "500 Internal Server Error: retention policy not found: nope: make retention policy nope of database kept there"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("ship: %v", err)
	}
	if _, err := Probe(t.Context(), to); err == nil || !strings.Contains(err.Error(), want) || !Stays(err) {
		t.Errorf("probe: %v", err)
	}
}
