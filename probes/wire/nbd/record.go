package nbd

import (
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// emit records a value. Attrs are names and values in turn; an empty value leaves its name out.
func (s *Session) emit(at tcp.Stamp, name string, value float64, u results.Unit, attrs ...string) {
	m := make(map[string]string, len(attrs)/2+2)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			m[attrs[i]] = attrs[i+1]
		}
	}
	if s.conf.Stream != "" {
		m["stream"] = s.conf.Stream
	}
	if s.named {
		m["export"] = s.export
	}
	s.rec.Record(results.Record{Time: at.Time, Host: s.conf.Host, Source: results.SourceWire, Name: name, Value: value, Unit: u, Attrs: m})
}

func (s *Session) tellEncrypted(by *half, offset int64, at tcp.Stamp) {
	s.emit(at, results.WireMirrorEncrypted, 0, results.Event,
		"dir", by.dir, "offset", strconv.FormatInt(offset, 10), "packet", strconv.FormatInt(at.Packet, 10))
}

// End records the sums. At is where the connection or the capture ends; Client and Server get nothing after it.
func (s *Session) End(at tcp.Stamp) {
	if s.ended {
		return
	}
	s.ended = true
	if !s.any {
		s.began, s.last = at, at
	}
	s.client.tellMore(at)
	s.server.tellMore(at)
	s.tellConnection()
	if s.encrypted {
		return // what was written is not known
	}
	atLeast := ""
	if s.partial || s.damaged {
		atLeast = "true"
	}
	s.tellRequests(atLeast)
	s.tellSectors(atLeast)
	s.tellAnswers(atLeast)
}

// tellConnection records what the connection is.
func (s *Session) tellConnection() {
	start := "header"
	if s.middle {
		start = "middle"
	}
	replies := ""
	switch { // a structured reply may stand beside simple ones
	case s.extended:
		replies = "extended"
	case s.structured:
		replies = "structured"
	case s.simple:
		replies = "simple"
	}
	how := string(s.client.how)
	if s.ledger.requests[cmdDisconnect] > 0 {
		how = "disconnect"
	}
	if how == "" {
		how = string(tcp.Cut)
	}
	client, server := "", ""
	if s.conf.Client.IsValid() {
		client, server = s.conf.Client.String(), s.conf.Server.String()
	}
	s.emit(s.began, results.WireMirror, 0, results.Event,
		"client", client, "server", server, "start", start, "handshake", s.style, "replies", replies, "how", how)
	if s.size < 0 {
		return
	}
	sizes := [3]string{}
	for i, n := range s.sizes {
		if s.sizes[2] != 0 {
			sizes[i] = strconv.FormatUint(uint64(n), 10)
		}
	}
	s.emit(s.began, results.WireMirrorSize, float64(s.size), results.Bytes, "minimum", sizes[0], "preferred", sizes[1], "maximum", sizes[2])
}

// tellRequests records how many requests passed.
func (s *Session) tellRequests(atLeast string) {
	for c := range commands {
		n := s.ledger.requests[c]
		switch {
		case n == 0:
		case c.modifies():
			s.emit(s.last, results.WireMirrorWrites, float64(n), results.One, "command", commandNames[c], "atleast", atLeast)
			s.emit(s.last, results.WireMirrorBytes, float64(s.ledger.bytes[c]), results.Bytes, "command", commandNames[c], "atleast", atLeast)
		default:
			s.emit(s.last, results.WireMirrorOther, float64(n), results.One, "command", commandNames[c], "atleast", atLeast)
		}
	}
}

// tellSectors records what the requests touched.
func (s *Session) tellSectors(atLeast string) {
	l := &s.ledger
	if !l.modified {
		return
	}
	if l.bounded() {
		atLeast = "true"
	}
	notAfter, notBefore := "", ""
	if s.partial || s.damaged {
		notAfter, notBefore = strconv.FormatInt(l.first.Time, 10), strconv.FormatInt(l.last.Time, 10)
	}
	s.emit(l.first, results.WireMirrorFirst, 0, results.Event, "latest", notAfter)
	s.emit(l.last, results.WireMirrorLast, 0, results.Event, "earliest", notBefore)
	s.emit(s.last, results.WireMirrorDistinct, float64(l.distinct*sectorSize), results.Bytes, "atleast", atLeast)
	s.emit(s.last, results.WireMirrorAgain, float64(l.again*sectorSize), results.Bytes, "atleast", atLeast)
	s.emit(s.last, results.WireMirrorAgain, float64(l.afterWrite*sectorSize), results.Bytes, "after", "write", "atleast", atLeast)
}

// tellAnswers records what the server said.
func (s *Session) tellAnswers(atLeast string) {
	if !s.server.started || s.server.lost {
		return // nobody knows what was answered
	}
	for _, k := range s.replies.refusals() {
		name := errorNames[k.err]
		if name == "" {
			name = strconv.FormatUint(uint64(k.err), 10)
		}
		s.emit(s.last, results.WireMirrorErrors, float64(s.replies.errors[k]), results.One, "command", commandNames[k.command], "error", name, "atleast", atLeast)
	}
	for c, n := range s.replies.unanswered() {
		if n > 0 && !s.damaged && !s.replies.missed {
			s.emit(s.last, results.WireMirrorUnanswered, float64(n), results.One, "command", commandNames[c])
		}
	}
	for c := range commands {
		s.tellLatency(c, atLeast)
	}
}

func (s *Session) tellLatency(c command, atLeast string) {
	t := s.replies.times[c]
	if t == nil {
		return
	}
	s.emit(s.last, results.WireMirrorLatency, float64(t.Count()), results.One, "command", commandNames[c], "stat", "count", "atleast", atLeast)
	for _, x := range []struct {
		stat string
		ns   float64
	}{
		{"min", float64(t.Min())},
		{"p50", t.Quantile(.5)},
		{"p90", t.Quantile(.9)},
		{"p99", t.Quantile(.99)},
		{"max", float64(t.Max())},
		{"mean", t.Mean()},
	} {
		s.emit(s.last, results.WireMirrorLatency, x.ns/1e9, results.Seconds, "command", commandNames[c], "stat", x.stat)
	}
}
