package influx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unsafe"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// A client writes to one target.
type client struct {
	target Target
	http   *http.Client
	api    api.WriteAPIBlocking
	close  func()
}

// connect prepares to write with some requests at once. It sends nothing.
func connect(t Target, connections int) (*client, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	config, err := t.tls()
	if err != nil {
		return nil, err
	}
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		TLSClientConfig:       config,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   connections,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: cmp.Or(t.Timeout, defaultTimeout),
	}
	h := &http.Client{
		Transport:     guarded{base},
		Timeout:       cmp.Or(t.Timeout, defaultTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// Its own log is silent: what goes wrong is returned.
	options := influxdb2.DefaultOptions().SetHTTPClient(h).SetUseGZip(t.compresses()).SetPrecision(time.Nanosecond).SetApplicationName("virtscope")
	c := influxdb2.NewClientWithOptions(strings.TrimRight(t.URL, "/"), string(t.Token), options)
	return &client{
		target: t, http: h, api: c.WriteAPIBlocking(t.Org, t.Bucket),
		close: func() { c.Close(); base.CloseIdleConnections() },
	}, nil
}

// write sends lines once. Nobody may change them afterwards.
func (c *client) write(ctx context.Context, lines []byte) reply {
	if len(lines) == 0 {
		return reply{kind: accepted}
	}
	return c.target.judge(c.api.WriteRecord(ctx, unsafe.String(&lines[0], len(lines))))
}

// errNoInflux says that something else answers in InfluxDB's place.
var errNoInflux = errors.New("the answer is not InfluxDB's")

// guarded bounds what is read, and takes no answer for an acceptance that InfluxDB does not give.
type guarded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(r.URL.Path, "/api/v2/write") && res.StatusCode/100 == 2 && res.StatusCode != http.StatusNoContent && r.ContentLength != 0 {
		_ = res.Body.Close()
		return nil, fmt.Errorf("%w: status %d where it answers 204", errNoInflux, res.StatusCode)
	}
	res.Body = bounded{io.LimitReader(res.Body, maxAnswer), res.Body}
	if res.StatusCode/100 != 2 {
		keepWords(res)
	}
	return res, nil
}

// keepWords puts what an answer in JSON says of an error where the client looks for it: in JSON it knows InfluxDB 2's form alone.
func keepWords(res *http.Response) {
	body, err := io.ReadAll(res.Body)
	res.Body = bounded{bytes.NewReader(body), res.Body}
	if err == nil && json.Valid(body) {
		res.Header.Set(errorHeader, wordsOf(res.Header, body))
	}
}

type bounded struct {
	io.Reader
	io.Closer
}
