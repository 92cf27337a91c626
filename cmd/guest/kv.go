package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"virtscope/testbed/guest/agent"
)

// prepareKV fills a store and opens its port.
func (s *server) prepareKV(w *agent.Workload, port int) (*part, error) {
	m := &meter{}
	kept, err := newStore(w.Keys, w.ValueSize)
	if err != nil {
		return nil, err
	}
	tcp, err := listenTCP(port, func(conn net.Conn) {
		if err := serveKV(conn, kept, &m.ops); err != nil {
			s.out.log("%v", err)
		}
	})
	if err != nil {
		kept.release()
		return nil, err
	}
	return &part{meter: m, busy: 2, run: tcp.runPart(m), interrupt: tcp.close, keeper: kept}, nil
}

// A kvConn is a client's connection to a store.
type kvConn struct {
	store *store
	in    *bufio.Reader
	out   respWriter
	room  []byte // for the longest value
	name  [16]byte
	key   [32]byte
	asked respRequest
}

// A flushingReader reads from a connection, and has all answers on their way before it waits.
type flushingReader struct {
	conn net.Conn
	out  *bufio.Writer
}

// Read reads what came.
func (r flushingReader) Read(b []byte) (int, error) {
	if err := r.out.Flush(); err != nil {
		return 0, err
	}
	return r.conn.Read(b)
}

// serveKV answers a connection's requests and counts them, until it ends. Its errors are the guest's, not the client's.
func serveKV(conn net.Conn, s *store, answered *atomic.Int64) error {
	room, err := syscall.Mmap(-1, 0, s.size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return fmt.Errorf("map %d B for a connection of kv: %w", s.size, err)
	}
	defer func() { _ = syscall.Munmap(room) }()
	c := &kvConn{store: s, room: room, out: respWriter{Writer: bufio.NewWriterSize(conn, respBuffer)}}
	c.in = bufio.NewReaderSize(flushingReader{conn, c.out.Writer}, respBuffer)
	for {
		if err = c.answer(); err != nil {
			break
		}
		answered.Add(1)
	}
	var wrong protocolError
	if errors.As(err, &wrong) {
		c.out.line('-', "ERR "+plain(wrong.Error()))
	}
	_ = c.out.Flush() // the client may be gone
	return nil
}

// answer reads a request and answers it.
func (c *kvConn) answer() error {
	asked, err := readRequest(c.in)
	if err != nil {
		return err
	}
	c.asked = asked // not a variable of its own, which would be garbage
	r := &c.asked
	args := r.left
	name, fits, err := r.next(c.name[:])
	if err != nil {
		return err
	}
	if !fits {
		name = []byte("(longer than any)")
	}
	for _, command := range commands {
		if !bytes.EqualFold(name, command.name) {
			continue
		}
		if args < command.least || args > command.most {
			c.out.line('-', "ERR wrong number of arguments for '"+string(command.name)+"' command")
			return r.skip()
		}
		return command.do(c, r)
	}
	c.out.line('-', "ERR unknown command '"+plain(string(name))+"': this server has PING, GET, SET, DEL and DBSIZE")
	return r.skip()
}

// plain is text without what would end an answer's line.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}

// commands have their number of arguments, the name included.
var commands = []struct {
	name        []byte
	least, most int
	do          func(*kvConn, *respRequest) error
}{
	{[]byte("get"), 2, 2, (*kvConn).get},
	{[]byte("set"), 3, 3, (*kvConn).set},
	{[]byte("del"), 2, maxArgs, (*kvConn).del},
	{[]byte("ping"), 1, 2, (*kvConn).ping},
	{[]byte("dbsize"), 1, 1, (*kvConn).dbsize},
}

func (c *kvConn) get(r *respRequest) error {
	key, ok, err := c.readKey(r)
	if err != nil {
		return err
	}
	n := absent
	if ok {
		n = c.store.get(key, c.room)
	}
	if n == absent {
		c.out.line('$', "-1")
		return nil
	}
	c.out.bulk(c.room[:n])
	return nil
}

func (c *kvConn) set(r *respRequest) error {
	key, ok, err := c.readKey(r)
	if err != nil {
		return err
	}
	value, fits, err := r.next(c.room)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		c.out.line('-', "ERR no such key: want key:0 to key:"+fmt.Sprint(len(c.store.slots)-1))
	case !fits:
		c.out.line('-', "ERR the value is longer than "+fmt.Sprint(c.store.size)+" B")
	default:
		c.store.set(key, value)
		c.out.line('+', "OK")
	}
	return nil
}

func (c *kvConn) del(r *respRequest) error {
	dropped := int64(0)
	for r.left > 0 {
		key, ok, err := c.readKey(r)
		if err != nil {
			return err
		}
		if ok && c.store.drop(key) {
			dropped++
		}
	}
	c.out.number(':', dropped)
	return nil
}

func (c *kvConn) ping(r *respRequest) error {
	if r.left == 0 {
		c.out.line('+', "PONG")
		return nil
	}
	text, fits, err := r.next(c.room)
	if err != nil {
		return err
	}
	if !fits {
		c.out.line('-', "ERR the text is too long")
		return nil
	}
	c.out.bulk(text)
	return nil
}

func (c *kvConn) dbsize(*respRequest) error {
	c.out.number(':', c.store.live.Load())
	return nil
}

// readKey reads a key's number; ok is false if there is no such key.
func (c *kvConn) readKey(r *respRequest) (key int, ok bool, err error) {
	text, fits, err := r.next(c.key[:])
	if err != nil || !fits {
		return 0, false, err
	}
	digits, found := bytes.CutPrefix(text, []byte("key:"))
	key, ok = parseDigits(digits)
	return key, found && ok && key < len(c.store.slots), nil
}
