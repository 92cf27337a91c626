package influx

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
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
	reason := t.quote(err.Error())
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return reply{kind: hopeless, reason: reason + ": " + certificateRemedy}
	}
	if errors.Is(err, errNoInflux) {
		return reply{kind: hopeless, reason: fmt.Sprintf("%s: is there a proxy or another server at %s?", reason, t.URL)}
	}
	var answer *influxhttp.Error
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return reply{kind: later, reason: reason}
	}
	words := cmp.Or(answer.Message, answer.Header.Get(errorHeader))
	if words == "" && answer.Err != nil {
		words = "what it says of it cannot be read: " + answer.Err.Error()
	}
	reason = t.saying(answer.StatusCode, words)
	switch code := meaning(answer.StatusCode, words); {
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return reply{kind: later, reason: reason, after: retryAfter(answer.Header, time.Now())}
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity || code == http.StatusRequestEntityTooLarge:
		return reply{kind: refused, reason: reason, dropped: dropped(answer.Message)}
	}
	return reply{kind: hopeless, reason: reason + ": " + t.remedy(answer.StatusCode, words)}
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
