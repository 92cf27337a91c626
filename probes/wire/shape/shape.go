package shape

import (
	"net/netip"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// Config says what is inferred from. The zero value works; records then tell no stream and no host.
type Config struct {
	Stream    string         // attr "stream" of all records: "1", "2", …
	Host      string         // the vantage whose clock stamps packets
	Client    netip.AddrPort // the source host
	Server    netip.AddrPort // the destination host
	Encrypted bool           // by TLS; else the format is unknown, and record headers are not looked for
}

// An Inference watches the connections of one migration. It belongs to one goroutine, and its memory does not grow with
// them: up to 200 KiB, and 1 KiB a connection.
type Inference struct {
	conf     Config
	rec      results.Recorder
	forward  []*stream
	reverse  []*stream
	siblings int
	begun    bool
	begin    tcp.Stamp // the first byte of either direction
	last     tcp.Stamp // the last one
	sent     tcp.Stamp // the last forward byte
	volume   volume
	gaps     gaps
	memory   memory
	answered instant // content of the destination passed, after the first pages had
	guest    guest
	ended    bool
}

// New makes an Inference that gives its records to rec at End.
func New(c Config, rec results.Recorder) *Inference { return &Inference{conf: c, rec: rec} }

// Forward takes what the source host sends on one connection. A migration of several connections (multifd) calls it, and
// Reverse, once for each.
func (i *Inference) Forward() tcp.Consumer {
	s := &stream{inference: i, forward: true, records: records{on: i.conf.Encrypted}}
	i.forward = append(i.forward, s)
	return s
}

// Reverse takes what the destination host sends.
func (i *Inference) Reverse() tcp.Consumer {
	s := &stream{inference: i, records: records{on: i.conf.Encrypted, hello: &hello{}}}
	i.reverse = append(i.reverse, s)
	return s
}

// Siblings says that n other connections that cannot be decoded went between the same hosts meanwhile and were not given to
// Forward. The close of this one then shows nothing of the destination: multifd channels are closed before it runs.
func (i *Inference) Siblings(n int) { i.siblings = n }

// Guest takes a sign of the guest that migrates, and of no other: kind is frame, rarp or garp, port the switch port or host
// where it came from, not where it was forwarded to. Signs may come in any order and late, until End. Needed are the last
// frame from the source and all that is known from the destination; more do no harm.
func (i *Inference) Guest(kind, port string, at tcp.Stamp) { i.guest.sign(kind, port, at) }

// Sniff reports whether a client's first bytes begin a TLS handshake (RFC 8446, section 5.1). It wants 6 bytes, and judges
// fewer by what there is.
func Sniff(prefix []byte) bool {
	if len(prefix) < 3 || prefix[0] != typeHandshake || prefix[1] != 3 || prefix[2] > 4 {
		return false
	}
	return len(prefix) < 6 || prefix[5] == clientHello
}

// passed counts bytes of either direction.
func (i *Inference) passed(s *stream, n int64, at tcp.Stamp) {
	if !i.begun {
		i.begun, i.begin = true, at
		i.volume.begin = at.Time
	}
	if at.Time >= i.last.Time {
		i.last = at
	}
	if !s.forward {
		return
	}
	i.volume.add(at.Time, n)
	i.gaps.packet(at)
	if at.Time >= i.sent.Time {
		i.sent = at
	}
	i.guest.sent(at)
}
