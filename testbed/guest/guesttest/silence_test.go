package guesttest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"

	"golang.org/x/sys/unix"
)

// An echo is one datagram of the test's own client, in ns since the Unix epoch.
type echo struct{ before, after, answered int64 }

// A client sends a datagram each millisecond and remembers all answers.
type client struct {
	mu     sync.Mutex
	echoes []echo
	stop   chan struct{}
	ended  sync.WaitGroup
}

func startClient(t *testing.T, bed *testbed.Testbed) *client {
	t.Helper()
	addr := netip.AddrPortFrom(netip.MustParsePrefix(nic.Address).Addr(), echoPort)
	conn, err := bed.Client().Dial(t.Context(), "udp4", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{stop: make(chan struct{})}
	c.ended.Go(func() { c.send(conn) })
	c.ended.Go(func() { c.receive(conn) })
	t.Cleanup(func() { conn.Close(); c.ended.Wait() })
	return c
}

func wall() int64 { return clock(unix.CLOCK_REALTIME) }

func (c *client) send(conn net.Conn) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			time.Sleep(50 * time.Millisecond) // the last answers
			conn.Close()
			return
		case <-tick.C:
		}
		c.mu.Lock()
		seq := len(c.echoes)
		c.echoes = append(c.echoes, echo{before: wall()})
		c.mu.Unlock()
		_, err := conn.Write(binary.BigEndian.AppendUint64(nil, uint64(seq)))
		c.mu.Lock()
		c.echoes[seq].after = wall()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *client) receive(conn net.Conn) {
	buf := make([]byte, 64)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		at := wall()
		c.mu.Lock()
		if seq := binary.BigEndian.Uint64(buf[:n]); seq < uint64(len(c.echoes)) {
			c.echoes[seq].answered = at
		}
		c.mu.Unlock()
	}
}

func (c *client) finish() []echo {
	close(c.stop)
	c.ended.Wait()
	return c.echoes
}

// one returns the only record of a name.
func one(t *testing.T, log *Log, name string) results.Record {
	t.Helper()
	list := log.Named(name)
	if len(list) != 1 || list[0].Source != results.SourceScripted {
		t.Fatalf("records %s: %+v, want one of source %s", name, list, results.SourceScripted)
	}
	return list[0]
}

// What the guest says of its silence must hold for one who looks from outside: no datagram that was under way
// while it was silent may ever be answered, and those after it must be. Both sides read one clock.
func TestSilenceIsTrue(t *testing.T) {
	for _, outage := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 50 * time.Millisecond, 400 * time.Millisecond} {
		t.Run(outage.String(), func(t *testing.T) {
			bed, log := NewBed(t), new(Log)
			i, err := newDriver(t).Boot(t.Context(), bed.Source(), NewSpec(t), log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := i.Close(); err != nil {
					t.Error(err)
				}
			})
			a := i.(guest.Agented).Agent()
			if err := a.Reserve(t.Context(), agent.Memory{Bytes: 1 << 20, Seed: 7}); err != nil {
				t.Fatal(err)
			}
			c := startClient(t, bed)
			time.Sleep(100 * time.Millisecond)
			m, err := i.(guest.Migrator).PrepareMigration(t.Context(), bed.Destination(), guest.MigrateOptions{
				Address: bed.MigrationAddr(testbed.Destination).String(), Port: port, Outage: outage,
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			check(t, log, c.finish(), outage)
			if v, err := a.Verify(t.Context()); err != nil || v.Corrupt != 0 || v.Verified != 1<<20 {
				t.Errorf("memory: %+v, %v", v, err)
			}
		})
	}
}

func check(t *testing.T, log *Log, echoes []echo, outage time.Duration) {
	t.Helper()
	begin, end := one(t, log, results.SilenceBegin), one(t, log, results.SilenceEnd)
	stop, resume := one(t, log, results.VMStop), one(t, log, results.VMResume)
	if begin.Host != testbed.Source || stop.Host != testbed.Source || end.Host != testbed.Destination || resume.Host != testbed.Destination {
		t.Errorf("hosts: %s, %s, %s, %s", begin.Host, stop.Host, end.Host, resume.Host)
	}
	if begin.Time > stop.Time || stop.Time > resume.Time || resume.Time > end.Time {
		t.Errorf("out of order: %d, %d, %d, %d", begin.Time, stop.Time, resume.Time, end.Time)
	}
	// The wall clock may be slewed by 500 ppm against the clock on which the outage was agreed.
	silence := time.Duration(end.Time - begin.Time)
	if silence < outage-outage/1000 {
		t.Errorf("silent for %s, less than the %s of the script", silence, outage)
	}

	before, after, under := 0, 0, 0
	var lastSent, firstSent int64
	for seq, e := range echoes {
		switch {
		case e.before > stop.Time && e.after < end.Time:
			under++
			if e.answered != 0 {
				t.Errorf("datagram %d was under way in the silence and was answered", seq)
			}
		case e.answered == 0:
		case e.before <= stop.Time:
			before++
			lastSent = e.before
		default:
			if after == 0 {
				firstSent = e.before
			}
			after++
		}
	}
	if before == 0 || after == 0 {
		t.Errorf("%d answers before and %d after the silence", before, after)
	}
	step := time.Duration(0)
	for _, r := range log.Named(results.GuestTickMiss) {
		step = max(step, time.Duration(r.Value*1e9))
	}
	if outage > 5*time.Millisecond && step < outage {
		t.Errorf("the longest step of the ticker is %s, less than the outage", step)
	}
	t.Logf("script %s: gate %s, frames %s, client %s, ticker %s; %d datagrams under way, %d answers before, %d after",
		outage, time.Duration(resume.Time-stop.Time), silence, time.Duration(firstSent-lastSent), step, under, before, after)
}
