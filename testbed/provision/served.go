package provision

import (
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

// accountEvery is how often it is recorded what image servers sent.
const accountEvery = 500 * time.Millisecond

// A meter adds up what a server's connections have sent. The server's process keeps no account, so the kernel's of its sockets is
// read: payload without what was sent again, those that were closed included.
type meter struct {
	s    server
	from string

	mu   sync.Mutex
	sent map[uint64]uint64 // B by a connection's cookie, which no other one has
}

// take notes what a message says of one connection.
func (m *meter) take(c connection) {
	if int(c.port) != m.s.port {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent[c.cookie] = max(m.sent[c.cookie], c.sent)
}

func (m *meter) sum() (n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sent := range m.sent {
		n += sent
	}
	return n
}

// account begins to record ImageServed of each server whose host's kernel tells of its connections; the others' bytes are in the
// capture alone.
func (p *Provisioner) account() error {
	for i, s := range p.plan {
		inside, ok := s.host.(host.Doer)
		if !ok {
			continue
		}
		m := &meter{s: s, from: p.from(i), sent: map[uint64]uint64{}}
		ends, err := followEnds(inside, m.take)
		if err != nil {
			continue
		}
		if err := eachConnection(inside, m.take); err != nil {
			ends()
			continue
		}
		p.beside.Go(func() { p.meter(m, inside, ends) })
	}
	return nil
}

// meter records what m adds up, whenever it has grown, until the provisioner is closed; then once more, with what the last
// connections sent.
func (p *Provisioner) meter(m *meter, inside host.Doer, ends func() (lost bool)) {
	tick := time.NewTicker(accountEvery)
	defer tick.Stop()
	last := uint64(0)
	for p.ctx.Err() == nil {
		select {
		case <-p.ctx.Done():
		case <-tick.C:
			err := eachConnection(inside, m.take)
			if n := m.sum(); err == nil && n != last {
				last = n
				p.recordServed(m, n)
			}
		}
	}
	err := eachConnection(inside, m.take)
	if lost := ends(); lost || err != nil {
		return // the sum is not known
	}
	p.recordServed(m, m.sum())
}

func (p *Provisioner) recordServed(m *meter, n uint64) {
	p.c.Recorder.Record(results.Record{
		Time: time.Now().UnixNano(), Host: m.s.host.Name(), Source: results.SourceRunner, Name: results.ImageServed, Value: float64(n), Unit: results.Bytes,
		Attrs: map[string]string{"server": m.s.host.Name(), "from": m.from},
	})
}
