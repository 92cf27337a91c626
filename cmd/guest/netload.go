package main

import (
	"bufio"
	"encoding/binary"
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
	requests, err := listenTCP(ports.request, func(conn net.Conn) { serveRequests(conn, answer, m) })
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
		for _, serve := range []func() error{requests.run, bulk.run, streams.run} {
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

// serveRequests answers each request with the same answer, its length included.
func serveRequests(conn net.Conn, answer []byte, m *meter) {
	out := bufio.NewWriterSize(conn, respBuffer)
	in := bufio.NewReaderSize(flushingReader{conn, out}, respBuffer)
	for {
		head, err := in.Peek(4)
		if err != nil {
			break
		}
		size := binary.BigEndian.Uint32(head)
		if size > maxAsk {
			break
		}
		if _, err := in.Discard(4 + int(size)); err != nil {
			break
		}
		if _, err := out.Write(answer); err != nil {
			break
		}
		m.ops.Add(1)
		m.written.Add(int64(len(answer)))
	}
	_ = out.Flush() // the client may be gone
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
