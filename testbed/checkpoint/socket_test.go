package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/host"
)

// TestSocket takes a stream and serves it, and is not kept waiting when its caller has enough.
func TestSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "vs")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	local, err := host.NewLocal("here")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	data := randomBytes(3<<20+1, 1)
	open := map[string]func() (*Socket, error){
		"unix": func() (*Socket, error) { return ListenUnix(filepath.Join(dir, "s")) },
		"tcp":  func() (*Socket, error) { return ListenTCP(local, netip.MustParseAddrPort("127.0.0.1:0")) },
	}
	for network, listen := range open {
		dial := func(s *Socket) net.Conn {
			t.Helper()
			conn, err := local.Dial(t.Context(), network, strings.TrimPrefix(s.Stream(), network+":"))
			if err != nil {
				t.Fatal(err)
			}
			return conn
		}
		s, err := listen()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn := dial(s)
			_, _ = conn.Write(data)
			_ = conn.Close()
		}()
		var got bytes.Buffer
		r, err := s.Receive(t.Context(), &got)
		if err != nil || !bytes.Equal(got.Bytes(), data) || r.Bytes != int64(len(data)) || r.Ended.Before(r.Connected) {
			t.Errorf("%s: received %d B: %+v, %v", network, got.Len(), r, err)
		}

		if s, err = listen(); err != nil {
			t.Fatal(err)
		}
		served := make(chan []byte)
		go func() {
			conn := dial(s)
			b, _ := io.ReadAll(conn)
			served <- b
		}()
		n, err := s.Serve(t.Context(), bytes.NewReader(data))
		if b := <-served; err != nil || n != int64(len(data)) || !bytes.Equal(b, data) {
			t.Errorf("%s: served %d B of which %d came: %v", network, n, len(b), err)
		}

		for _, connects := range []bool{false, true} {
			if s, err = listen(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			enough := errors.New("enough")
			if connects {
				defer dial(s).Close()
			}
			time.AfterFunc(20*time.Millisecond, func() { cancel(enough) })
			if _, err := s.Receive(ctx, io.Discard); !errors.Is(err, enough) {
				t.Errorf("%s, connected %t: got %v", network, connects, err)
			}
		}
	}
}
