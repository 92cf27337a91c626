package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A heard collects what a client reports.
type heard struct {
	mu       sync.Mutex
	messages []Message
	froms    []string
}

func (h *heard) report(m Message, arrival time.Time, from string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if arrival.IsZero() {
		m.Log = "no arrival time"
	}
	h.messages, h.froms = append(h.messages, m), append(h.froms, from)
}

func (h *heard) await(t *testing.T, n int) []Message {
	t.Helper()
	for range 1000 {
		h.mu.Lock()
		got := append([]Message(nil), h.messages...)
		h.mu.Unlock()
		if len(got) >= n {
			return got
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("heard %d messages, want %d", len(h.messages), n)
	return nil
}

// answer plays an agent on conn.
func answer(conn net.Conn, reply func(Request) Message) {
	in := bufio.NewScanner(conn)
	for in.Scan() {
		var r Request
		if json.Unmarshal(in.Bytes(), &r) != nil {
			return
		}
		m := reply(r)
		m.ID = r.ID
		line, _ := json.Marshal(m)
		if _, err := conn.Write(append(line, '\n')); err != nil {
			return
		}
	}
}

func pipe(t *testing.T, c *Client, from string) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	c.Attach(from, ours)
	return theirs
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestClientConverses(t *testing.T) {
	var h heard
	c := NewClient(h.report)
	defer c.Close()
	guest := pipe(t, c, "src")
	send(t, guest, `{"mono":1,"hello":{"version":1,"kernel":"6.1"}}`+"\n")
	go answer(guest, func(r Request) Message {
		switch r.Op {
		case OpHello:
			return Message{Hello: &Hello{Version: Version, Kernel: "6.1"}}
		case OpReserve:
			return Message{Error: fmt.Sprintf("no room for %d", r.Memory.Bytes)}
		case OpStart:
			return Message{}
		case OpStop:
			return Message{Progress: &Progress{Dirtied: 4096}}
		}
		return Message{Verdict: &Verdict{Verified: 8192, Corrupt: 1, First: 1}}
	})
	ctx := t.Context()
	if hello, err := c.Hello(ctx); err != nil || hello.Kernel != "6.1" {
		t.Errorf("Hello = %+v, %v", hello, err)
	}
	if err := c.Reserve(ctx, Memory{Bytes: 77}); err == nil || !strings.Contains(err.Error(), "no room for 77") {
		t.Errorf("Reserve = %v, want the agent's error", err)
	}
	if err := c.Start(ctx, Workload{Kind: "idle"}); err != nil {
		t.Errorf("Start = %v", err)
	}
	if p, err := c.Stop(ctx); err != nil || p.Dirtied != 4096 {
		t.Errorf("Stop = %+v, %v", p, err)
	}
	if v, err := c.Verify(ctx); err != nil || v != (Verdict{Verified: 8192, Corrupt: 1, First: 1}) {
		t.Errorf("Verify = %+v, %v", v, err)
	}
	if got := h.await(t, 6); got[0].Hello == nil || got[5].Verdict == nil {
		t.Errorf("reported %+v", got)
	}
}

// A reply may come on another connection than its request went to: the guest moved.
func TestClientFollowsMigration(t *testing.T) {
	var h heard
	c := NewClient(h.report)
	defer c.Close()
	src, dst := pipe(t, c, "src"), pipe(t, c, "dst")
	send(t, src, `{"mono":1,"hb":{"seq":1,"max_step":1}}`+"\n")
	done := make(chan error, 1)
	go func() {
		_, err := c.Verify(t.Context())
		done <- err
	}()
	var r Request
	if err := json.NewDecoder(src).Decode(&r); err != nil {
		t.Fatal(err)
	}
	// The reply begins at the source, and a heartbeat's line after it shows the half to be final.
	send(t, src, fmt.Sprintf(`{"id":%d,"mono":12`, r.ID))
	src.Close()
	send(t, dst, `34,"verdict":{"verified":1,"corrupt":0}}`+"\n"+`{"mono":1300,"hb":{"seq":2,"max_step":1}}`+"\n")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, m := range h.await(t, 3) {
		if m.Verdict != nil && m.Mono != 1234 {
			t.Errorf("joined line has mono %d, want 1234", m.Mono)
		}
	}
	if c.Garbage() != 0 {
		t.Errorf("%d lines are garbage, want 0", c.Garbage())
	}
	c.Use("dst")
	go answer(dst, func(Request) Message { return Message{} })
	if err := c.Start(t.Context(), Workload{}); err != nil {
		t.Errorf("Start at the destination = %v", err)
	}
}

func TestClientCountsGarbage(t *testing.T) {
	var h heard
	c := NewClient(h.report)
	defer c.Close()
	guest := pipe(t, c, "src")
	send(t, guest, "noise\n"+`{"mono":7}`+"\n{\"mono\":\n\n"+strings.Repeat("x", maxLine+5)+"\n"+`{"mono":8}`+"\n")
	got := h.await(t, 5)
	if c.Garbage() != 3 {
		t.Errorf("%d lines are garbage, want 3: %+v", c.Garbage(), got)
	}
	if got[0].Log == "" || got[1].Mono != 7 || got[4].Mono != 8 {
		t.Errorf("reported %+v", got)
	}
}

func TestClientGivesUp(t *testing.T) {
	t.Run("context", func(t *testing.T) {
		c := NewClient(nil)
		defer c.Close()
		pipe(t, c, "src") // nobody reads: the write blocks
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Verify(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Verify = %v, want canceled", err)
		}
		if _, err := c.Hello(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Hello = %v, want canceled", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		c := NewClient(nil)
		pipe(t, c, "src")
		done := make(chan error, 1)
		go func() { _, err := c.Hello(context.Background()); done <- err }()
		time.Sleep(10 * time.Millisecond)
		c.Close()
		c.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("Hello = %v, want ErrClosed", err)
		}
		if _, err := c.Verify(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Verify = %v, want ErrClosed", err)
		}
	})
	t.Run("guest gone", func(t *testing.T) {
		c := NewClient(nil)
		defer c.Close()
		guest := pipe(t, c, "src")
		send(t, guest, `{"mono":1,"log":"no carrier"}`+"\n")
		done := make(chan error, 1)
		go func() { _, err := c.Hello(context.Background()); done <- err }()
		guest.Close()
		err := <-done
		if !errors.Is(err, ErrDisconnected) || !strings.Contains(err.Error(), "no carrier") {
			t.Errorf("Hello = %v, want ErrDisconnected and the agent's log", err)
		}
		back := pipe(t, c, "src")
		go answer(back, func(Request) Message { return Message{} })
		if err := c.Start(t.Context(), Workload{}); err != nil {
			t.Errorf("Start on a new connection = %v", err)
		}
	})
	t.Run("no connection", func(t *testing.T) {
		c := NewClient(nil)
		defer c.Close()
		if _, err := c.Verify(t.Context()); !errors.Is(err, ErrDisconnected) {
			t.Errorf("Verify = %v, want ErrDisconnected", err)
		}
	})
	t.Run("other version", func(t *testing.T) {
		c := NewClient(nil)
		defer c.Close()
		guest := pipe(t, c, "src")
		send(t, guest, `{"mono":1,"hello":{"version":99}}`+"\n")
		go answer(guest, func(Request) Message { return Message{Hello: &Hello{Version: 99}} })
		if _, err := c.Hello(t.Context()); err == nil || !strings.Contains(err.Error(), "version 99") {
			t.Errorf("Hello = %v, want a complaint about version 99", err)
		}
	})
}

// Two connections of one name are both read and both closed.
func TestClientReplacesConnection(t *testing.T) {
	var h heard
	c := NewClient(h.report)
	one, two := pipe(t, c, "src"), pipe(t, c, "src")
	send(t, one, `{"mono":1}`+"\n")
	send(t, two, `{"mono":2}`+"\n")
	h.await(t, 2)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{one, two} {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("read after Close = %v, want EOF", err)
		}
	}
}

// closedElsewhere is a connection that somebody else closes before the client does, while its reader still waits.
type closedElsewhere struct {
	io.Writer
	ended chan struct{}
}

func (c closedElsewhere) Read([]byte) (int, error) {
	<-c.ended
	return 0, net.ErrClosed
}

func (c closedElsewhere) Close() error {
	close(c.ended)
	return &net.OpError{Op: "close", Err: net.ErrClosed}
}

func TestCloseOfWhatIsClosedIsNoError(t *testing.T) {
	c := NewClient(nil)
	c.Attach("src", closedElsewhere{io.Discard, make(chan struct{})})
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
