package wire

import (
	"cmp"
	"slices"
	"strconv"
	"virtscope/probes/wire/shape"
	"virtscope/probes/wire/station"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

const (
	mostGuesses = 256     // migrations whose shape is followed
	leastGuess  = 8 << 20 // B: connections that carried less are not taken for a migration
	guestSlack  = 10e9    // ns: a guest that shows up elsewhere so long after a stream's end did not come by it
)

// A guess follows the shape of connections that can not be decoded: those of one client to one port of one server, while
// one of them is open. It is told only if it looks like a migration.
type guess struct {
	session     *Session
	shape       *shape.Inference
	records     []results.Record
	connections []*connection
	open        int
	tls         bool
	first, last tcp.Stamp
}

// follow watches the shape of a connection that can not be decoded.
func (c *connection) follow(tls bool) {
	g := c.session.guessFor(c, tls)
	if g == nil {
		c.ignore()
		return
	}
	c.told, c.guess = true, g
	g.connections = append(g.connections, c)
	g.open++
	c.forward().deliver(g.shape.Forward())
	c.reverse().deliver(g.shape.Reverse())
}

// guessFor is the open guess that a connection belongs to, or a new one; nil if there are too many.
func (s *Session) guessFor(c *connection, tls bool) *guess {
	for _, g := range s.guesses {
		first := g.connections[0]
		if g.open > 0 && g.tls == tls && first.destination() == c.destination() && first.source().Addr() == c.source().Addr() {
			return g
		}
	}
	if len(s.guesses) >= mostGuesses {
		s.makeRoom()
	}
	if len(s.guesses) >= mostGuesses {
		return nil
	}
	g := &guess{session: s, tls: tls, first: c.began}
	conf := shape.Config{Host: s.conf.Host, Client: c.source(), Server: c.destination(), Encrypted: tls}
	g.shape = shape.New(conf, results.RecorderFunc(func(r results.Record) { g.records = append(g.records, r) }))
	s.guesses = append(s.guesses, g)
	return g
}

// left is called when a connection is over. What can not be a migration is forgotten.
func (g *guess) left(at tcp.Stamp) {
	g.open--
	g.last = at
	if g.open > 0 || g.bytes() >= leastGuess {
		return
	}
	g.forget()
}

// forget lets go of a guess and of its connections.
func (g *guess) forget() {
	for _, c := range g.connections {
		c.guess = nil
		c.release()
	}
	g.session.guesses = slices.DeleteFunc(g.session.guesses, func(other *guess) bool { return other == g })
}

// makeRoom forgets guesses that carried little for longest: a host with many open connections may see a migration after all.
func (s *Session) makeRoom() {
	small := slices.DeleteFunc(slices.Clone(s.guesses), func(g *guess) bool { return g.bytes() >= leastGuess })
	slices.SortFunc(small, func(a, b *guess) int { return cmp.Compare(a.latest(), b.latest()) })
	for _, g := range small[:(len(small)+1)/2] {
		g.forget()
	}
}

// latest is the number of its latest packet.
func (g *guess) latest() (n int64) {
	for _, c := range g.connections {
		n = max(n, c.last.Packet)
	}
	return n
}

// bytes is how much passed from the client: a migration's source opens the connections. Where nobody saw who did, it is
// how much passed in the direction that carries more.
func (g *guess) bytes() int64 {
	var there, back int64
	known := g.tls // the client says hello
	for _, c := range g.connections {
		a, b := c.stats()
		there += a.Bytes + a.Missing + a.Cut
		back += b.Bytes + b.Missing + b.Cut
		known = known || a.SYN
	}
	if known {
		return there
	}
	return max(there, back)
}

// end records the shape if it is a migration's: enough passed, and it is encrypted, as a migration may be, or a guest came
// by it.
func (g *guess) end(at tcp.Stamp) {
	arrived := g.arrived()
	if g.bytes() < leastGuess || !g.tls && arrived == nil {
		return
	}
	if arrived != nil {
		g.tell(*arrived)
	}
	g.shape.End(at)
	s := g.session
	s.streams++
	m := &migration{session: s, number: strconv.Itoa(s.streams)}
	evidence := "volume alone"
	if arrived != nil {
		evidence = "a guest moved meanwhile"
	}
	for _, r := range g.records {
		if r.Name == results.WireMigration && r.Attrs != nil {
			r.Attrs["evidence"] = evidence
		}
		m.emit(r)
	}
	for i, c := range g.connections {
		c.channel = mainChannel
		if i > 0 {
			c.channel = "connection-" + strconv.Itoa(i+1)
		}
		m.opened(c)
		c.totals(m)
	}
}

// arrived is the one guest that moved, or was announced, while the connections were open or soon after; nil if there is
// none, or several: nobody can say whose stream it is then.
func (g *guess) arrived() *station.Guest {
	if g.session.watch == nil {
		return nil
	}
	var found *station.Guest
	for _, guest := range g.session.watch.Guests() {
		in := false
		for _, a := range guest.Announced {
			in = in || a.At.Time >= g.first.Time && a.At.Time <= g.last.Time+guestSlack
		}
		if !in {
			continue
		}
		if found != nil {
			return nil
		}
		found = &guest
	}
	return found
}

// tell gives the inference what was seen of the guest.
func (g *guess) tell(guest station.Guest) {
	for _, a := range guest.Announced {
		g.shape.Guest(a.Kind, a.Port, a.At)
	}
	if !guest.Moved {
		return
	}
	g.shape.Guest("frame", guest.OldPort, guest.Left)
	if guest.First.Packet != 0 {
		g.shape.Guest("frame", guest.NewPort, guest.First)
	}
}
