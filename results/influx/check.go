package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// An Answer is what a target says without being written to.
type Answer struct {
	Named   bool          // its ping says that it is InfluxDB
	Version string        // of the server, as its ping says; "unknown" if that does not tell
	Took    time.Duration // from the question to the ping's answer
}

// Probe asks whether the target is there, and would let us write, without writing. Of an error that stays until somebody changes something, Stays is true.
func Probe(ctx context.Context, t Target) (Answer, error) {
	c, err := connect(t, 1)
	if err != nil {
		return Answer{}, err
	}
	defer c.close()
	begin := time.Now()
	ping, err := c.ask(ctx, http.MethodGet, "/ping")
	if err != nil {
		return Answer{}, t.unanswered(err)
	}
	a := Answer{Named: ping.header.Get("X-Influxdb-Version") != "" || ping.header.Get("X-Influxdb-Build") != "", Version: version(ping.header), Took: time.Since(begin)}
	// A write of nothing: the server looks at who writes, and where, and then finds nothing (204, or 400 from version 2 on).
	write, err := c.ask(ctx, http.MethodPost, "/api/v2/write?"+url.Values{"org": {t.Org}, "bucket": {t.Bucket}, "precision": {"ns"}}.Encode())
	if err != nil {
		return a, t.unanswered(err)
	}
	if write.code/100 == 2 || write.code == http.StatusBadRequest {
		return a, nil
	}
	who := "the server"
	if a.Named {
		who = "InfluxDB " + a.Version
	}
	r := t.judge(&influxhttp.Error{StatusCode: write.code, Header: write.header, Message: write.words})
	if r.kind != hopeless {
		r.reason += ": " + t.remedy(write.code, write.words)
	}
	return a, &probeError{fmt.Sprintf("%s at %s answers %s", who, t.URL, r.reason), r.kind == hopeless}
}

// unanswered is what came instead of an answer.
func (t Target) unanswered(err error) error {
	r := t.judge(err)
	if r.kind != hopeless {
		r.reason += ": is InfluxDB running there?"
	}
	return &probeError{fmt.Sprintf("ask %s: %s", t.URL, r.reason), r.kind == hopeless}
}

// A probeError is why a target would not take points.
type probeError struct {
	text  string
	stays bool
}

func (e *probeError) Error() string { return e.text }

// Stays reports whether an error of Probe stays until somebody changes something: waiting for the server does not help.
func Stays(err error) bool {
	var p *probeError
	return errors.As(err, &p) && p.stays
}

// A head is what an answer says before its body, and of an error its words.
type head struct {
	code   int
	header http.Header
	words  string
}

func (c *client) ask(ctx context.Context, method, path string) (head, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.target.URL, "/")+path, http.NoBody)
	if err != nil {
		return head{}, err
	}
	if c.target.Token != "" {
		r.Header.Set("Authorization", "Token "+string(c.target.Token))
	}
	res, err := c.http.Do(r)
	if err != nil {
		return head{}, err
	}
	h := head{code: res.StatusCode, header: res.Header}
	if res.StatusCode/100 != 2 {
		body, _ := io.ReadAll(res.Body) // what of it can be read
		h.words = wordsOf(res.Header, body)
	}
	return h, res.Body.Close()
}

func version(h http.Header) string {
	v := cmp.Or(h.Get("X-Influxdb-Version"), "unknown")
	if build := h.Get("X-Influxdb-Build"); build != "" {
		v += " (" + build + ")"
	}
	return v
}
