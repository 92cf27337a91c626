package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
)

func newTestStore(t testing.TB, keys int, size int64) *store {
	t.Helper()
	s, err := newStore(keys, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.release)
	return s
}

// startKV serves a store on a free port until the test ends.
func startKV(t testing.TB, s *store) (address string, answered *atomic.Int64, stop func()) {
	t.Helper()
	answered = new(atomic.Int64)
	loop, err := newEventLoop(0, s.size, func() session { return newKVSession(s, answered) }, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(loop.listener)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- loop.run() }()
	stop = sync.OnceFunc(func() {
		loop.close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		loop.close()
	})
	t.Cleanup(stop)
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port), answered, stop
}

// ask sends text to a store and returns all that comes back.
func ask(t testing.TB, s *store, text string) string {
	t.Helper()
	address, _, stop := startKV(t, s)
	defer stop()
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("%q: %v", text, err)
	}
	return string(got)
}

func array(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

func TestKVCommands(t *testing.T) {
	first := make([]byte, 32)
	agent.FillValue(first, 3, 0)
	long := strings.Repeat("x", 33)
	for _, tt := range []struct{ name, send, want string }{
		{"ping", array("PING"), "+PONG\r\n"},
		{"ping inline", "ping\r\n", "+PONG\r\n"},
		{"ping with text", array("ping", "hello"), bulk("hello")},
		{"first value", array("GET", "key:3"), bulk(string(first))},
		{"key of benchmarks", array("get", "key:000000000003"), bulk(string(first))},
		{"set and get", array("SET", "key:1", "a\r\nb") + array("GET", "key:1"), "+OK\r\n" + bulk("a\r\nb")},
		{"empty value", array("SET", "key:1", "") + array("GET", "key:1"), "+OK\r\n" + bulk("")},
		{"inline", "SET key:2 v\r\nGET key:2\n", "+OK\r\n" + bulk("v")},
		{"longest value", array("SET", "key:1", long[1:]) + array("GET", "key:1"), "+OK\r\n" + bulk(long[1:])},
		{"delete", array("DEL", "key:4", "key:4", "key:5", "no") + array("DBSIZE") + array("GET", "key:4"), ":2\r\n:8\r\n$-1\r\n"},
		{"delete and set", array("DEL", "key:4") + array("SET", "key:4", "v") + array("DBSIZE"), ":1\r\n+OK\r\n:10\r\n"},
		{"no such key", array("GET", "key:10") + array("GET", "key:") + array("GET", "foo") + array("GET", long), "$-1\r\n$-1\r\n$-1\r\n$-1\r\n"},
		{"set no such key", array("SET", "key:10", "v") + array("PING"), "-ERR no such key: want key:0 to key:9\r\n+PONG\r\n"},
		{"too long", array("SET", "key:1", long) + array("PING"), "-ERR the value is longer than 32 B\r\n+PONG\r\n"},
		{"wrong number", array("SET", "key:1") + array("PING"), "-ERR wrong number of arguments for 'set' command\r\n+PONG\r\n"},
		{"set with option", array("SET", "key:1", "v", "EX", "1") + array("PING"), "-ERR wrong number of arguments for 'set' command\r\n+PONG\r\n"},
		{"unknown", array("CONFIG", "GET", "save") + array("PING"), "-ERR unknown command 'CONFIG': this server has PING, GET, SET, DEL and DBSIZE\r\n+PONG\r\n"},
		{"unknown long name", array(long) + array("PING"), "-ERR unknown command '" + long[:32] + "': this server has PING, GET, SET, DEL and DBSIZE\r\n+PONG\r\n"},
		{"empty requests", "\r\n*0\r\n*-1\r\n  \r\n" + array("PING"), "+PONG\r\n"},
		{"no array", "*x\r\n" + array("PING"), "-ERR Protocol error: invalid multibulk length\r\n"},
		{"no bulk", "*1\r\n:5\r\n", "-ERR Protocol error: expected '$', got \":5\"\r\n"},
		{"negative bulk", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
		{"longer than a request", array("SET", "key:1", strings.Repeat("x", 50_000)) + array("PING"), "-ERR Protocol error: invalid bulk length\r\n"},
		{"huge bulk", "*2\r\n$3\r\nGET\r\n$99999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
		{"bulk too short", "*1\r\n$3\r\nPING\r\n", "-ERR Protocol error: a bulk string is longer than it says\r\n"},
		{"long line", strings.Repeat("x", longestInline), "-ERR Protocol error: too big inline request\r\n"},
	} {
		s := newTestStore(t, 10, 32)
		if got := ask(t, s, tt.send); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if v := verify(s); v.Corrupt != 0 || v.Verified != 320 {
			t.Errorf("%s: the store is %+v", tt.name, v)
		}
	}
}

// A client may send many requests before it reads, and a request may come in pieces.
func TestKVPipelines(t *testing.T) {
	s := newTestStore(t, 100, 1000)
	address, answered, stop := startKV(t, s)
	const clients, requests = 8, 500
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			conn, err := net.Dial("tcp4", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			value := strings.Repeat(string(rune('a'+c)), 1000)
			var send bytes.Buffer
			for i := range requests {
				send.WriteString(array("SET", fmt.Sprintf("key:%d", (c*13+i)%100), value))
			}
			go func() {
				for send.Len() > 0 {
					conn.Write(send.Next(777))
				}
			}()
			in := bufio.NewReader(conn)
			for i := range requests {
				if line, err := in.ReadString('\n'); line != "+OK\r\n" {
					t.Errorf("answer %d of client %d is %q, %v", i, c, line, err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := answered.Load(); n != clients*requests {
		t.Errorf("%d requests were answered, want %d", n, clients*requests)
	}
	idle, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	stop()
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlives its server")
	}
	if v := verify(s); v.Corrupt != 0 {
		t.Errorf("the store is %+v", v)
	}
}

func TestStoreFindsCorruption(t *testing.T) {
	const keys, size = 64, 1024 // four values a page
	for name, tt := range map[string]struct {
		corrupt func(s *store)
		pages   int64
		detail  string
	}{
		"nothing":     {func(*store) {}, 0, ""},
		"flipped bit": {func(s *store) { s.values[5*size+3] ^= 1 }, 1, "1 of 64 are wrong"},
		"zero page":   {func(s *store) { clear(s.values[2*pageSize : 3*pageSize]) }, 1, "4 of 64 are wrong"},
		"stale page and sums": {func(s *store) {
			old, sums := bytes.Clone(s.values), bytes.Clone(s.table)
			s.set(9, []byte("new"))
			copy(s.values, old)
			copy(s.table, sums)
		}, 1, "add up"},
		"stale value": {func(s *store) {
			old := bytes.Clone(s.values)
			s.set(9, []byte("new"))
			copy(s.values, old)
		}, 1, "key:9"},
		"two pages": {func(s *store) { s.values[0] ^= 1; s.values[1] ^= 1; s.values[pageSize*3] ^= 1 }, 2, "2 of 64"},
	} {
		s := newTestStore(t, keys, size)
		s.drop(1)
		s.set(2, []byte("short"))
		tt.corrupt(s)
		if v := verify(s); v.Corrupt != tt.pages || !strings.Contains(v.Detail, tt.detail) || v.Verified != keys*size {
			t.Errorf("%s: %+v, want %d pages and %q", name, v, tt.pages, tt.detail)
		}
	}
}

// A client that does not read its answers holds up nobody else, and gets them all when it does.
func TestKVSlowReader(t *testing.T) {
	const size, requests = 100_000, 200 // 20 MB: more than sockets hold
	s := newTestStore(t, 2, size)
	address, answered, _ := startKV(t, s)
	slow, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, strings.Repeat(array("GET", "key:1"), requests)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		conn, err := net.Dial("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(conn, "PING\r\n")
		if _, err := io.ReadFull(conn, make([]byte, 7)); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
	if n := answered.Load(); n >= requests {
		t.Fatalf("%d requests were answered before an answer was read: the test needs more", n)
	}
	want := bulk(string(s.place(1)))
	got := make([]byte, len(want))
	for i := range requests {
		if _, err := io.ReadFull(slow, got); err != nil || string(got) != want {
			t.Fatalf("answer %d is wrong: %v", i, err)
		}
	}
}

// Requests make no garbage: a collection would dirty memory and delay answers.
func TestKVMakesNoGarbage(t *testing.T) {
	s := newTestStore(t, 100, 1000)
	in := []byte(array("GET", "key:000000000007") + array("SET", "key:000000000007", strings.Repeat("v", 1000)) + array("PING"))
	out, c := make([]byte, 0, 10_000), newKVSession(s, new(atomic.Int64))
	if n := testing.AllocsPerRun(100, func() {
		if used, _, err := c.take(in, out); used != len(in) || err != nil {
			t.Fatalf("%d B of %d were used, %v", used, len(in), err)
		}
	}); n != 0 {
		t.Errorf("three requests make %v allocations, want none", n)
	}
}

// Whatever a client sends, and however it comes in pieces, the answers are the same, and the store stays whole.
func FuzzKV(f *testing.F) {
	for _, text := range []string{
		array("SET", "key:1", "v") + array("GET", "key:1"), "*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$99\r\nshort", "*1048577\r\n", "$5\r\n",
		array("DEL", "key:0", "key:1"), "PING\r\nDBSIZE\r\n", "*2\r\n$-1\r\n", "\x00\xff\r\n", "*1\r\n$18446744073709551616\r\n", "*0\r\n*-1\r\n\r\n",
	} {
		f.Add([]byte(text), uint8(1))
		f.Add([]byte(text), uint8(7))
	}
	s := newTestStore(f, 4, 16)
	answers := func(data []byte, piece int) (out []byte) {
		for i := range s.slots {
			s.set(i, []byte("first"))
		}
		c := newKVSession(s, new(atomic.Int64))
		for from, to := 0, 0; to < len(data); {
			to = min(to+piece, len(data))
			for {
				used, answered, err := c.take(data[from:to], make([]byte, 0, 1000))
				out = append(out, answered...)
				if from += used; err != nil {
					return out
				}
				if used == 0 {
					break
				}
			}
		}
		return out
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		whole, cut := answers(data, len(data)), answers(data, int(piece)+1)
		if !bytes.Equal(whole, cut) {
			t.Errorf("%q is answered with %q, and in pieces of %d B with %q", data, whole, int(piece)+1, cut)
		}
		if len(whole) > 0 && !bytes.HasSuffix(whole, []byte("\r\n")) {
			t.Errorf("the answers end with %q", whole)
		}
		if v := verify(s); v.Corrupt != 0 {
			t.Errorf("the store is %+v after %q", v, data)
		}
	})
}

func BenchmarkKV(b *testing.B) {
	s := newTestStore(b, 10_000, 1024)
	in, out, c := []byte(array("GET", "key:000000000007")), make([]byte, 0, 4096), newKVSession(s, new(atomic.Int64))
	for range b.N {
		if used, _, err := c.take(in, out); used == 0 || err != nil {
			b.Fatal(err)
		}
	}
}
