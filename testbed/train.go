package testbed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// etherType is the one that IEEE 802 leaves for local experiments.
const etherType = 0x88B5

const trainFrame = 64 // B

// A train is frames that went from one device to its peer.
type train struct {
	sent      []int64 // ns since the epoch, just before each was sent
	came      []int64 // the kernel's stamp of its arrival; 0 if it did not come
	reordered int     // frames that came after a later one
}

func (t train) delays() []float64 {
	var list []float64
	for i, at := range t.came {
		if at != 0 {
			list = append(list, float64(at-t.sent[i])/1e9)
		}
	}
	return list
}

// send sends frames from a device of the calling thread's namespace to its peer, gap apart or as fast as the thread can,
// and waits longest and some more for the last.
func send(ctx context.Context, device string, frames int, gap, longest time.Duration) (t train, err error) {
	out, err := packetSocket(device)
	if err != nil {
		return train{}, err
	}
	defer func() { err = errors.Join(err, os.NewSyscallError("close", unix.Close(out))) }()
	in, err := packetSocket(scratchPeer(device))
	if err != nil {
		return train{}, err
	}
	defer func() { err = errors.Join(err, os.NewSyscallError("close", unix.Close(in))) }()
	t = train{sent: make([]int64, frames), came: make([]int64, frames)}
	r := reader{fd: in, train: &t, last: -1}
	frame := make([]byte, trainFrame)
	copy(frame, []byte{0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, etherType >> 8, etherType & 0xff})
	begin := time.Now()
	for i := range frames {
		if err := ctx.Err(); err != nil {
			return train{}, err
		}
		if err := r.until(begin.Add(time.Duration(i) * gap)); err != nil {
			return train{}, err
		}
		binary.BigEndian.PutUint32(frame[14:], uint32(i))
		t.sent[i] = time.Now().UnixNano()
		if _, err := unix.Write(out, frame); err != nil {
			return train{}, fmt.Errorf("send a frame on %s: %w", device, err)
		}
	}
	const grace = 50 * time.Millisecond // for an emulator that is late
	return t, r.until(time.Now().Add(longest + grace))
}

// packetSocket sees the frames of a train at a device, and sends them there.
func packetSocket(device string) (int, error) {
	iface, err := net.InterfaceByName(device)
	if err != nil {
		return -1, fmt.Errorf("find %s: %w", device, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("open a packet socket: %w", err)
	}
	protocol := uint16(etherType>>8 | etherType&0xff<<8) // in network order
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20), // a train that nobody has read yet
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: iface.Index}),
	)
	if err != nil {
		return -1, errors.Join(fmt.Errorf("set up a packet socket on %s: %w", device, err), unix.Close(fd))
	}
	return fd, nil
}

// A reader takes the frames of a train as they come.
type reader struct {
	fd    int
	train *train
	last  int // the latest frame that came
	frame [256]byte
	oob   [128]byte
}

// until reads what comes until a time.
func (r *reader) until(end time.Time) error {
	for {
		if err := r.read(); err != nil {
			return err
		}
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		ts := unix.NsecToTimespec(int64(left))
		_, err := unix.Ppoll([]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}, &ts, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for frames: %w", err)
		}
	}
}

// read takes what has come.
func (r *reader) read() error {
	for {
		n, oobn, _, from, err := unix.Recvmsg(r.fd, r.frame[:], r.oob[:], 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("receive a frame: %w", err)
		}
		if l, ok := from.(*unix.SockaddrLinklayer); ok && l.Pkttype == unix.PACKET_OUTGOING || n < 18 {
			continue
		}
		stamp, err := arrival(r.oob[:oobn])
		if err != nil {
			return err
		}
		i := int(binary.BigEndian.Uint32(r.frame[14:]))
		if i >= len(r.train.came) || r.train.came[i] != 0 {
			return fmt.Errorf("frame %d came that was not sent, or twice", i)
		}
		r.train.came[i] = stamp
		if i < r.last {
			r.train.reordered++
		}
		r.last = max(r.last, i)
	}
}

// arrival is the kernel's stamp of a message, ns since the epoch.
func arrival(oob []byte) (int64, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, fmt.Errorf("read a frame's stamp: %w", err)
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			return int64(binary.NativeEndian.Uint64(m.Data))*1e9 + int64(binary.NativeEndian.Uint64(m.Data[8:])), nil
		}
	}
	return 0, errors.New("the kernel did not stamp a frame")
}
