package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
	"virtscope/testbed/host"
)

// A Socket takes one stream from the first who connects, or serves one to it. Close ends what waits.
type Socket struct {
	l      net.Listener
	stream string
}

// ListenUnix listens at a path, which must be short enough for a unix address.
func ListenUnix(path string) (*Socket, error) {
	l, err := net.Listen("unix", path) //nolint:noctx // it asks nobody
	if err != nil {
		return nil, fmt.Errorf("listen for a saved guest: %w", err)
	}
	return &Socket{l: l, stream: "unix:" + path}, nil
}

// ListenTCP listens on an address of a host, in its network. Port 0 is one that is free.
func ListenTCP(in host.Doer, addr netip.AddrPort) (*Socket, error) {
	var l net.Listener
	err := in.Do(func() (err error) {
		l, err = net.Listen("tcp", addr.String()) //nolint:noctx // it asks nobody
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen for a saved guest: %w", err)
	}
	return &Socket{l: l, stream: "tcp:" + l.Addr().String()}, nil
}

// Stream is the socket as QEMU names it: unix:PATH or tcp:ADDRESS:PORT.
func (s *Socket) Stream() string { return s.stream }

// Close closes the socket. It is idempotent.
func (s *Socket) Close() error {
	if err := s.l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Received is what came of a stream.
type Received struct {
	Bytes     int64
	Connected time.Time
	Ended     time.Time // the sender closed it
}

// copyStep is how much is read at once, in B.
const copyStep = 1 << 20

// Receive writes to w what the first who connects sends, until it ends its stream, and closes the socket. A sender that died
// looks the same: whether the stream is whole, the sender must say. It returns early when ctx is done.
func (s *Socket) Receive(ctx context.Context, w io.Writer) (Received, error) {
	conn, release, err := s.accept(ctx)
	if err != nil {
		return Received{}, fmt.Errorf("receive a saved guest: %w", err)
	}
	defer release()
	r := Received{Connected: time.Now()}
	// Not the connection's own WriteTo: its steps are small.
	r.Bytes, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{conn}, make([]byte, copyStep))
	r.Ended = time.Now()
	if err != nil {
		return r, fmt.Errorf("receive a saved guest: after %d B: %w", r.Bytes, errors.Join(context.Cause(ctx), err))
	}
	return r, nil
}

// Serve sends what r holds to the first who connects, and closes the socket. It returns how many B it sent, early when ctx is
// done.
func (s *Socket) Serve(ctx context.Context, r io.Reader) (int64, error) {
	conn, release, err := s.accept(ctx)
	if err != nil {
		return 0, fmt.Errorf("serve a saved guest: %w", err)
	}
	defer release()
	n, err := io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{r}, make([]byte, copyStep))
	if err != nil {
		return n, fmt.Errorf("serve a saved guest: after %d B: %w", n, errors.Join(context.Cause(ctx), err))
	}
	return n, nil
}

// accept takes the first connection, and no other. Release closes it.
func (s *Socket) accept(ctx context.Context) (conn net.Conn, release func(), err error) {
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	conn, err = s.l.Accept()
	if err == nil {
		err = s.Close()
	}
	if stop(); err != nil || ctx.Err() != nil {
		if conn != nil {
			_ = conn.Close()
		}
		return nil, nil, errors.Join(context.Cause(ctx), err)
	}
	stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return conn, func() {
		stop()
		_ = conn.Close()
	}, nil
}
