package influx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// What an answer to a batch means.
const (
	accepted = iota
	later    // try again
	refused  // some or all of its lines
	hopeless // until somebody changes something
)

// A reply is what came of sending a batch once.
type reply struct {
	kind    int
	reason  string        // the server's, or the network's
	after   time.Duration // how long the server wants to be left alone; 0 if it does not say
	dropped int           // lines of the batch that the server says it dropped; 0 if it does not say
}

// maxRetryAfter bounds how long a server may put us off.
const maxRetryAfter = 5 * time.Minute

// judge tells what the client's error means.
func (t Target) judge(err error) reply {
	if err == nil {
		return reply{kind: accepted}
	}
	reason := brief(t.hide(err.Error())) // cut first, a part of the token would stay
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return reply{kind: hopeless, reason: fmt.Sprintf("%s: name the certificate that signed it by --ca or influx.ca", reason)}
	}
	if errors.Is(err, errNoInflux) {
		return reply{kind: hopeless, reason: fmt.Sprintf("%s: is there a proxy or another server at %s?", reason, t.URL)}
	}
	var answer *influxhttp.Error
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return reply{kind: later, reason: reason}
	}
	reason = fmt.Sprintf("%d %s", answer.StatusCode, reason)
	switch code := answer.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return reply{kind: later, reason: reason, after: retryAfter(answer.Header, time.Now())}
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity || code == http.StatusRequestEntityTooLarge:
		return reply{kind: refused, reason: reason, dropped: dropped(answer.Message)}
	}
	return reply{kind: hopeless, reason: reason + ": " + t.remedy(answer.StatusCode)}
}

// remedy says what to do about an answer that stays.
func (t Target) remedy(code int) string {
	switch {
	case code == http.StatusUnauthorized && t.Token == "":
		return "it wants to know who writes: set INFLUX_TOKEN, or INFLUX_USER and INFLUX_PASSWORD"
	case code == http.StatusUnauthorized:
		return "it does not know the token, or user and password: put it right in INFLUX_TOKEN, or INFLUX_USER and INFLUX_PASSWORD"
	case code == http.StatusForbidden:
		return fmt.Sprintf("the token may not write there: give it write access to bucket %s", t.Bucket)
	case code == http.StatusNotFound:
		return fmt.Sprintf("make bucket %s there (1.8: CREATE DATABASE), or name one that exists; servers before 1.8 have no /api/v2/write", t.Bucket)
	case code/100 == 3:
		return "it sends us elsewhere: name the URL where InfluxDB itself answers"
	}
	return fmt.Sprintf("look at what answers at %s", t.URL)
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	after := time.Duration(0)
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), maxRetryAfter)
}

var droppedCount = regexp.MustCompile(`dropped=(\d+)\s*$`)

// dropped is how many points the server says that it dropped, as InfluxDB 1.8 and 2 do (tsdb.PartialWriteError).
func dropped(message string) int {
	m := droppedCount.FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// maxReason bounds what is kept of a server's text, in bytes.
const maxReason = 500

func brief(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason], "") + "…"
}
