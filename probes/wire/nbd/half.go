package nbd

import (
	"fmt"
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// longest is the most that a grammar looks at in one piece: an option with an export's name of 4096 B.
const longest = optionLength + 4 + longestName

// A grammar is what one direction is made of.
type grammar interface {
	// step looks at the header that was collected. It wants more bytes in all, or it used the header (0), and then has told the
	// half what follows. False is that the header makes no sense.
	step(b []byte, at tcp.Stamp) (want int, ok bool)
	// passed says that the payload which step skipped has passed; measured is false if its last byte was not captured.
	passed(measured bool, at tcp.Stamp)
	// find looks for a header in bytes that make no sense. It drops that many, and needs so many of those behind them to judge.
	// A header was found if they are there.
	find(b []byte) (drop, need int)
	// lose says that the thread was lost.
	lose()
}

// A half follows one direction. Payloads are passed over without being touched.
type half struct {
	session *Session
	grammar grammar
	dir     string

	next      int64  // offset of the next byte
	at        int64  // offset of the first collected byte
	buf       []byte // collected
	want      int    // B of the header, as far as known
	skip      uint64 // B of payload that are left
	started   bool
	encrypted bool
	lost      bool
	lostFrom  int64
	found     bool // the header at hand was found among bytes that made no sense
	quiet     bool // what makes no sense is no damage: the capture began later
	undecoded int64
	damages   int64
	how       tcp.End
}

func newHalf(s *Session, dir string, want int) *half {
	return &half{session: s, dir: dir, want: want, buf: make([]byte, 0, longest)}
}

// Data implements tcp.Consumer.
func (h *half) Data(offset int64, data []byte, at tcp.Stamp) {
	h.session.seen(at)
	h.started, h.next = true, offset
	h.feed(data, at)
}

func (h *half) feed(data []byte, at tcp.Stamp) {
	for len(data) > 0 && !h.encrypted {
		switch {
		case h.skip > 0:
			n := min(h.skip, uint64(len(data)))
			h.advance(n, true, at)
			data = data[n:]
		case h.lost:
			data = h.search(data, at)
		default:
			data = h.collect(data, h.want)
			if len(h.buf) == h.want {
				h.step(at)
			}
		}
	}
	h.next += int64(len(data))
}

// advance skips n bytes of payload.
func (h *half) advance(n uint64, measured bool, at tcp.Stamp) {
	h.next += int64(n)
	h.skip -= n
	if h.skip == 0 {
		h.grammar.passed(measured, at)
	}
}

// pass lets n bytes of payload pass.
func (h *half) pass(n uint64, at tcp.Stamp) {
	h.skip = n
	if n == 0 {
		h.grammar.passed(true, at)
	}
}

// collect fills the header up to want bytes, and returns the rest.
func (h *half) collect(data []byte, want int) []byte {
	if len(h.buf) == 0 {
		h.at = h.next
	}
	n := min(want-len(h.buf), len(data))
	h.buf = append(h.buf, data[:n]...)
	h.next += int64(n)
	return data[n:]
}

// step looks at the header.
func (h *half) step(at tcp.Stamp) {
	want, ok := h.grammar.step(h.buf, at)
	switch {
	case ok && want > 0:
		h.want = want
		return
	case ok:
		h.buf = h.buf[:0]
		return
	case !h.quiet:
		h.damage(h.at, at, fmt.Sprintf("no NBD message begins with % x", h.buf[:min(len(h.buf), 8)]))
	}
	h.seek(h.at)
	h.again(1, at)
}

// seek begins to look for a header.
func (h *half) seek(from int64) {
	h.lost, h.lostFrom, h.quiet, h.skip = true, from, false, 0
	h.grammar.lose()
}

// again drops the first bytes that were collected, and takes the others once more.
func (h *half) again(drop int, at tcp.Stamp) {
	var rest [longest]byte
	n := copy(rest[:], h.buf[drop:])
	h.buf, h.next = h.buf[:0], h.next-int64(n)
	h.feed(rest[:n], at)
}

// search looks for a header among the bytes that make no sense.
func (h *half) search(data []byte, at tcp.Stamp) []byte {
	if len(h.buf) == 0 {
		drop, _ := h.grammar.find(data)
		data = data[drop:]
		h.next += int64(drop)
	}
	drop, need := h.grammar.find(h.buf) // a reply that was awaited when it was collected may be no more
	if drop == 0 {
		data = h.collect(data, need)
		drop, need = h.grammar.find(h.buf)
	}
	switch {
	case drop > 0:
		h.again(drop, at)
	case len(h.buf) == need:
		h.resync(at)
		h.lost, h.found, h.want = false, true, need
		h.step(at)
		h.found = false
	}
	return data
}

// mostDamages is how many damages of a direction are told one by one: where a snap length cut headers, there is one a frame.
const mostDamages = 100

// resync says that a header was found.
func (h *half) resync(at tcp.Stamp) {
	skipped := h.at - h.lostFrom
	h.undecoded += skipped
	if h.damages <= mostDamages {
		h.session.emit(at, results.WireResync, 0, results.Event, "channel", h.session.conf.Channel, "dir", h.dir,
			"offset", strconv.FormatInt(h.at, 10), "packet", strconv.FormatInt(at.Packet, 10), "skipped", strconv.FormatInt(skipped, 10))
	}
}

// Gap implements tcp.Consumer.
func (h *half) Gap(offset, n int64, at tcp.Stamp) {
	h.session.seen(at)
	h.next = offset
	if h.skip > 0 && !h.encrypted { // it is known what they are
		k := min(h.skip, uint64(n))
		h.advance(k, false, at)
		n -= int64(k)
	}
	from := h.next
	h.next += n
	if n == 0 || h.encrypted {
		return
	}
	if h.lost {
		h.buf = h.buf[:0]
		return
	}
	h.damage(from, at, strconv.FormatInt(n, 10)+" B are missing")
	if len(h.buf) > 0 {
		from, h.buf = h.at, h.buf[:0]
	}
	h.seek(from)
}

func (h *half) damage(offset int64, at tcp.Stamp, detail string) {
	h.session.damaged = true
	if h.damages++; h.damages <= mostDamages {
		h.tellDamage(offset, at, detail)
	}
}

func (h *half) tellDamage(offset int64, at tcp.Stamp, detail string) {
	h.session.emit(at, results.WireDamage, 0, results.Event, "channel", h.session.conf.Channel, "dir", h.dir,
		"offset", strconv.FormatInt(offset, 10), "packet", strconv.FormatInt(at.Packet, 10), "detail", detail)
}

// tellMore says how many damages were not told.
func (h *half) tellMore(at tcp.Stamp) {
	if n := h.damages - mostDamages; n > 0 {
		h.tellDamage(h.next, at, fmt.Sprintf("%d more damages before", n))
	}
}

// End implements tcp.Consumer.
func (h *half) End(how tcp.End, at tcp.Stamp) {
	h.session.seen(at)
	h.how = how
}

// unknown is how many bytes were not understood.
func (h *half) unknown() int64 {
	if h.lost {
		return h.undecoded + h.next - h.lostFrom
	}
	return h.undecoded
}
