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
		r.release()
		ready, err := r.await()
		if err != nil {
			return Frame{}, err
		}
		if !ready {
			return Frame{}, io.EOF
		}
	}
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
	}, nil
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

// take makes the block at hand ours if the kernel has handed it over.
func (r *ring) take() bool {
	h := r.header()
	if atomic.LoadUint32(&h.Block_status)&unix.TP_STATUS_USER == 0 {
		return false
	}
	r.held, r.left, r.next = true, h.Num_pkts, h.Offset_to_first_pkt
	return true
}

// await waits for the next block. It is false when there will be none.
func (r *ring) await() (bool, error) {
	for {
		if r.stopped.Load() && !r.draining {
			if err := r.drain(); err != nil {
				return false, err
			}
		}
		if r.take() {
			return true, nil
		}
		if !r.draining {
			if err := r.poll(); err != nil {
				return false, err
			}
			continue
		}
		missing, err := r.missing()
		if err != nil || missing == 0 {
			return false, err
		}
		if time.Now().After(r.deadline) {
			return false, fmt.Errorf("drain packet ring: %d frames that the kernel counted did not come within %v", missing, drainLimit)
		}
		time.Sleep(retire / 2)
	}
}

// poll sleeps until a block is ready or stop was called.
func (r *ring) poll() error {
	r.fds = [2]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR}, {Fd: int32(r.wake), Events: unix.POLLIN}}
	if _, err := unix.Poll(r.fds[:], -1); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for frames: %w", err)
	}
	if r.fds[0].Revents&unix.POLLERR != 0 {
		return r.socketError()
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
