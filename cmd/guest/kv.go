package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// prepareKV fills a store and opens its port.
func (s *server) prepareKV(w *agent.Workload, port int) (*part, error) {
	m := &meter{}
	kept, err := newStore(w.Keys, w.ValueSize)
	if err != nil {
		return nil, err
	}
	loop, err := newEventLoop(port, kept.size, func() session { return newKVSession(kept, &m.ops) }, s.out.log)
	if err != nil {
		kept.release()
		return nil, err
	}
	run := func(*atomic.Bool) {
		s.yieldToAgent()
		if err := loop.run(); err != nil {
			m.fail(err)
		}
	}
	return &part{meter: m, busy: 1, run: run, interrupt: loop.close, keeper: kept}, nil
}

// A kvSession answers a client's requests to a store.
type kvSession struct {
	store    *store
	answered *atomic.Int64
	args     [][]byte
}

func newKVSession(s *store, answered *atomic.Int64) *kvSession {
	return &kvSession{store: s, answered: answered, args: make([][]byte, 0, 4)}
}

// longestError is more than any error has, in B.
const longestError = 256

func (c *kvSession) take(in, out []byte) (used int, answers []byte, err error) {
	for cap(out)-len(out) >= c.store.size+longestError {
		// A value that is somewhat too long is refused; one that is far too long is none.
		args, n, err := parseRequest(in[used:], c.store.size+loopBuffer/2, c.args)
		c.args = args[:0]
		if err != nil {
			return used, appendLine(out, '-', "ERR "+plain(err.Error())), err
		}
		if n == 0 {
			break
		}
		used += n
		if len(args) > 0 {
			out = c.answer(args, out)
			c.answered.Add(1)
		}
	}
	return used, out, nil
}

// commands have their number of arguments, the name included.
var commands = []struct {
	name        []byte
	least, most int
	do          func(s *store, args [][]byte, out []byte) []byte
}{
	{[]byte("get"), 2, 2, kvGet},
	{[]byte("set"), 3, 3, kvSet},
	{[]byte("del"), 2, maxArgs, kvDel},
	{[]byte("ping"), 1, 2, kvPing},
	{[]byte("dbsize"), 1, 1, kvSize},
}

func (c *kvSession) answer(args [][]byte, out []byte) []byte {
	for _, command := range commands {
		if !bytes.EqualFold(args[0], command.name) {
			continue
		}
		if len(args) < command.least || len(args) > command.most {
			return appendLine(out, '-', "ERR wrong number of arguments for '"+string(command.name)+"' command")
		}
		return command.do(c.store, args, out)
	}
	name := args[0][:min(len(args[0]), 32)]
	return appendLine(out, '-', "ERR unknown command '"+plain(string(name))+"': this server has PING, GET, SET, DEL and DBSIZE")
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

func kvGet(s *store, args [][]byte, out []byte) []byte {
	key, ok := s.key(args[1])
	if !ok {
		return appendLine(out, '$', "-1")
	}
	value, ok := s.get(key)
	if !ok {
		return appendLine(out, '$', "-1")
	}
	return appendBulk(out, value)
}

func kvSet(s *store, args [][]byte, out []byte) []byte {
	key, ok := s.key(args[1])
	switch {
	case !ok:
		return appendLine(out, '-', fmt.Sprintf("ERR no such key: want key:0 to key:%d", len(s.slots)-1))
	case len(args[2]) > s.size:
		return appendLine(out, '-', fmt.Sprintf("ERR the value is longer than %d B", s.size))
	}
	s.set(key, args[2])
	return appendLine(out, '+', "OK")
}

func kvDel(s *store, args [][]byte, out []byte) []byte {
	dropped := int64(0)
	for _, arg := range args[1:] {
		if key, ok := s.key(arg); ok && s.drop(key) {
			dropped++
		}
	}
	return appendNumber(out, ':', dropped)
}

func kvPing(s *store, args [][]byte, out []byte) []byte {
	if len(args) == 1 {
		return appendLine(out, '+', "PONG")
	}
	if len(args[1]) > s.size {
		return appendLine(out, '-', "ERR the text is too long")
	}
	return appendBulk(out, args[1])
}

func kvSize(s *store, _ [][]byte, out []byte) []byte { return appendNumber(out, ':', s.live) }
