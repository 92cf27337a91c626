package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

func TestJudge(t *testing.T) {
	to := Target{URL: "http://x", Bucket: "b", Token: "me:sesame"}
	partial := "partial write: field type conflict: input field \"v\" on measurement \"m\" is type float, already exists as type string dropped=7"
	for _, tc := range []struct {
		code    int
		message string
		err     error
		kind    int
		dropped int
	}{
		{kind: accepted},
		{err: context.DeadlineExceeded, kind: later},
		{err: errors.New("connection reset by peer"), kind: later},
		{err: fmt.Errorf("post: %w", errNoInflux), kind: hopeless},
		{code: 400, message: partial, kind: refused, dropped: 7},
		{code: 400, message: "dropped=3 is in the middle", kind: refused},
		{code: 401, kind: hopeless},
		{code: 403, kind: hopeless},
		{code: 404, kind: hopeless},
		{code: 408, kind: later},
		{code: 413, kind: refused},
		{code: 422, kind: refused},
		{code: 429, kind: later},
		{code: 301, kind: hopeless},
		{code: 500, kind: later},
		{code: 503, kind: later},
	} {
		var err error
		if tc.code > 0 || tc.err != nil {
			err = &influxhttp.Error{StatusCode: tc.code, Code: "invalid", Message: tc.message + " me:sesame sesame", Err: tc.err}
			if tc.dropped > 0 {
				err = &influxhttp.Error{StatusCode: tc.code, Code: "invalid", Message: tc.message}
			}
		}
		got := to.judge(err)
		if got.kind != tc.kind || got.dropped != tc.dropped || strings.Contains(got.reason, "sesame") {
			t.Errorf("%d %v: %+v", tc.code, tc.err, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "99999": maxRetryAfter, "99999999999999": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Waits grow, are bounded, and are not all alike.
func TestBackOff(t *testing.T) {
	seen := map[time.Duration]bool{}
	for failures := range 70 {
		most := min(firstWait<<min(failures, 9), longWait)
		d := backOff(failures)
		if d < most/2 || d > most {
			t.Errorf("after %d failures %s, want %s to %s", failures, d, most/2, most)
		}
		seen[d] = true
	}
	if len(seen) < 20 {
		t.Errorf("%d different waits", len(seen))
	}
}

// One failure that many see is one.
func TestGateCountsOnce(t *testing.T) {
	g := &gate{}
	begun := time.Now()
	for range 5 {
		if err := g.failed(reply{kind: later, reason: "away"}, begun, begun.Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if g.failures != 1 || g.retries != 5 {
		t.Errorf("%d failures of %d requests", g.failures, g.retries)
	}
	g.succeeded()
	if g.failures != 0 || g.reason != "" || !g.until.IsZero() {
		t.Errorf("after success: %d failures, %q", g.failures, g.reason)
	}
}

// A token that is printed by mistake does not show.
func TestSecretsDoNotPrint(t *testing.T) {
	s := Target{URL: "http://x", Bucket: "b", Token: "sesame"}
	for _, verb := range []string{"%v", "%+v", "%s", "%#v", "%q"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, "sesame") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
