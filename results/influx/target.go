package influx

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// A Target is a bucket of an InfluxDB 1.8, 2 or 3 that takes points at /api/v2/write.
type Target struct {
	URL     string        // of the server, such as http://localhost:8086; no user, no query
	Org     string        // of InfluxDB 2; "" for 1.8 and 3
	Bucket  string        // or database/retention of 1.8
	Token   Secret        // or user:password of 1.8; "" sends none
	CAFile  string        // certificates that are trusted beside the system's, PEM; "" for none
	Gzip    Gzip          // of what is sent
	Timeout time.Duration // of one request with its answer; 0 is 20 s
}

// A Secret never shows in what is printed.
type Secret string

// String hides it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides it.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Gzip says whether points are compressed on their way.
type Gzip string

// What Gzip may be. Auto compresses unless the server is this machine.
const (
	GzipAuto Gzip = ""
	GzipOn   Gzip = "on"
	GzipOff  Gzip = "off"
)

const defaultTimeout = 20 * time.Second

// What a target lacks; how to name it depends on who asks.
var (
	ErrNoURL    = errors.New("no InfluxDB is named")
	ErrNoBucket = errors.New("no bucket of InfluxDB is named")
)

// Check finds what is wrong with the target before anything is sent.
func (t Target) Check() error {
	u, err := url.Parse(t.URL)
	switch {
	case t.URL == "":
		return ErrNoURL
	case err != nil:
		// Not the parser's error: it holds the URL, which may hold a password.
		return errors.New("read InfluxDB's URL: want one such as http://localhost:8086")
	case u.User != nil:
		return errors.New("InfluxDB's URL holds a user: put user and password into INFLUX_USER and INFLUX_PASSWORD, or a token into INFLUX_TOKEN")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("read InfluxDB's URL %q: want one such as http://localhost:8086", t.URL)
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("InfluxDB's URL holds a query: leave out all from ? on; org and bucket are options of their own")
	case t.Bucket == "":
		return ErrNoBucket
	case t.Gzip != GzipAuto && t.Gzip != GzipOn && t.Gzip != GzipOff:
		return fmt.Errorf("gzip is %q: want on or off", t.Gzip)
	case t.Timeout < 0:
		return fmt.Errorf("the timeout of a request to InfluxDB is %v: want one above 0", t.Timeout)
	case strings.ContainsAny(string(t.Token), " \r\n"):
		return errors.New("InfluxDB's token, or user or password, holds a space or line break, which the server would not read: use another")
	}
	_, err = t.tls()
	return err
}

// String names the target, without its token.
func (t Target) String() string {
	name := t.Bucket
	if t.Org != "" {
		name = t.Org + "/" + name
	}
	return fmt.Sprintf("%s bucket %s", t.URL, name)
}

// ID names the target in a file name. Its token has no part in it.
func (t Target) ID() string {
	sum := sha256.Sum256([]byte(strings.TrimRight(t.URL, "/") + "\x00" + t.Org + "\x00" + t.Bucket))
	return hex.EncodeToString(sum[:6])
}

// tls verifies the server, always.
func (t Target) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read InfluxDB's certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read InfluxDB's certificates: %s holds none in PEM", t.CAFile)
	}
	c.RootCAs = pool
	return c, nil
}

// compresses reports whether points are compressed: on this machine it only costs time.
func (t Target) compresses() bool {
	if t.Gzip != GzipAuto {
		return t.Gzip == GzipOn
	}
	u, err := url.Parse(t.URL)
	if err != nil {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}
