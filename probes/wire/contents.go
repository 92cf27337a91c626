package wire

import (
	"net/netip"
	"sort"
	"virtscope/probes/wire/tcp"
)

// Contents are where one direction of a connection carries the contents of memory pages, so that a tool can blank them.
type Contents struct {
	Src, Dst    netip.AddrPort
	First, Last int64  // numbers of the connection's first and last packet
	Base        uint32 // sequence number of the stream's byte 0
	Spans       []Span // in order, and apart
}

// A Span is the bytes of a stream from From on and before To.
type Span struct{ From, To int64 }

// Blank overwrites with zeros what lies in the spans of data, which begins at offset, and returns how many bytes did.
func (c *Contents) Blank(offset int64, data []byte) (blanked int) {
	end := offset + int64(len(data))
	i := sort.Search(len(c.Spans), func(i int) bool { return c.Spans[i].To > offset })
	for ; i < len(c.Spans) && c.Spans[i].From < end; i++ {
		from, to := max(c.Spans[i].From, offset), min(c.Spans[i].To, end)
		clear(data[from-offset : to-offset])
		blanked += int(to - from)
	}
	return blanked
}

func (c *Contents) add(offset, n int64) {
	if last := len(c.Spans) - 1; last >= 0 && c.Spans[last].To == offset {
		c.Spans[last].To += n
		return
	}
	c.Spans = append(c.Spans, Span{offset, offset + n})
}

// Contents are those of all connections, once End was called; nil unless Config.Contents is set. They grow with the
// capture: some 16 B a page.
func (s *Session) Contents() []*Contents { return s.contents }

// content takes what a decoder says of the pages that come.
func (m *migration) content(consumer tcp.Consumer, offset, n int64) {
	for _, c := range m.connections {
		for _, to := range []*sniffer{c.toServer, c.toClient} {
			if to.to == consumer {
				to.contents().add(offset, n)
				return
			}
		}
	}
}

// contents are those of a direction.
func (s *sniffer) contents() *Contents {
	if s.content != nil {
		return s.content
	}
	c := s.conn
	s.content = &Contents{Src: c.client, Dst: c.server, First: c.began.Packet}
	if s == c.toClient {
		s.content.Src, s.content.Dst = c.server, c.client
	}
	c.session.contents = append(c.session.contents, s.content)
	return s.content
}
