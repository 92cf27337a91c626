package load

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
	"time"
	"virtscope/probes"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

const (
	// streamHeader is what each datagram begins with: its number from 0 (8 bytes, big endian), and the guest's monotonic
	// clock in ns when it was due (8 bytes, big endian).
	streamHeader = 16
	renewEvery   = 500 * time.Millisecond // a stream ends 2 s after it was asked for
)

// A receiver takes one stream.
type receiver struct {
	conf   Config
	conn   *net.UDPConn
	target netip.AddrPort
	rec    results.Recorder
	meter  *probes.Meter

	arrived  arrived
	sequence sequence
	player   player
	latest   int64 // ns of the guest's clock: of the latest datagram
	last     int64 // ns: when the last datagram came; 0 is none
	interval int64 // ns for which a datagram plays
	overflow uint32
}

// runStream is Run of kind stream.
func runStream(ctx context.Context, c Config, meter *probes.Meter, rec results.Recorder, armed func()) error {
	r := &receiver{conf: c, rec: rec, meter: meter, target: netip.AddrPortFrom(c.Target.Addr().Unmap(), c.Target.Port())}
	if err := c.In.Do(r.open); err != nil {
		return err
	}
	steps := probes.NewStepDetector()
	start := time.Now().UnixNano() / int64(c.Bin) * int64(c.Bin)
	r.arrived = newArrived(c, start, rec)
	r.player = player{buffer: int64(c.PlayerBuffer), stall: r.stall}
	rec.Record(c.info(start))

	var asking sync.WaitGroup
	var askErr error
	asked := make(chan struct{})
	ctx, cancel := context.WithCancelCause(ctx)
	asking.Go(func() {
		if askErr = r.ask(ctx, asked); askErr != nil {
			cancel(askErr)
		}
	})
	<-asked
	armed()
	err := r.run(ctx)
	cancel(nil)
	asking.Wait()
	r.finish()
	return errors.Join(askErr, err, r.conn.Close(), steps.Check())
}

// open opens the socket in the network of the calling thread. It is not connected, so that no ICMP error about one
// datagram fails another.
func (r *receiver) open() error {
	network := "udp4"
	if r.target.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return errors.Join(fmt.Errorf("open socket: %w", err), conn.Close())
	}
	var optErr error
	err = raw.Control(func(fd uintptr) {
		for _, o := range []int{unix.SO_TIMESTAMPNS, unix.SO_RXQ_OVFL} {
			optErr = errors.Join(optErr, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, o, 1))
		}
		// Room for a burst; without CAP_NET_ADMIN the system's limit holds, and what finds no room is counted.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20)
	})
	if err := errors.Join(err, optErr); err != nil {
		return errors.Join(fmt.Errorf("set up socket: %w", err), conn.Close())
	}
	r.conn = conn
	return nil
}

// ask starts the stream and renews it until ctx is done. A send that fails is the network's doing: the next follows.
func (r *receiver) ask(ctx context.Context, asked chan<- struct{}) error {
	text := []byte(strconv.FormatFloat(r.conf.Rate, 'f', -1, 64) + " B/s")
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		_, err := r.conn.WriteToUDPAddrPort(text, r.target)
		if first {
			close(asked)
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("ask for the stream: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// run takes datagrams until ctx is done.
func (r *receiver) run(ctx context.Context) error {
	done := r.meter.Thread()
	defer done()
	b, oob := make([]byte, 64<<10), make([]byte, 256)
	for ctx.Err() == nil {
		if err := r.conn.SetReadDeadline(time.Now().Add(glance)); err != nil {
			return fmt.Errorf("receive stream: %w", err)
		}
		n, oobn, _, from, err := r.conn.ReadMsgUDPAddrPort(b, oob)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			// What the kernel has stamped was read by now: an empty bin is empty.
			r.arrived.until(time.Now().Add(-glance).UnixNano())
			continue
		case err != nil:
			return fmt.Errorf("receive stream: %w", err)
		}
		at, err := r.stamp(oob[:oobn])
		if err != nil {
			return err
		}
		if netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) == r.target && n >= streamHeader {
			r.take(b[:n], at)
		}
	}
	return nil
}

// stamp is when the kernel got a datagram, in ns since the Unix epoch.
func (r *receiver) stamp(oob []byte) (int64, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, fmt.Errorf("read control messages: %w", err)
	}
	at := int64(0)
	for _, m := range messages {
		switch {
		case m.Header.Level != unix.SOL_SOCKET:
		case m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16:
			at = int64(binary.NativeEndian.Uint64(m.Data))*1e9 + int64(binary.NativeEndian.Uint64(m.Data[8:])) // struct timespec
		case m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4:
			r.overflow = binary.NativeEndian.Uint32(m.Data) // since the socket was opened
		}
	}
	if at == 0 {
		return 0, errors.New("receive stream: the kernel gave no timestamp")
	}
	return at, nil
}

// take takes a datagram.
func (r *receiver) take(b []byte, at int64) {
	r.arrived.add(at, len(b), 0)
	number, due := binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[8:]))
	if number < r.sequence.next && due > r.latest {
		r.sequence.restart() // it ended, and was started anew by a later request
	}
	if !r.sequence.take(number, at) {
		return
	}
	r.latest, r.last = max(r.latest, due), at
	r.interval = int64(float64(len(b)) / r.conf.Rate * 1e9)
	r.player.arrive(at, due, r.interval)
}

func (r *receiver) record(at int64, name string, v float64, u results.Unit, attrs map[string]string) {
	attrs["kind"] = r.conf.Kind
	r.rec.Record(results.Record{Time: at, Host: r.conf.Host, Source: results.SourceLoad, Name: name, Value: v, Unit: u, Attrs: attrs})
}

func (r *receiver) stall(begin, long int64) {
	r.record(begin, results.StreamStall, time.Duration(long).Seconds(), results.Seconds, map[string]string{"buffer": inSeconds(r.conf.PlayerBuffer)})
}

// finish records what is known only now.
func (r *receiver) finish() {
	now := time.Now().UnixNano()
	r.arrived.end(now)
	if since, ok := r.player.stalled(now); ok {
		r.record(since, results.StreamStall, time.Duration(now-since).Seconds(), results.Seconds,
			map[string]string{"buffer": inSeconds(r.conf.PlayerBuffer), "open": "true"})
	}
	for _, h := range r.sequence.holes {
		r.record(h.seen, results.StreamLost, float64(h.to-h.from), results.One, map[string]string{})
	}
	attrs := map[string]string{
		"late": strconv.FormatInt(r.sequence.late, 10), "duplicate": strconv.FormatInt(r.sequence.repeated, 10),
	}
	if r.last != 0 {
		attrs["silent"], attrs["interval"] = inSeconds(time.Duration(now-r.last)), inSeconds(time.Duration(r.interval))
	}
	if r.player.first != 0 {
		attrs["played"] = inSeconds(time.Duration(now - r.player.first))
	}
	r.record(now, results.StreamReceived, float64(r.sequence.count), results.One, attrs)
	r.meter.Dropped(int64(r.overflow))
}
