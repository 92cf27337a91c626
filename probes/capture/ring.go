package capture

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// A block is the unit that the kernel hands over. One that holds any frame is handed over after retire, so a ring
	// lasts for at most retire × its number of blocks while nobody reads: many small blocks, then, unless whole
	// super-frames (of BIG TCP, at most) must fit.
	smallBlock = 1 << 16
	largeBlock = 1 << 20
	// retire is the delay with which frames are seen, not an error of their time.
	retire = 20 * time.Millisecond
	// frameSize only has to divide a block: TPACKET_V3 packs frames of any length.
	frameSize = 1 << 11
)

// A ring is a Source: an AF_PACKET socket with a TPACKET_V3 ring that the kernel fills
// (Documentation/networking/packet_mmap.rst). All methods but stop belong to one goroutine.
type ring struct {
	fd   int
	mem  []byte
	size int        // B, of a block
	mu   sync.Mutex // guards wake, which stop uses
	wake int        // eventfd that ends a poll; -1 once closed

	block    int    // index of the block at hand
	left     uint32 // frames in it that were not given yet
	next     uint32 // offset in it of the next frame
	held     bool   // the block at hand belongs to us
	stopped  atomic.Bool
	draining bool      // stop was noticed
	deadline time.Time // of draining

	stats   Stats
	arrived int64 // frames that passed the filter, dropped ones too, as the kernel counts
}

// A shape is how a ring is made.
type shape struct {
	bytes int // of all blocks: whole ones, and two at least
	block int // B of one: a power of two
}

// blockFor is the size of a block in which frames of snap bytes fit well. 0 is whole frames.
func blockFor(snap int) int {
	if snap > 0 && snap <= smallBlock/16 {
		return smallBlock
	}
	return largeBlock
}

// openRing opens a ring of size bytes for incoming frames that are cut to snap.
func openRing(index, size, snap int, program []bpf.Instruction) (*ring, error) {
	return newRing(index, shape{bytes: size, block: blockFor(snap)}, program, Incoming)
}

// newRing opens a ring. Frames pass the program from the first on. Index 0 is all interfaces of the namespace of the
// calling thread. If d is Incoming the kernel may skip outgoing frames, but older ones leave that to the program.
func newRing(index int, s shape, program []bpf.Instruction, d Direction) (*ring, error) {
	// With protocol 0 the socket receives nothing until it is bound, so nothing passes without the filter.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w: run as root or give CAP_NET_RAW", err)
	}
	r := &ring{fd: fd, wake: -1, size: s.block}
	if d == Incoming { // a copy less for each frame that goes out; Linux before 4.20 does not know it
		_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	if err := r.configure(index, s.bytes, program); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *ring) configure(index, size int, program []bpf.Instruction) error {
	if err := attach(r.fd, program); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("set packet version TPACKET_V3: %w: Linux 3.2 or newer is needed", err)
	}
	blocks := max(size/r.size, 2)
	req := unix.TpacketReq3{
		Block_size: uint32(r.size), Block_nr: uint32(blocks),
		Frame_size: frameSize, Frame_nr: uint32(blocks * (r.size / frameSize)),
		Retire_blk_tov: uint32(retire.Milliseconds()),
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("make packet ring of %d B: %w: the machine may lack memory", blocks*r.size, err)
	}
	mem, err := unix.Mmap(r.fd, 0, blocks*r.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map packet ring of %d B: %w", blocks*r.size, err)
	}
	r.mem = mem
	if r.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("make eventfd: %w", err)
	}
	if err := unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: index}); err != nil {
		return fmt.Errorf("bind packet socket to interface %d: %w", index, err)
	}
	return r.socketError() // a bound interface that is down is told here
}

// socketError is what the kernel has to say about the socket.
func (r *ring) socketError() error {
	errno, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return fmt.Errorf("read error of packet socket: %w", err)
	case errno == int(unix.ENETDOWN):
		return fmt.Errorf("capture: %w: the interface must be up and stay up", unix.ENETDOWN)
	case errno != 0:
		return fmt.Errorf("capture: %w", unix.Errno(errno))
	}
	return nil
}

// stop makes Next give what has arrived so far, and then io.EOF. It may be called by any goroutine, at any
// time.
func (r *ring) stop() {
	r.stopped.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wake >= 0 {
		one := [8]byte{0: 1, 7: 1} // an eventfd takes 8 bytes in host order; any number but zero wakes
		_, _ = unix.Write(r.wake, one[:])
	}
}

// Stats implements Source.
func (r *ring) Stats() (Stats, error) {
	// The kernel's counters start again at each reading, and the packets include the drops (packet(7)).
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return Stats{}, fmt.Errorf("read statistics of packet socket: %w", err)
	}
	r.arrived += int64(s.Packets)
	r.stats.Dropped += int64(s.Drops)
	r.stats.Full += int64(s.Freeze_q_cnt)
	return r.stats, nil
}

// Close implements Source. Data of frames is invalid after it.
func (r *ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	if r.mem != nil {
		errs = append(errs, unix.Munmap(r.mem))
		r.mem = nil
	}
	for _, fd := range []int{r.wake, r.fd} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	r.wake, r.fd = -1, -1
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close packet socket: %w", err)
	}
	return nil
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }
