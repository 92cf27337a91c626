package testbed

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
	"virtscope/testbed/host"
)

// Every link must carry traffic in both directions when Up returns. One that does not yet costs a second, the
// time until the kernel asks again for a neighbour; one that never does, for ever. A busy machine may be slow
// once, so each gets three attempts on new testbeds.
func TestTrafficAtOnce(t *testing.T) {
	for attempt := range 3 {
		tb := bringUp(t, fullConfig(t))
		slow := 0
		for _, pair := range []struct {
			from, to *host.Netns
			addr     string
		}{
			{tb.Client(), tb.Source(), tb.LanAddr(Source).String()},
			{tb.Client(), tb.Destination(), tb.LanAddr(Destination).String()},
			{tb.Destination(), tb.Client(), tb.LanAddr(Client).String()},
			{tb.Source(), tb.Destination(), tb.MigrationAddr(Destination).String()},
			{tb.Destination(), tb.Source(), tb.MigrationAddr(Source).String()},
		} {
			begin := time.Now()
			if n := transfer(t, pair.from, pair.to, pair.addr, 1000, time.Minute); n != 1000 {
				t.Errorf("%s → %s: %d of 1000 B came", pair.from.Name(), pair.addr, n)
			}
			took := time.Since(begin)
			t.Logf("attempt %d: %s → %s: %s", attempt, pair.from.Name(), pair.addr, took)
			if took >= time.Second {
				slow++
			}
		}
		if slow == 0 {
			return
		}
	}
	t.Error("some link drops the first frames, in each of three attempts")
}

// transfer sends up to size bytes by TCP, for at most the time given, and returns how many arrived.
func transfer(t *testing.T, from, to *host.Netns, addr string, size int64, limit time.Duration) int64 {
	t.Helper()
	var l net.Listener
	err := to.Do(func() (err error) {
		l, err = net.Listen("tcp4", net.JoinHostPort(addr, "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	came := make(chan int64, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			came <- -1
			return
		}
		defer conn.Close()
		n, _ := io.Copy(io.Discard, conn)
		came <- n
	}()
	conn, err := from.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256<<10)
	for left := size; left > 0; {
		n, err := conn.Write(buf[:min(left, int64(len(buf)))])
		if err != nil {
			break
		}
		left -= int64(n)
	}
	conn.Close()
	return <-came
}

// No speed is asserted from below: the machine may be busy. From above, a link that is faster than its rate
// is a wrong testbed on any machine.
func TestRateIsALimit(t *testing.T) {
	for _, rate := range []float64{12.5e6, 125e6} {
		t.Run(fmt.Sprintf("%g Mbit per s", rate*8/1e6), func(t *testing.T) {
			cfg := fullConfig(t)
			cfg.Link, cfg.MigrationLink = Link{Rate: rate}, nil
			tb := bringUp(t, cfg)
			const span = 1 * time.Second
			begin := time.Now()
			got := float64(transfer(t, tb.Source(), tb.Destination(), tb.LanAddr(Destination).String(), 1<<40, span))
			took := time.Since(begin)
			// What is in the queues when the sender stops arrives too, so the time is that of the last byte.
			most := rate*took.Seconds() + 2*cfg.Link.burstBytes()
			t.Logf("%.0f B in %s: %.1f %% of %g B/s", got, took, 100*got/took.Seconds()/rate, rate)
			if got > most || got <= 0 {
				t.Errorf("%.0f B in %s, at most %.0f B fit", got, took, most)
			}
		})
	}
}

// What a host sends and what it receives have limits of their own.
func TestAsymmetricRates(t *testing.T) {
	for _, tt := range []struct {
		name      string
		link      Link
		alone     float64 // B/s that one host can send to another
		together  float64 // B/s that two hosts can send to one
		emulation bool
	}{
		{"slow upload", Link{Rate: 8e6, Upload: 2e6}, 2e6, 4e6, false},
		{"slow download", Link{Rate: 3e6, Upload: 8e6}, 3e6, 3e6, false},
		{"slow upload through the relay", Link{Rate: 8e6, Upload: 2e6, Delay: time.Millisecond}, 2e6, 4e6, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := fullConfig(t)
			if tt.emulation {
				cfg = relayedConfig(t, tt.link)
			}
			cfg.Link, cfg.MigrationLink = tt.link, nil
			tb := bringUp(t, cfg)
			const span = time.Second
			slack := 2 * (tt.link.up().burstBytes() + tt.link.down().burstBytes())
			run := func(senders ...*host.Netns) (total float64, took time.Duration) {
				begin := time.Now()
				came := make(chan int64, len(senders))
				for _, h := range senders {
					go func() { came <- transfer(t, h, tb.Destination(), tb.LanAddr(Destination).String(), 1<<40, span) }()
				}
				for range senders {
					total += float64(<-came)
				}
				return total, time.Since(begin)
			}
			check := func(what string, total, rate float64, took time.Duration) {
				t.Logf("%s: %.0f B in %s: %.1f %% of %g B/s", what, total, took, 100*total/took.Seconds()/rate, rate)
				if total <= 0 || total > rate*took.Seconds()+slack {
					t.Errorf("%s: %.0f B in %s, at most %.0f B fit", what, total, took, rate*took.Seconds()+slack)
				}
			}
			total, took := run(tb.Source())
			check("one host", total, tt.alone, took)
			total, took = run(tb.Source(), tb.Client())
			check("two hosts", total, tt.together, took)
		})
	}
}
