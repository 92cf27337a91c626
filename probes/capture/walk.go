package capture

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// drainLimit is how long the last frames may take to be handed over after stop. The kernel does it within
// two retire timeouts; a busy machine may be late.
const drainLimit = time.Second

// linkOffset is where the sockaddr_ll lies behind a frame's header: TPACKET_ALIGN(sizeof(tpacket3_hdr)).
const linkOffset = (unix.SizeofTpacket3Hdr + unix.TPACKET_ALIGNMENT - 1) &^ (unix.TPACKET_ALIGNMENT - 1)

// Next implements Source.
func (r *ring) Next() (Frame, error) {
	for r.left == 0 {
		switch s, err := r.step(); {
		case err != nil:
			return Frame{}, err
		case s == ended:
			return Frame{}, io.EOF
		case s == waiting:
			if err := pause(r); err != nil {
				return Frame{}, err
			}
		}
	}
	return r.frame(), nil
}

// frame gives the next frame of the block at hand.
func (r *ring) frame() Frame {
	r.left--
	base := r.block*r.size + int(r.next)
	h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.mem[base]))
	link := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&r.mem[base+linkOffset]))
	r.next += h.Next_offset
	r.stats.Frames++
	begin := base + int(h.Mac)
	return Frame{
		Data:      r.mem[begin : begin+int(h.Snaplen) : begin+int(h.Snaplen)],
		Length:    int(h.Len),
		Time:      int64(h.Sec)*int64(time.Second) + int64(h.Nsec),
		Interface: int(link.Ifindex),
		Link:      linkOf(link.Hatype),
		VLAN:      tagOf(h),
		Outgoing:  link.Pkttype == unix.PACKET_OUTGOING,
	}
}

// header is the head of the block at hand.
func (r *ring) header() *unix.TpacketHdrV1 {
	d := (*unix.TpacketBlockDesc)(unsafe.Pointer(&r.mem[r.block*r.size]))
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&d.Hdr))
}

// release gives the block at hand back to the kernel.
func (r *ring) release() {
	if !r.held {
		return
	}
	atomic.StoreUint32(&r.header().Block_status, unix.TP_STATUS_KERNEL)
	r.held = false
	r.block = (r.block + 1) % (len(r.mem) / r.size)
}

// pending reports whether the kernel has handed over the block at hand.
func (r *ring) pending() bool {
	return atomic.LoadUint32(&r.header().Block_status)&unix.TP_STATUS_USER != 0
}

// take makes the block at hand ours if the kernel has handed it over.
func (r *ring) take() bool {
	if !r.pending() {
		return false
	}
	h := r.header()
	r.held, r.left, r.next = true, h.Num_pkts, h.Offset_to_first_pkt
	return true
}

// A state is what a ring has to give.
type state int

const (
	ready   state = iota // a block, possibly without frames
	waiting              // nothing yet
	ended                // nothing any more
)

// step gives the block at hand back if it was read, and takes the next one if there is one.
func (r *ring) step() (state, error) {
	r.release()
	if r.stopped.Load() && !r.draining {
		if err := r.drain(); err != nil {
			return ended, err
		}
	}
	if r.take() {
		return ready, nil
	}
	if !r.draining {
		return waiting, nil
	}
	missing, err := r.missing()
	if err != nil || missing == 0 {
		return ended, err
	}
	if time.Now().After(r.deadline) {
		return ended, fmt.Errorf("drain packet ring: %d frames that the kernel counted did not come within %v", missing, drainLimit)
	}
	return waiting, nil
}

// nap is how long a reader rests before it asks the kernel to wake it at the next block. Being woken for each block costs
// more than reading it: at 20 Gbit/s a nap gathers five blocks, of the 64 of a ring of the default size.
const nap = 2 * time.Millisecond

// pause waits until one of some rings may have a block, or one that drains may have got its last.
func pause(rings ...*ring) error {
	var few [4]unix.PollFd
	wake := few[:0]
	for _, r := range rings {
		if r.draining {
			time.Sleep(retire / 2)
			return nil
		}
		wake = append(wake, unix.PollFd{Fd: int32(r.wake), Events: unix.POLLIN})
	}
	if err := poll(wake, int(nap.Milliseconds())); err != nil {
		return err
	}
	for i, r := range rings {
		if r.pending() || wake[i].Revents != 0 {
			return nil
		}
	}
	fds := wake
	for _, r := range rings {
		fds = append(fds, unix.PollFd{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR})
	}
	if err := poll(fds, -1); err != nil {
		return err
	}
	for i, r := range rings {
		if fds[len(rings)+i].Revents&unix.POLLERR == 0 {
			continue
		}
		if err := r.socketError(); err != nil {
			return err
		}
	}
	return nil
}

// poll sleeps until something happens to one of fds or timeout ms have passed; -1 is never.
func poll(fds []unix.PollFd, timeout int) error {
	if _, err := unix.Poll(fds, timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for frames: %w", err)
	}
	return nil
}

// drain lets nothing more enter, so that the count can be complete.
func (r *ring) drain() error {
	r.draining, r.deadline = true, time.Now().Add(drainLimit)
	return attach(r.fd, nothing())
}

// missing is how many frames the kernel has counted that were neither given nor dropped.
func (r *ring) missing() (int64, error) {
	s, err := r.Stats()
	return r.arrived - s.Dropped - s.Frames, err
}
