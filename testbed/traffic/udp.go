package traffic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveBuffer holds a tenth of a second of 1 Gbit/s and the kernel's overhead, should the receiver be late.
const receiveBuffer = 32 << 20

// quiet is how long nothing may come until nothing is under way any more: the longest delay and queue of a usual link.
const quiet = 500 * time.Millisecond

// maxBurst is how many datagrams fit the kernel's 64 KiB of UDP payload.
const maxBurst = 65507 / DatagramSize

type udpFlow struct {
	out, in  *net.UDPConn
	burst    int // datagrams that are sent at once
	rate     float64
	tx, rx   atomic.Int64
	last     atomic.Int64 // when the last datagram came, ns since the epoch
	receiver sync.WaitGroup
	gone     error // why receiving ended; valid after receiver
}

func openUDP(_ context.Context, c Config) (flow, error) {
	f := &udpFlow{rate: c.Rate / float64(c.Flows)}
	err := c.To.Do(func() (err error) {
		f.in, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.Addr, 0)))
		return err
	})
	if err != nil {
		return nil, err
	}
	err = control(f.in, func(fd int) error { // beyond the limit of ordinary users, where this one may
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer)
	})
	if errors.Is(err, unix.EPERM) {
		err = f.in.SetReadBuffer(receiveBuffer)
	}
	if err == nil {
		err = c.From.Do(func() (err error) {
			f.out, err = net.DialUDP("udp", nil, f.in.LocalAddr().(*net.UDPAddr)) // ListenUDP's are
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, f.in.Close())
	}
	f.burst = f.merge()
	f.receiver.Go(f.receive)
	return f, nil
}

// merge lets what is due within a millisecond pass the hosts' stacks as one, as a stream's segments do, and returns how many
// datagrams that is: at high rates it takes a fraction of the CPU. On the link they are datagrams of their own. A kernel
// that cannot (UDP_SEGMENT and UDP_GRO of udp(7), from 4.18 and 5.0 on) sends them one by one.
func (f *udpFlow) merge() int {
	burst := int(min(f.rate*time.Millisecond.Seconds()/DatagramSize, maxBurst))
	if burst < 2 {
		return 1
	}
	set := func(option, value int) func(int) error {
		return func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, option, value) }
	}
	if control(f.in, set(unix.UDP_GRO, 1)) != nil || control(f.out, set(unix.UDP_SEGMENT, DatagramSize)) != nil {
		return 1
	}
	return burst
}

// run sends numbered datagrams. What the kernel has no way or room for is not sent; the next is.
func (f *udpFlow) run(stop <-chan struct{}) error {
	p, done := startPace(f.rate)
	defer done()
	defer interrupt(f.out, stop)()
	b := make([]byte, f.burst*DatagramSize)
	for number := uint64(0); p.wait(len(b), stop); {
		for i := 0; i < len(b); i += DatagramSize {
			binary.BigEndian.PutUint64(b[i:], number)
			number++
		}
		f.tx.Add(int64(len(b))) // before it can arrive
		_, err := f.out.Write(b)
		if err == nil {
			continue
		}
		f.tx.Add(-int64(len(b)))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		default:
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func (f *udpFlow) receive() {
	b := make([]byte, 64<<10)
	for {
		n, err := f.in.Read(b)
		if err != nil {
			f.gone = err
			return
		}
		f.rx.Add(int64(n))
		f.last.Store(time.Now().UnixNano())
	}
}

func (f *udpFlow) sent() (int64, error) { return f.tx.Load(), nil }

// received asks the kernel too what it dropped before this program could read it.
func (f *udpFlow) received() (int64, map[string]string) {
	n := f.rx.Load()
	drops, err := socketDrops(f.in)
	switch {
	case err != nil:
		return n, map[string]string{"overflow": "unknown: " + err.Error()}
	case drops > 0:
		return n, map[string]string{"overflow": strconv.FormatUint(uint64(drops), 10)}
	default:
		return n, nil
	}
}

// drain waits until all has come or nothing has for a while.
func (f *udpFlow) drain(deadline time.Time) {
	begin := time.Now()
	for f.rx.Load() < f.tx.Load() && time.Now().Before(deadline) {
		silent := time.Since(time.Unix(0, max(f.last.Load(), begin.UnixNano())))
		if silent > quiet {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (f *udpFlow) close() error {
	err := errors.Join(f.out.Close(), f.in.Close())
	f.receiver.Wait()
	if !errors.Is(f.gone, net.ErrClosed) {
		err = errors.Join(err, fmt.Errorf("receive: %w", f.gone))
	}
	return err
}

// socketDrops is how often a datagram, or several in one, found the socket full (SO_MEMINFO, SK_MEMINFO_DROPS of linux/sock_diag.h).
func socketDrops(c syscall.Conn) (drops uint32, err error) {
	var info [9]uint32 // SK_MEMINFO_VARS
	const dropsAt = 8
	err = control(c, func(fd int) error {
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno != 0:
			return os.NewSyscallError("getsockopt", errno)
		case size <= 4*dropsAt:
			return errors.New("this kernel does not count what a socket drops")
		}
		return nil
	})
	return info[dropsAt], err
}

// control runs f on a connection's descriptor.
func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}

// interrupt ends a write that waits for room once stop is closed. Done must be called when nothing is written any more.
func interrupt(c net.Conn, stop <-chan struct{}) (done func()) {
	over := make(chan struct{})
	go func() {
		select {
		case <-stop:
			_ = c.SetWriteDeadline(time.Now()) // a connection that is closed writes no more either
		case <-over:
		}
	}()
	return func() { close(over) }
}
