package tcp

import "time"

// Stats are what is known of one direction. "Of a vantage" is the greatest figure of any vantage: the vantage that is
// nearest to the sender sees the most, and adding them would count a packet once a vantage.
type Stats struct {
	Segments  int64 // 1, of a vantage: packets with payload
	Resent    int64 // B, of a vantage: payload that passed it before
	Reordered int64 // 1, of a vantage: segments with payload that had not passed it and that came behind a later one: delayed, or sent again after a loss before the vantage

	Bytes   int64 // B: given to Data
	Missing int64 // B: given to Gap, but for Cut. A hole of 2^32 B or more is told modulo 2^32
	Cut     int64 // B: given to Gap, because the snap length cut them off

	Before   int64 // B: behind offset 0 in time, before it in the stream; only if no SYN was seen
	Late     int64 // B: came when they had been given up as missing
	AfterEnd int64 // B: behind FIN or after the direction's end, repeats included
	Foreign  int64 // 1: packets whose sequence or acknowledgement number makes no sense here: ignored
	Probes   int64 // 1, of all vantages: keep-alives and zero-window probes
	Unseen   int64 // B: the other side acknowledged them before any payload of this direction was captured; they are in no Gap

	SYN, FIN, RST bool // was seen and was valid. SYN also if only its acknowledgement by SYN/ACK was seen

	First, Last Stamp // of the packets, with or without payload; zero if there was none
	LastData    Stamp // of the packet that brought the last new payload, as Data or a cut; zero if there was none
}

// A handshake measures the round trips that SYN, SYN/ACK and ACK show at one vantage.
type handshake struct {
	state             handshakeState
	client            Direction // who sent SYN
	vantage           int
	syn, reply, first int64  // ns
	want              uint32 // acknowledgement that completes the step
}

type handshakeState uint8

const (
	untouched handshakeState = iota
	asked                    // SYN
	answered                 // SYN/ACK
	complete                 // ACK
	unusable                 // a packet of it was sent twice or is missing: the answer cannot be attributed
)

// RoundTrip is the handshake's: server from SYN to SYN/ACK, which is the way between vantage and server and back,
// client from SYN/ACK to ACK, the way between vantage and client. Their sum is a whole round trip. It is not ok if a
// packet of the handshake is missing at the vantage that saw SYN first, or was sent twice (Karn's rule, RFC 6298).
func (c *Connection) RoundTrip() (server, client time.Duration, ok bool) {
	h := &c.handshake
	if h.state != complete {
		return 0, 0, false
	}
	return time.Duration(h.reply - h.syn), time.Duration(h.first - h.reply), true
}

// onSYN takes note of SYN or SYN/ACK.
func (h *handshake) onSYN(dir Direction, reply bool, seq, ack uint32, vantage int, at Stamp) {
	switch {
	case h.state == untouched && !reply:
		*h = handshake{state: asked, client: dir, vantage: vantage, syn: at.Time, want: seq + 1}
	case h.state == untouched:
		h.state = unusable
	case vantage != h.vantage || h.state == unusable || h.state == complete:
	case h.state == asked && reply && dir != h.client && ack == h.want:
		h.state, h.reply, h.want = answered, at.Time, seq+1
	default:
		h.state = unusable
	}
}

// onACK takes note of the client's first packet behind SYN.
func (h *handshake) onACK(dir Direction, ack uint32, vantage int, at Stamp) {
	if dir != h.client || vantage != h.vantage {
		return
	}
	h.state = unusable
	if ack == h.want {
		h.state, h.first = complete, at.Time
	}
}
