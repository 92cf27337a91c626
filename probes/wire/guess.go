package wire

import (
	"strconv"
	"virtscope/probes/wire/shape"
	"virtscope/probes/wire/station"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

const (
	mostGuesses = 256     // connections whose shape is followed at once
	leastGuess  = 8 << 20 // B: a connection that carried less in both directions is not taken for a migration
)

// A guess follows the shape of a connection that can not be decoded. It is told only if it looks like a migration.
type guess struct {
	conn    *connection
	shape   *shape.Inference
	records []results.Record
	tls     bool
	signs   int // of a guest, while it went on
}

// follow watches the shape of a connection that can not be decoded.
func (c *connection) follow(tls bool) {
	s := c.session
	if s.guesses >= mostGuesses {
		c.ignore()
		return
	}
	s.guesses++
	c.told = true
	g := &guess{conn: c, tls: tls}
	c.guess = g
	g.shape = shape.New(shape.Config{Client: c.source(), Server: c.destination(), Encrypted: tls}, results.RecorderFunc(func(r results.Record) {
		g.records = append(g.records, r)
	}))
	c.forward().deliver(g.shape.Forward())
	c.reverse().deliver(g.shape.Reverse())
}

// tellGuesses gives a guest's sign to the connections that might carry its migration.
func (s *Session) tellGuesses(sign station.Sign) {
	if s.guesses == 0 {
		return
	}
	for _, c := range s.connections {
		if c.guess == nil {
			continue
		}
		c.guess.signs++
		c.guess.shape.Guest(sign.Kind, sign.Port, sign.At)
	}
}

// end records the shape if it is a migration's: enough went one way, and a guest was seen to arrive or the stream is
// encrypted as QEMU would.
func (g *guess) end(at tcp.Stamp) {
	s := g.conn.session
	s.guesses--
	g.conn.guess = nil
	g.shape.End(at)
	there, back := g.conn.stats()
	if max(there.Bytes+there.Missing+there.Cut, back.Bytes+back.Missing+back.Cut) < leastGuess || !g.tls && g.signs == 0 {
		return
	}
	s.streams++
	number := strconv.Itoa(s.streams)
	for _, r := range g.records {
		if r.Attrs == nil {
			r.Attrs = map[string]string{}
		}
		r.Attrs["stream"] = number
		s.emit(r)
	}
	m := &migration{session: s, number: number}
	g.conn.channel = mainChannel
	g.conn.totals(m)
}
