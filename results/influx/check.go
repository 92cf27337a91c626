package influx

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An Answer is what a target says without being written to.
type Answer struct {
	Named   bool          // its ping says that it is InfluxDB
	Version string        // of the server, as its ping says; "unknown" if that does not tell
	Took    time.Duration // from the question to the ping's answer
}

// Probe asks whether the target is there, and would let us write, without writing.
func Probe(ctx context.Context, t Target) (Answer, error) {
	c, err := connect(t, 1)
	if err != nil {
		return Answer{}, err
	}
	defer c.close()
	begin := time.Now()
	ping, err := c.ask(ctx, http.MethodGet, "/ping")
	if err != nil {
		return Answer{}, fmt.Errorf("ask %s: %s: is InfluxDB running there?", t.URL, brief(t.hide(err.Error())))
	}
	a := Answer{Named: ping.header.Get("X-Influxdb-Version") != "" || ping.header.Get("X-Influxdb-Build") != "", Version: version(ping.header), Took: time.Since(begin)}
	// A write of nothing: the server looks at who writes, and where, and then finds nothing (204, or 400 from version 2 on).
	write, err := c.ask(ctx, http.MethodPost, "/api/v2/write?"+url.Values{"org": {t.Org}, "bucket": {t.Bucket}, "precision": {"ns"}}.Encode())
	if err != nil {
		return a, fmt.Errorf("ask %s: %s", t.URL, brief(t.hide(err.Error())))
	}
	if write.code/100 == 2 || write.code == http.StatusBadRequest {
		return a, nil
	}
	return a, fmt.Errorf("InfluxDB %s at %s answers %d %s: %s", a.Version, t.URL, write.code, http.StatusText(write.code), t.remedy(write.code))
}

// A head is what an answer says before its body.
type head struct {
	code   int
	header http.Header
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
	return head{res.StatusCode, res.Header}, res.Body.Close()
}

func version(h http.Header) string {
	v := cmp.Or(h.Get("X-Influxdb-Version"), "unknown")
	if build := h.Get("X-Influxdb-Build"); build != "" {
		v += " (" + build + ")"
	}
	return v
}
