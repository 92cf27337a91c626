package influx

import (
	"cmp"
	"net/http"
)

// Reader asks the target. It sends nothing yet.
func (t Target) Reader() (*Reader, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	config, err := t.tls()
	if err != nil {
		return nil, err
	}
	return &Reader{URL: t.URL, Bucket: t.Bucket, Token: t.Token, Client: &http.Client{
		Transport: &http.Transport{ // without a limit for the whole answer, which may be long
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true, ResponseHeaderTimeout: cmp.Or(t.Timeout, defaultTimeout),
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}
