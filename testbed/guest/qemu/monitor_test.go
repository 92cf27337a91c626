package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/go-qemu/qmp/raw"
)

const greeting = `{"QMP": {"version": {"qemu": {"micro": 2, "minor": 0, "major": 10}, "package": ""}, "capabilities": ["oob"]}}`

// A peer scripts the other end of a QMP connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Scanner
}

// connect returns an open monitor and its scripted peer.
func connect(t *testing.T) (*Monitor, *peer) {
	t.Helper()
	ours, theirs := net.Pipe()
	m := NewMonitor(func(context.Context) (net.Conn, error) { return ours, nil }, nil)
	p := &peer{t: t, conn: theirs, in: bufio.NewScanner(theirs)}
	p.in.Buffer(nil, 1<<20)
	opened := make(chan error, 1)
	go func() { opened <- m.Open(t.Context()) }()
	p.say(greeting)
	p.answer(`{}`)
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close(); _ = m.Disconnect() })
	return m, p
}

func (p *peer) say(line string) {
	if _, err := fmt.Fprintln(p.conn, line); err != nil {
		p.t.Error(err)
	}
}

// hear reads a command and returns its name and id.
func (p *peer) hear() (name, id string) {
	if !p.in.Scan() {
		p.t.Error("peer: no command: ", p.in.Err())
		return "", ""
	}
	var c struct{ Execute, ID string }
	if err := json.Unmarshal(p.in.Bytes(), &c); err != nil {
		p.t.Error(err)
	}
	return c.Execute, c.ID
}

func (p *peer) answer(value string) {
	_, id := p.hear()
	p.say(fmt.Sprintf(`{"return": %s, "id": %q}`, value, id))
}

func (p *peer) event(name string, seconds int64) {
	p.say(fmt.Sprintf(`{"timestamp": {"seconds": %d, "microseconds": 5}, "event": %q}`, seconds, name))
}

// go-qemu's SocketMonitor dies for good on a reply of more than 64 KiB.
func TestLongReply(t *testing.T) {
	m, p := connect(t)
	long := strings.Repeat("x", 300<<10)
	go p.answer(`"` + long + `"`)
	var got string
	if err := m.Execute(t.Context(), "query-qmp-schema", nil, &got); err != nil || got != long {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	go p.answer(`{}`)
	if err := m.Execute(t.Context(), "query-status", nil, nil); err != nil {
		t.Errorf("after a long reply: %v", err)
	}
}

// go-qemu's Run and Disconnect hang once Events was called and is not read.
func TestUnreadEventsHoldUpNobody(t *testing.T) {
	m, p := connect(t)
	if _, err := m.Events(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		for i := range 1000 {
			p.event("STOP", int64(i))
		}
		p.answer(`{}`)
	}()
	if err := m.Execute(t.Context(), "query-status", nil, nil); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Disconnect() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Disconnect hangs")
	}
}

// go-qemu drops the events that come before Events is called.
func TestEarlyEventsAreKept(t *testing.T) {
	m, p := connect(t)
	p.event("RESUME", 1)
	p.event("STOP", 2)
	go p.answer(`{}`)
	if err := m.Execute(t.Context(), "query-status", nil, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and each subscriber gets all of them
		events, err := m.Events(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := <-events, <-events; a.Event != "RESUME" || b.Event != "STOP" || eventTime(b) != 2e9+5000 {
			t.Errorf("got %+v, %+v", a, b)
		}
	}
}

// go-qemu's Run returns a slice of the scanner's own buffer, which the next message overwrites.
func TestReplyKeepsItsMemory(t *testing.T) {
	m, p := connect(t)
	go func() {
		p.answer(`"first"`)
		p.answer(`"other"`)
	}()
	first, err := m.Run([]byte(`{"execute":"query-name"}`))
	if err != nil {
		t.Fatal(err)
	}
	before := string(first)
	if _, err := m.Run([]byte(`{"execute":"query-name"}`)); err != nil {
		t.Fatal(err)
	}
	if string(first) != before || !strings.Contains(before, "first") {
		t.Errorf("%q became %q", before, first)
	}
}

// go-qemu has neither contexts nor timeouts: a silent QEMU blocks for ever.
func TestSilentPeer(t *testing.T) {
	m, p := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	heard := make(chan struct{})
	go func() { p.hear(); close(heard) }() // and say nothing
	if err := m.Execute(ctx, "query-status", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	<-heard
	// The late reply belongs to nobody, and the next command gets its own.
	p.say(`{"return": "late", "id": "2"}`)
	go p.answer(`"own"`)
	var got string
	if err := m.Execute(t.Context(), "query-status", nil, &got); err != nil || got != "own" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A peer that does not even read must not block the caller beyond its context.
func TestPeerThatDoesNotRead(t *testing.T) {
	m, _ := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := m.Execute(ctx, "query-status", nil, nil); err == nil {
		t.Error("a command that nobody read succeeded")
	}
}

// go-qemu has no ids: replies to concurrent commands could be swapped.
func TestConcurrentCommandsGetTheirOwnReplies(t *testing.T) {
	m, p := connect(t)
	const n = 50
	go func() {
		type asked struct{ name, id string }
		var all []asked
		for range n {
			name, id := p.hear()
			all = append(all, asked{name, id})
		}
		for i := range all { // answer in reverse
			a := all[n-1-i]
			p.say(fmt.Sprintf(`{"return": %q, "id": %q}`, a.name, a.id))
		}
	}()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprintf("x-%d", i)
			var got string
			if err := m.Execute(t.Context(), name, nil, &got); err != nil || got != name {
				t.Errorf("%s got %q, %v", name, got, err)
			}
		})
	}
	wg.Wait()
}

