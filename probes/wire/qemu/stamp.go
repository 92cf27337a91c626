package qemu

import "virtscope/probes/wire/tcp"

// QEMU writes to a socket; what it wrote may wait in the source's send buffer. When it wrote byte x, all bytes before
// x - sendBuffer had passed. SendBuffer is the largest that Linux lets a buffer grow to by default (net.ipv4.tcp_wmem).
const sendBuffer = 4 << 20

const historyGrain = 16 << 10

// maxCall is how far a call of Data may run ahead of what is parsed without losing history.
const maxCall = 1 << 20

// A history says when the last few MiB of a stream passed.
type history struct {
	ring [(sendBuffer + maxCall) / historyGrain]tcp.Stamp
	next int64 // multiple of historyGrain: the first byte whose stamp is not kept yet
	from int64 // first that was kept
	any  bool
}

// note says that the bytes [offset, offset+n) came with at.
func (h *history) note(offset, n int64, at tcp.Stamp) {
	if !h.any {
		h.any = true
		h.from = offset / historyGrain * historyGrain
		h.next = h.from
	}
	end := offset + n
	if h.next >= end {
		return
	}
	h.next = max(h.next, end-int64(len(h.ring))*historyGrain) / historyGrain * historyGrain
	for ; h.next < end; h.next += historyGrain {
		h.ring[h.next/historyGrain%int64(len(h.ring))] = at
	}
}

// queued is a time at which the source cannot have written the byte at offset yet, or only just: when the byte sendBuffer before it
// passed. The zero Stamp if nothing so old was seen.
func (h *history) queued(offset int64) tcp.Stamp {
	at := max((offset-sendBuffer)/historyGrain*historyGrain, h.from)
	if !h.any || at >= h.next || at < h.next-int64(len(h.ring))*historyGrain {
		return tcp.Stamp{}
	}
	return h.ring[at/historyGrain%int64(len(h.ring))]
}
