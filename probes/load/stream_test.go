package load

import (
	"encoding/binary"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/results"
)

const ms = int64(time.Millisecond)

type stallOf struct{ begin, long int64 }

// A stream of 10 ms datagrams to a player that holds 50 ms, by hand.
func TestPlayer(t *testing.T) {
	t.Parallel()
	type arrival struct{ at, place int64 } // ms
	steady := func(from, to, lag int64) (list []arrival) {
		for p := from; p < to; p += 10 {
			list = append(list, arrival{p + lag, p})
		}
		return list
	}
	for _, c := range []struct {
		name     string
		arrivals []arrival
		end      int64
		want     []stallOf
		open     int64 // ms; -1: it plays
	}{
		{"steady", steady(0, 500, 0), 500, nil, -1},
		// Plays from 40 (when the fifth came) to 40+200; the next 200 ms come at 300: it stalls from 240 until 50 ms more came, at 340.
		{"guest stopped", append(steady(0, 200, 0), steady(200, 400, 100)...), 400, []stallOf{{240, 100}}, -1},
		// Nothing comes for 30 ms less than it holds: no stall.
		{"short stop", append(steady(0, 200, 0), steady(200, 400, 20)...), 420, nil, -1},
		// 100 ms were lost while it played 40 ms on: what comes next is where it goes on, from 340 on.
		{"long loss", append(steady(0, 200, 0), steady(300, 500, 0)...), 500, []stallOf{{240, 100}}, -1},
		// 30 ms were lost, and it had more than that: it skips over.
		{"short loss", append(steady(0, 200, 0), steady(230, 500, 0)...), 500, nil, -1},
		{"never enough", steady(0, 40, 0), 500, nil, -1},
		{"ends in a stall", steady(0, 200, 0), 500, nil, 240},
	} {
		var got []stallOf
		p := &player{buffer: 50 * ms, stall: func(b, l int64) { got = append(got, stallOf{b / ms, l / ms}) }}
		for _, a := range c.arrivals {
			p.arrive(a.at*ms, a.place*ms, 10*ms)
		}
		since, open := p.stalled(c.end * ms)
		if !slices.Equal(got, c.want) || open != (c.open >= 0) || open && since != c.open*ms {
			t.Errorf("%s: stalls %v, want %v; stalled at the end: %v since %d ms", c.name, got, c.want, open, since/ms)
		}
	}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	var s sequence
	for i, n := range []uint64{5, 6, 10, 8, 8, 11, 7, 3, 20} {
		s.take(n, int64(i))
	}
	if want := []hole{{9, 10, 2}, {12, 20, 8}}; !slices.Equal(s.holes, want) {
		t.Errorf("holes %v, want %v", s.holes, want)
	}
	if s.count != 7 || s.late != 2 || s.repeated != 2 {
		t.Errorf("count %d, late %d, repeated %d; want 7, 2, 2", s.count, s.late, s.repeated)
	}
	s.restart()
	s.take(0, 9)
	s.take(2, 10)
	if len(s.holes) != 3 || s.holes[2] != (hole{1, 2, 10}) {
		t.Errorf("after a restart: holes %v", s.holes)
	}
}

// A sender that stands still for 400 ms and leaves three datagrams out, to a player that holds 100 ms.
func TestStream(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const rate, size = 100_000, 1000 // 100 a second
	asks, lost, again := make(chan string, 16), int64(0), make(chan struct{})
	go func() {
		b := make([]byte, 100)
		n, to, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		asks <- string(b[:n])
		go func() {
			for {
				n, _, err := conn.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				asks <- string(b[:n])
			}
		}()
		datagram := make([]byte, size)
		stopped := time.Duration(0)
		begin := time.Now()
		for i := range 120 {
			if i == 50 {
				time.Sleep(400 * time.Millisecond)
				stopped = 400 * time.Millisecond // the guest's clock stood still
			}
			due := time.Duration(i) * 10 * time.Millisecond
			time.Sleep(time.Until(begin.Add(due + stopped)))
			binary.BigEndian.PutUint64(datagram, uint64(i))
			binary.BigEndian.PutUint64(datagram[8:], uint64(due))
			if i >= 80 && i < 83 {
				lost++
				continue
			}
			_, _ = conn.WriteToUDPAddrPort(datagram, to)
			if i == 90 {
				_, _ = conn.WriteToUDPAddrPort(datagram, to)
			}
		}
		close(again)
	}()
	c := Config{Target: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Kind: Stream, Rate: rate, PlayerBuffer: 100 * time.Millisecond}
	log, err := drive(t, c, func() { <-again; time.Sleep(20 * time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	if first := <-asks; first != "100000 B/s" || len(asks) == 0 {
		t.Errorf("asked %q, and %d times more; want it renewed", first, len(asks))
	}
	if n := log.sum(results.StreamLost); n != float64(lost) || lost != 3 {
		t.Errorf("%v datagrams were lost, want %d", n, lost)
	}
	received := log.named(results.StreamReceived, "late", "0", "duplicate", "1")
	if len(received) != 1 || received[0].Value != 117 {
		t.Errorf("received %+v, want 117 and one duplicate", log.named(results.StreamReceived))
	} else {
		a := received[0].Attrs
		if silent, played := parsed(t, a["silent"]), parsed(t, a["played"]); silent <= 0 || silent >= played || a["interval"] != "0.01" {
			t.Errorf("at its end it says %v, want that it was silent for less time than it has played", a)
		}
	}
	if n := log.sum(results.LoadBytes); n != 118*size {
		t.Errorf("%v B came, want %d", n, 118*size)
	}
	// It held up to 100 ms (90 ms, when it began) when the sender stopped; then it waited for 100 ms again: about 400 ms.
	stalls := log.named(results.StreamStall, "buffer", "0.1")
	if len(stalls) == 0 || math.Abs(stalls[0].Value-0.4) > 0.15 {
		t.Errorf("stalls %+v, want one of 400 ms", stalls)
	}
}

// The records of a stream carry what analysis tells clients apart by.
func TestStreamRecordsSayTheirKind(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	log, err := drive(t, Config{Target: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Kind: Stream, Rate: 1000}, func() { time.Sleep(150 * time.Millisecond) })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range log.records {
		if !strings.HasPrefix(r.Name, "probe.") && r.Attrs["kind"] != Stream {
			t.Errorf("%s has kind %q", r.Name, r.Attrs["kind"])
		}
	}
	got := log.named(results.StreamReceived)
	if len(got) != 1 || got[0].Value != 0 {
		t.Fatalf("a stream that never came: %+v", got)
	}
	for _, a := range []string{"silent", "interval", "played"} {
		if v, ok := got[0].Attrs[a]; ok {
			t.Errorf("a stream that never came says %s %s", a, v)
		}
	}
}

func parsed(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Error(err)
	}
	return v
}
