package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"testing"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/results"
)

// A talk makes the frames of TCP connections, 10 µs apart.
type talk struct {
	session *Session
	now     int64
}

const (
	fin  = 0x01
	syn  = 0x02
	ack  = 0x10
	push = 0x18
)

// send gives a raw IP frame.
func (k *talk) send(from, to netip.AddrPort, seq, ackNo uint32, flags byte, payload []byte) {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[8], b[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(b[2:], uint16(40+len(payload)))
	copy(b[12:], from.Addr().AsSlice())
	copy(b[16:], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[20:], from.Port())
	binary.BigEndian.PutUint16(b[22:], to.Port())
	binary.BigEndian.PutUint32(b[24:], seq)
	binary.BigEndian.PutUint32(b[28:], ackNo)
	b[32], b[33] = 5<<4, flags
	b = append(b, payload...)
	k.now += 10_000
	k.session.Frame(0, capture.Frame{Time: k.now, Link: packet.RawIP, Data: b, Length: len(b)})
}

// A peer is an end of a connection.
type peer struct {
	at   netip.AddrPort
	next uint32
}

func client(n int) peer {
	return peer{at: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}), 40000), next: 1000}
}

var server = netip.MustParseAddrPort("10.2.0.1:443")

// open shakes hands.
func (k *talk) open(c, s *peer) {
	k.send(c.at, s.at, c.next-1, 0, syn, nil)
	k.send(s.at, c.at, s.next-1, c.next, syn|ack, nil)
	k.send(c.at, s.at, c.next, s.next, ack, nil)
}

func (k *talk) say(from, to *peer, data []byte) {
	for len(data) > 0 {
		n := min(len(data), 32<<10)
		k.send(from.at, to.at, from.next, to.next, push, data[:n])
		from.next += uint32(n)
		data = data[n:]
		k.send(to.at, from.at, to.next, from.next, ack, nil)
	}
}

func (k *talk) end(c, s *peer) {
	k.send(c.at, s.at, c.next, s.next, fin|ack, nil)
	k.send(s.at, c.at, s.next, c.next+1, fin|ack, nil)
}

func record(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func clientHello() []byte {
	body := append([]byte{1, 0, 0, 41, 3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	return record(22, body)
}

// What a TLS server sends is no migration: its source opens the connection. What a client sends may be one.
func TestTLSDirection(t *testing.T) {
	t.Parallel()
	for name, up := range map[string]bool{"upload": true, "download": false} {
		var migrations int
		k := &talk{session: New(Config{}, results.RecorderFunc(func(r results.Record) {
			if r.Name == results.WireMigration {
				migrations++
			}
		}))}
		c, s := client(1), peer{at: server, next: 5000}
		k.open(&c, &s)
		k.say(&c, &s, clientHello())
		from, to := &s, &c
		if up {
			from, to = &c, &s
		}
		for range 700 {
			k.say(from, to, record(23, make([]byte, 16<<10)))
		}
		k.end(&c, &s)
		k.session.End()
		if got := migrations == 1; got != up {
			t.Errorf("%s: %d migrations", name, migrations)
		}
	}
}

// Many open connections that carry little must not keep a migration from being followed.
func TestGuessesMakeRoom(t *testing.T) {
	t.Parallel()
	migrations := 0
	k := &talk{session: New(Config{}, results.RecorderFunc(func(r results.Record) {
		if r.Name == results.WireMigration {
			migrations++
		}
	}))}
	for i := range 3 * mostGuesses {
		c, s := client(i), peer{at: server, next: 5000}
		k.open(&c, &s)
		k.say(&c, &s, clientHello())
		k.say(&c, &s, record(23, make([]byte, 100)))
	}
	c, s := client(4000), peer{at: netip.AddrPortFrom(server.Addr(), 4444), next: 5000}
	k.open(&c, &s)
	k.say(&c, &s, clientHello())
	for range 700 {
		k.say(&c, &s, record(23, make([]byte, 16<<10)))
	}
	k.session.End()
	if migrations != 1 {
		t.Errorf("%d migrations, want the one behind many small connections", migrations)
	}
}

// Connections that began before the capture wait to be told apart in bounded memory.
func TestHeldIsBounded(t *testing.T) {
	t.Parallel()
	k := &talk{session: New(Config{}, results.RecorderFunc(func(results.Record) {}))}
	for i := range 2000 {
		c, s := client(i), peer{at: server, next: 5000}
		k.say(&c, &s, make([]byte, 40<<10))
		if k.session.held > mostHeld+sniffMost {
			t.Fatalf("%d B are held after %d connections", k.session.held, i+1)
		}
	}
	k.session.End()
	if k.session.held != 0 {
		t.Errorf("%d B are held at the end", k.session.held)
	}
}

// A migration that is over is forgotten, and the same ports may carry another.
func TestMigrationsAreForgotten(t *testing.T) {
	t.Parallel()
	ends := 0
	s := New(Config{}, results.RecorderFunc(func(r results.Record) {
		if r.Name == results.WireMigrationEnd && r.Attrs["how"] == "complete" {
			ends++
		}
	}))
	for _, name := range []string{"precopy-idle", "multifd2", "q7-precopy"} {
		feed(t, s, name, func(f capture.Frame) capture.Frame { return f })
		if len(s.migrations) != 0 {
			t.Errorf("%d migrations are kept after %s", len(s.migrations), name)
		}
	}
	s.End()
	if ends != 3 {
		t.Errorf("%d migrations are complete, want 3", ends)
	}
}

// A cooked capture of all interfaces of a switch holds each packet twice: it was not sent again.
func TestCookedCopiesAreNotResent(t *testing.T) {
	t.Parallel()
	for name, cook := range map[string]func(data []byte, out int) capture.Frame{
		"version 1": func(data []byte, out int) capture.Frame {
			head := make([]byte, 16)
			head[1], head[14] = byte(4*out), 8
			return capture.Frame{Link: packet.Cooked1, Data: append(head, data...)}
		},
		"version 2": func(data []byte, out int) capture.Frame {
			head := make([]byte, 20)
			head[0], head[7], head[10] = 8, byte(2+out), 3
			return capture.Frame{Link: packet.Cooked2, Data: append(head, data...)}
		},
	} {
		resent := 0.0
		s := New(Config{}, results.RecorderFunc(func(r results.Record) {
			if r.Name == results.WireChannelResent {
				resent += r.Value
			}
		}))
		feed(t, s, "precopy-idle", func(f capture.Frame) capture.Frame {
			if len(f.Data) < 34 || !bytes.Equal(f.Data[12:14], []byte{8, 0}) {
				return capture.Frame{}
			}
			for out := range 2 {
				c := cook(f.Data[14:], out)
				c.Time, c.Length = f.Time, f.Length-14+len(c.Data)-len(f.Data[14:])
				s.Frame(0, c)
			}
			return capture.Frame{}
		})
		s.End()
		if resent > 1<<20 {
			t.Errorf("%s: %v B were sent again", name, resent)
		}
	}
}

// feed gives a capture's frames, as change leaves them; none without data.
func feed(t *testing.T, s *Session, name string, change func(capture.Frame) capture.Frame) {
	t.Helper()
	f, err := file.Open("testdata/" + name + ".pcapng.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if frame = change(frame); len(frame.Data) > 0 {
			s.Frame(0, frame)
		}
	}
}