func TestConnectionThatEnds(t *testing.T) {
	m, p := connect(t)
	go func() { p.hear(); _ = p.conn.Close() }()
	if err := m.Execute(t.Context(), "quit", nil, nil); !errors.Is(err, ErrMonitorClosed) {
		t.Errorf("got %v", err)
	}
	events, err := m.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, open := <-events; open {
		t.Error("an event after the end")
	}
}

func TestRefusal(t *testing.T) {
	m, p := connect(t)
	go func() {
		_, id := p.hear()
		p.say(fmt.Sprintf(`{"error": {"class": "GenericError", "desc": "no such thing"}, "id": %q}`, id))
	}()
	err := m.Execute(t.Context(), "migrate", nil, nil)
	var refused *CommandError
	if !errors.As(err, &refused) || refused.Class != "GenericError" || err.Error() != "migrate: no such thing" {
		t.Errorf("got %v", err)
	}
}

// go-qemu's typed commands run on our monitor.
func TestTypedCommands(t *testing.T) {
	m, p := connect(t)
	go p.answer(`{"running": true, "singlestep": false, "status": "running"}`)
	info, err := raw.NewMonitor(m).QueryStatus()
	if err != nil || !info.Running {
		t.Errorf("got %+v, %v", info, err)
	}
	if m.Version().String() != "10.0.2" {
		t.Errorf("version %s", m.Version())
	}
}

func TestGreetingOfSomethingElse(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() { _, _ = theirs.Write([]byte("SSH-2.0-x\n")) }()
	m := NewMonitor(func(context.Context) (net.Conn, error) { return ours, nil }, nil)
	if err := m.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "QMP socket") {
		t.Errorf("got %v", err)
	}
}

func FuzzDispatch(f *testing.F) {
	f.Add([]byte(greeting))
	f.Add([]byte(`{"event": "MIGRATION_PASS", "data": {"pass": 1}, "timestamp": {"seconds": 1, "microseconds": 2}}`))
	f.Add([]byte(`{"return": {}, "id": "1"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		m := NewMonitor(nil, nil)
		if m.dispatch(line) != nil {
			return
		}
		for _, e := range m.events.events {
			if r, ok := eventRecord("src", e); ok && r.Name == "" {
				t.Error("a record without a name")
			}
		}
	})
}

// A command out of band goes by another name; QEMU is told at the greeting that they may come.
func TestOutOfBand(t *testing.T) {
	m, p := connect(t)
	heard := make(chan map[string]json.RawMessage, 1)
	go func() {
		p.in.Scan()
		var c map[string]json.RawMessage
		_ = json.Unmarshal(p.in.Bytes(), &c)
		heard <- c
		p.say(fmt.Sprintf(`{"return": {}, "id": %s}`, c["id"]))
	}()
	if err := m.executeOutOfBand(t.Context(), "migrate-pause", nil); err != nil {
		t.Fatal(err)
	}
	if c := <-heard; string(c["exec-oob"]) != `"migrate-pause"` || c["execute"] != nil {
		t.Errorf("sent %s", c)
	}
}
