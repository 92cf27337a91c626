package tcp

import (
	"encoding/binary"
	"testing"
	"virtscope/probes/capture/packet"
)

// fuzzBuffer is small, so that it is full at once.
const fuzzBuffer = 16 << 10

// FuzzConnection decodes 12 B a packet: kind, flags, length, captured, sequence and acknowledgement numbers. The recorder checks that offsets
// have no holes and that End is last.
func FuzzConnection(f *testing.F) {
	for _, tests := range [][]script{orderScripts, acknowledgeScripts, openScripts, jumpScripts} {
		for _, s := range tests {
			f.Add(encode(s.packets))
		}
	}
	payload := make([]byte, 1<<16)
	f.Fuzz(func(t *testing.T, in []byte) {
		w := newWire(t, Options{Buffer: fuzzBuffer, Pool: NewPool(fuzzBuffer * 3 / 2)})
		var given int64
		for ; len(in) >= 12; in = in[12:] {
			length := int(binary.BigEndian.Uint16(in[2:]))
			p := packet.Packet{
				Flags: packet.Flags(in[1] & 0x1f), PayloadLength: length, Payload: payload[:min(length, length*int(1+in[0]>>4)/15)],
				Seq: binary.BigEndian.Uint32(in[4:]), Ack: binary.BigEndian.Uint32(in[8:]),
			}
			dir := Direction(in[0] & 1)
			w.number++
			w.now += int64(in[0]>>2&3) * 20e6
			if w.Packet(dir, &p, int(in[0]>>1&1), Stamp{w.now, w.number}) {
				continue
			}
			given += int64(length)
			for i := range w.half {
				w.checkBound(t, &w.half[i])
			}
		}
		w.finish()
		for i := range w.half {
			if w.got[i].ends != 1 || w.half[i].queue.size != 0 {
				t.Errorf("direction %d: ended %d times, keeps %d B", i, w.got[i].ends, w.half[i].queue.size)
			}
			s := w.Stats(Direction(i))
			if w.got[i].next != s.Bytes+s.Missing+s.Cut || s.Bytes > given || min(s.Before, s.Late, s.Resent, s.AfterEnd, s.Unseen, s.Foreign) < 0 {
				t.Errorf("direction %d: gave %d B: %+v", i, w.got[i].next, s)
			}
		}
	})
}

func (w *wire) checkBound(t *testing.T, d *half) {
	size, last := 0, d.next
	for i := range d.queue.list {
		p := &d.queue.list[i]
		size += len(p.block)
		if p.offset < last || p.length <= 0 || i == 0 && p.offset == last || int64(len(p.data)) > p.length {
			t.Fatalf("packet %d: piece %d at %d of %d B, behind %d", w.number, i, p.offset, p.length, last)
		}
		last = p.end()
	}
	if size != d.queue.size || size > fuzzBuffer || d.queue.pool.made > fuzzBuffer*3/2 || last > d.limit && !d.ended {
		t.Fatalf("packet %d: %d B wait, %d said, pool %d, up to %d of %d", w.number, size, d.queue.size, d.queue.pool.made, last, d.limit)
	}
}

func encode(packets []pkt) (out []byte) {
	for _, p := range packets {
		if p.ack != 0 {
			p.flags |= ack
		}
		length := max(p.length, len(p.data))
		kind := byte(p.dir) | byte(p.vantage&1)<<1 | 15<<4
		if p.length > len(p.data) {
			kind &= 0x3f
		}
		kind |= byte(min(3, p.after/20)) << 2
		out = append(out, kind, byte(p.flags), byte(length>>8), byte(length))
		out = binary.BigEndian.AppendUint32(out, p.seq)
		out = binary.BigEndian.AppendUint32(out, p.ack)
	}
	return out
}
