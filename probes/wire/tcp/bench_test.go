package tcp

import (
	"fmt"
	"testing"
	"virtscope/probes/capture/packet"
)

// sink takes what it is given.
type sink struct{ bytes, gaps int64 }

func (s *sink) Data(_ int64, data []byte, _ Stamp) { s.bytes += int64(len(data)) }
func (s *sink) Gap(_, n int64, _ Stamp)            { s.gaps += n }
func (s *sink) End(End, Stamp)                     {}

// bulk gives n segments to a connection, with an ACK after each second one. Of each hundred, swap change places with the
// segment that is three later, and lost are not captured.
func bulk(n, size, swap, lost int) *sink {
	var out sink
	c := New(&out, &sink{}, Options{})
	p := packet.Packet{Flags: packet.FlagACK, Payload: make([]byte, size), PayloadLength: size, Ack: 1}
	reply := packet.Packet{Flags: packet.FlagACK, Seq: 1}
	at := Stamp{Time: 1e18}
	c.Packet(Forward, &packet.Packet{Flags: packet.FlagSYN, Seq: 1<<32 - 1}, 0, at)
	send := func(i int) {
		p.Seq = uint32(i * size)
		c.Packet(Forward, &p, 0, at)
	}
	for i := 0; i < n; i++ {
		at.Time += 1200
		at.Packet++
		switch k := i % 100; {
		case k < swap && i+3 < n:
			send(i + 1)
			send(i + 2)
			send(i + 3)
			send(i)
			i += 3
		case k >= 50 && k < 50+lost:
		default:
			send(i)
		}
		if i&1 == 1 {
			reply.Ack = uint32(i * size)
			c.Packet(Reverse, &reply, 0, at)
		}
	}
	c.End(at)
	return &out
}

func BenchmarkConnection(b *testing.B) {
	for _, c := range []struct {
		name             string
		size, swap, lost int
	}{
		{"in order/1448B", 1448, 0, 0},
		{"in order/64KiB", 64 << 10, 0, 0},
		{"1% reordered/1448B", 1448, 1, 0},
		{"1% reordered/64KiB", 64 << 10, 1, 0},
		{"1% not captured/1448B", 1448, 0, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(c.size))
			bulk(b.N, c.size, c.swap, c.lost)
		})
	}
}

// Whatever the length of a connection, what it keeps and allocates stays the same.
func TestNoGarbage(t *testing.T) {
	for _, c := range []struct{ swap, lost int }{{0, 0}, {1, 0}, {1, 1}} {
		t.Run(fmt.Sprintf("%d reordered, %d lost", c.swap, c.lost), func(t *testing.T) {
			const short, long = 50_000, 250_000
			few := testing.AllocsPerRun(1, func() { bulk(short, 1448, c.swap, c.lost) })
			many := testing.AllocsPerRun(1, func() { bulk(long, 1448, c.swap, c.lost) })
			if many > few+10 { // the lists may grow a last time
				t.Errorf("%v allocations for %d segments, %v for %d", few, short, many, long)
			}
			if out := bulk(long, 1448, c.swap, c.lost); out.bytes+out.gaps != long*1448 || (out.gaps > 0) != (c.lost > 0) {
				t.Errorf("gave %d B and gaps of %d B", out.bytes, out.gaps)
			}
		})
	}
}
