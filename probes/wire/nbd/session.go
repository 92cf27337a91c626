package nbd

import (
	"math"
	"net/netip"
	"strings"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// Config says which connection is decoded. The zero value works; records then tell no stream and no host.
type Config struct {
	Stream  string         // attr "stream" of all records: "1", "2", …
	Host    string         // the vantage whose clock stamps packets
	Channel string         // attr "channel" of damages; empty is nbd
	Client  netip.AddrPort // who writes: the migration's source host
	Server  netip.AddrPort // the destination host's NBD server
}

// A Session decodes one NBD connection. It belongs to one goroutine, and its memory does not grow with the connection.
type Session struct {
	conf   Config
	rec    results.Recorder
	client client
	server server

	began, last tcp.Stamp
	any         bool
	ended       bool
	middle      bool // the connection began before the capture
	partial     bool // … and so did its requests
	damaged     bool
	style       string
	clientFlags uint32
	flagsKnown  bool
	byName      bool // the server answers EXPORT_NAME next
	export      string
	named       bool
	size        int64 // B of the export; -1: the server did not tell
	sizes       [3]uint32
	simple      bool // kinds of replies that were seen
	structured  bool
	extended    bool
	encrypted   bool
	replies     replies
	ledger      ledger
}

// New makes a Session that gives its records to rec: damages as they are found, sums at End.
func New(c Config, rec results.Recorder) *Session {
	if c.Channel == "" {
		c.Channel = "nbd"
	}
	s := &Session{conf: c, rec: rec, size: -1, replies: replies{waiting: map[uint64]waiter{}, errors: map[refusal]int64{}}}
	s.client.half = newHalf(s, "forward", 4)
	s.client.grammar = &s.client
	s.server.half = newHalf(s, "reverse", 4)
	s.server.grammar = &s.server
	return s
}

// Client takes what the client sends. What it says and what Server gets should come in the order of capture.
func (s *Session) Client() tcp.Consumer { return s.client.half }

// Server takes what the server sends.
func (s *Session) Server() tcp.Consumer { return s.server.half }

// Undecoded is how many bytes of each direction were captured, or missing, and not understood. Encrypted ones are not
// among them.
func (s *Session) Undecoded() (client, server int64) {
	return s.client.unknown(), s.server.unknown()
}

// Encrypted reports whether the connection went over to TLS.
func (s *Session) Encrypted() bool { return s.encrypted }

func (s *Session) seen(at tcp.Stamp) {
	if !s.any {
		s.any, s.began = true, at
	}
	s.last = at
}

// name takes the export's name.
func (s *Session) name(b []byte) {
	const most = 256 // B, as much as QEMU takes
	s.export, s.named = strings.ToValidUTF8(string(b[:min(len(b), most)]), "\ufffd"), true
}

// sized takes the export's size.
func (s *Session) sized(n uint64) {
	if n <= math.MaxInt64 {
		s.size = int64(n)
	}
}

// mostPayload is the longest payload of a request that is believed.
func (s *Session) mostPayload() uint64 { return max(maxPayload, min(uint64(s.sizes[2]), 4*maxPayload)) }

// replied notes which kind of reply the server uses.
func (s *Session) replied(r reply) {
	switch {
	case r.simple:
		s.simple = true
	case r.extended:
		s.extended = true
	default:
		s.structured = true
	}
}

// encrypt says that TLS begins.
func (s *Session) encrypt(by *half, offset int64, at tcp.Stamp) {
	s.client.encrypted, s.server.encrypted = true, true
	if s.encrypted {
		return
	}
	s.encrypted = true
	s.tellEncrypted(by, offset, at)
}
