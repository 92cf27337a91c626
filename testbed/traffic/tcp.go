package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	acceptLimit = 10 * time.Second
	// unsent is how much may wait in the sender's socket, so that little is left to send when the traffic is to stop.
	unsent = 128 << 10
	chunk  = 64 << 10
)

type tcpFlow struct {
	out, in *net.TCPConn
	rate    float64 // 0: no limit
	rx      atomic.Int64
	ended   chan struct{} // closed when nothing more is received
	gone    error         // why, nil at the sender's end of the stream; valid after ended
	cut     bool          // the sender's stream was cut off
}

func openTCP(ctx context.Context, c Config) (flow, error) {
	var l *net.TCPListener
	err := c.To.Do(func() (err error) {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Addr, 0)))
		return err
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // it was for one connection
	f := &tcpFlow{rate: c.Rate / float64(c.Flows), ended: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	err = c.From.Do(func() error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
		if err == nil {
			f.out = conn.(*net.TCPConn) // that is what "tcp" gives
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = l.SetDeadline(time.Now().Add(acceptLimit))
	if err == nil {
		f.in, err = l.AcceptTCP()
	}
	if err != nil {
		return nil, errors.Join(err, f.out.Close())
	}
	err = control(f.out, func(fd int) error {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent))
	})
	if err != nil {
		return nil, errors.Join(err, f.out.Close(), f.in.Close())
	}
	go f.receive()
	return f, nil
}

func (f *tcpFlow) run(stop <-chan struct{}) error {
	defer interrupt(f.out, stop)()
	wait, size := func(int) bool { return true }, chunk
	if f.rate > 0 {
		p, done := startPace(f.rate)
		defer done()
		wait = func(n int) bool { return p.wait(n, stop) }
		size = int(min(chunk, max(DatagramSize, f.rate*(10*time.Millisecond).Seconds())))
	}
	b := make([]byte, size)
	for wait(len(b)) {
		_, err := f.out.Write(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func (f *tcpFlow) receive() {
	defer close(f.ended)
	b := make([]byte, 4*chunk)
	for {
		n, err := f.in.Read(b)
		f.rx.Add(int64(n))
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			f.gone = err
			return
		}
	}
}

// sent is what the kernel has sent (struct tcp_info: tcpi_bytes_sent counts retransmissions too).
func (f *tcpFlow) sent() (n int64, err error) {
	err = control(f.out, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return os.NewSyscallError("getsockopt", err)
		}
		n = int64(info.Bytes_sent) - int64(info.Bytes_retrans)
		return nil
	})
	return n, err
}

func (f *tcpFlow) received() (int64, map[string]string) { return f.rx.Load(), nil }

// drain ends the stream and waits until the receiver has it all.
func (f *tcpFlow) drain(deadline time.Time) {
	_ = f.out.CloseWrite() // one that is broken already ends by itself
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	select {
	case <-f.ended:
	case <-timeout.C:
		f.cut = true
	}
}

// close resets a stream that did not end in time: nothing more may pass the link.
func (f *tcpFlow) close() error {
	if f.cut {
		_ = f.out.SetLinger(0)
	}
	err := errors.Join(f.out.Close(), f.in.Close())
	<-f.ended
	if f.gone != nil && !f.cut && !errors.Is(f.gone, net.ErrClosed) {
		err = errors.Join(err, fmt.Errorf("receive: %w", f.gone))
	}
	return err
}
