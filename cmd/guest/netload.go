package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// netPorts are where a net workload serves; a test takes others.
type netPorts struct{ request, stream, bulk int }

// prepareNet opens the ports of all loads over the network.
func (s *server) prepareNet(w *agent.Workload, ports netPorts) (*part, error) {
	m := &meter{}
	answer := make([]byte, 4+w.ResponseSize)
	binary.BigEndian.PutUint32(answer, uint32(w.ResponseSize))
	agent.FillValue(answer[4:], w.Seed, 0)
	requests, err := newEventLoop(ports.request, len(answer), func() session { return &askSession{answer: answer, meter: m} }, s.out.log)
	if err != nil {
		return nil, err
	}
	bulk, err := listenTCP(ports.bulk, func(conn net.Conn) { serveBulk(conn, &m.written) })
	if err != nil {
		requests.close()
		return nil, err
	}
	streams, err := listenStreams(ports.stream, m, s.yieldToAgent)
	if err != nil {
		requests.close()
		bulk.close()
		return nil, err
	}
	run := func(*atomic.Bool) {
		var all sync.WaitGroup
		ask := func() error {
			s.yieldToAgent()
			return requests.run()
		}
		for _, serve := range []func() error{ask, bulk.run, streams.run} {
			all.Go(func() {
				if err := serve(); err != nil {
					m.fail(err)
				}
			})
		}
		all.Wait()
	}
	interrupt := func() {
		requests.close()
		bulk.close()
		streams.close()
	}
	return &part{meter: m, busy: 3, run: run, interrupt: interrupt}, nil
}

// maxAsk bounds a request, in B: a longer one is none, and ends its connection.
const maxAsk = 64 << 20

// An askSession answers each request with the same answer, its length included.
type askSession struct {
	answer []byte
	meter  *meter
	asked  bool // a request has begun
	left   int  // B of it that have not come
}

func (c *askSession) take(in, out []byte) (used int, answers []byte, err error) {
	for cap(out)-len(out) >= len(c.answer) {
		if !c.asked {
			if len(in)-used < 4 {
				break
			}
			size := binary.BigEndian.Uint32(in[used:])
			if size > maxAsk {
				return used, out, fmt.Errorf("read request: %d B are too many", size)
			}
			c.asked, c.left = true, int(size)
			used += 4
		}
		n := min(c.left, len(in)-used)
		used, c.left = used+n, c.left-n
		if c.left > 0 {
			break
		}
		c.asked = false
		out = append(out, c.answer...)
		c.meter.ops.Add(1)
		c.meter.written.Add(int64(len(c.answer)))
	}
	return used, out, nil
}

// bulkChunk is what is given to the connection at once, in B.
const bulkChunk = 32 << 10

// serveBulk sends until the connection ends, and takes no notice of what comes.
func serveBulk(conn net.Conn, sent *atomic.Int64) {
	chunk := make([]byte, bulkChunk)
	agent.FillValue(chunk, 0, 0)
	for {
		n, err := conn.Write(chunk)
		sent.Add(int64(n))
		if err != nil {
			return
		}
	}
}
