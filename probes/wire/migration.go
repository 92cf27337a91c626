package wire

import (
	"slices"
	"strconv"
	"virtscope/probes/wire/qemu"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// Names of channels.
const (
	mainChannel = "main"
	multifd     = "multifd"
	preempt     = "preempt"
)

// A migration is one QEMU migration: its connections and its decoder.
type migration struct {
	session     *Session
	number      string
	qemu        *qemu.Migration
	connections []*connection
	main        *connection
	open        int // connections that have not ended
	over        bool
	bins        bins
	evidence    evidence
	closed      tcp.Stamp // the destination closed the main channel
	closes      bool
}

// migrationFor is the migration that a connection belongs to: the open one between the same hosts, to the same port; else a
// new one. A second main channel begins a new one.
func (s *Session) migrationFor(c *connection, extra bool) *migration {
	if m := s.openMigration(c); m != nil && (extra || m.main == nil) {
		return m
	}
	s.streams++
	m := &migration{session: s, number: strconv.Itoa(s.streams)}
	conf := qemu.Config{Stream: m.number, Host: s.conf.Host, Client: c.source(), Server: c.destination()}
	if s.conf.Contents {
		conf.Content = m.content
	}
	m.qemu = qemu.New(conf, results.RecorderFunc(m.record))
	s.migrations = append(s.migrations, m)
	return m
}

// openMigration is the migration to the same port of the same host that goes on.
func (s *Session) openMigration(c *connection) *migration {
	for i := len(s.migrations) - 1; i >= 0; i-- {
		m := s.migrations[i]
		if m.over || len(m.connections) == 0 {
			continue
		}
		other := m.connections[0]
		if other.destination() == c.destination() && other.source().Addr() == c.source().Addr() {
			return m
		}
	}
	return nil
}

// join makes the connection a channel of m.
func (c *connection) join(m *migration, channel string) {
	c.told, c.migration = true, m
	m.connections = append(m.connections, c)
	m.open++
	forward, reverse := c.forward(), c.reverse()
	forward.bins = &m.bins
	var to, from tcp.Consumer
	switch channel {
	case mainChannel:
		m.main = c
		to, from = m.qemu.Main(), m.qemu.Return()
	case multifd:
		to = m.qemu.Multifd()
	case preempt:
		to = m.qemu.Preempt()
	}
	c.decoder = to
	forward.deliver(to)
	reverse.deliver(from)
	c.channel = m.qemu.Name(to) // a multifd channel has just told its number
	m.opened(c)
}

// opened records that a channel was opened.
func (m *migration) opened(c *connection) {
	m.emit(results.Record{
		Time: c.began.Time, Name: results.WireChannel,
		Attrs: map[string]string{"channel": c.channel, "client": c.source().String(), "server": c.destination().String()},
	})
}

// emit completes a record of the migration and gives it away.
func (m *migration) emit(r results.Record) {
	if r.Attrs == nil {
		r.Attrs = map[string]string{}
	}
	r.Attrs["stream"] = m.number
	m.session.emit(r)
}

// record takes what the decoder says.
func (m *migration) record(r results.Record) {
	m.evidence.note(r)
	m.session.rec.Record(r)
}

// ended is called when a direction of a channel ended.
func (m *migration) ended(c *connection, reverse bool, how tcp.End, at tcp.Stamp) {
	if c == m.main && reverse && how == tcp.Fin {
		m.closed, m.closes = at, true
	}
	if c.closed < 2 {
		return
	}
	m.open--
	if m.open == 0 && m.main != nil {
		m.end(at)
	}
}

// end records the totals.
func (m *migration) end(at tcp.Stamp) {
	if m.over {
		return
	}
	m.over = true
	m.qemu.End(at)
	if shut, ok := m.qemu.Shut(); ok {
		m.runs("return path", shut)
	}
	if m.closes && !m.qemu.Refused() {
		m.runs(closeSign, m.closed)
	}
	m.ran()
	m.emit(results.Record{Time: at.Time, Name: results.WireMigrationEnd, Attrs: map[string]string{"how": m.how()}})
	for _, c := range m.connections {
		c.totals(m)
	}
	m.bins.record(m.emit)
	m.release()
}

// release forgets the migration: a capture may hold any number of them.
func (m *migration) release() {
	for _, c := range m.connections {
		c.release()
	}
	m.connections, m.main, m.qemu = nil, nil, nil
	m.session.migrations = slices.DeleteFunc(m.session.migrations, func(other *migration) bool { return other == m })
}

// how is how the migration ended.
func (m *migration) how() string {
	switch {
	case m.qemu.Refused():
		return "refused by the destination"
	case m.qemu.Complete():
		return "complete"
	case m.main == nil || m.main.forward().ended == nil:
		return string(tcp.Cut)
	}
	return string(*m.main.forward().ended)
}
