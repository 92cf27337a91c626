package nbd

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A log keeps records.
type log []results.Record

func (l *log) Record(r results.Record) { *l = append(*l, r) }

// value is the sum of the records of a name whose attributes are those given, and how many there are.
func (l log) value(name string, attrs ...string) (sum float64, n int) {
	for _, r := range l {
		match := r.Name == name
		for i := 0; i+1 < len(attrs); i += 2 {
			match = match && r.Attrs[attrs[i]] == attrs[i+1]
		}
		if match {
			sum += r.Value
			n++
		}
	}
	return sum, n
}

// A piece is a call that a consumer got.
type piece struct {
	toServer bool
	offset   int64
	data     []byte
	gap      int64
	how      tcp.End // not empty: the direction's end
	at       tcp.Stamp
}

// A recorder keeps what the consumers of a connection get.
type recorder struct {
	list     *[]piece
	toServer bool
}

func (r recorder) Data(offset int64, data []byte, at tcp.Stamp) {
	*r.list = append(*r.list, piece{toServer: r.toServer, offset: offset, data: slices.Clone(data), at: at})
}

func (r recorder) Gap(offset, n int64, at tcp.Stamp) {
	*r.list = append(*r.list, piece{toServer: r.toServer, offset: offset, gap: n, at: at})
}

func (r recorder) End(how tcp.End, at tcp.Stamp) {
	*r.list = append(*r.list, piece{toServer: r.toServer, how: how, at: at})
}

// pieces reads a capture of connections to NBD's port, one list a connection.
func pieces(t testing.TB, name string) [][]piece {
	t.Helper()
	f, err := file.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type conn struct {
		*tcp.Connection
		list *[]piece
	}
	var all []conn
	byPort := map[uint16]conn{}
	var at tcp.Stamp
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at = tcp.Stamp{Time: frame.Time, Packet: at.Packet + 1}
		var p packet.Packet
		if err := p.Decode(frame.Link, frame.Data, frame.Length); err != nil || p.Kind != packet.TCP {
			continue
		}
		dir, port := tcp.Forward, p.Src.Port()
		if port == 10809 {
			dir, port = tcp.Reverse, p.Dst.Port()
		}
		c, ok := byPort[port]
		if !ok {
			list := new([]piece)
			c = conn{tcp.New(recorder{list, true}, recorder{list, false}, tcp.Options{}), list}
			byPort[port] = c
			all = append(all, c)
		}
		c.Packet(dir, &p, 0, at)
	}
	var lists [][]piece
	for _, c := range all {
		c.End(at)
		lists = append(lists, *c.list)
	}
	return lists
}

// decode gives pieces to a session.
func decode(list []piece) (*Session, log) {
	var l log
	s := New(Config{Stream: "1", Host: "sw"}, &l)
	at := tcp.Stamp{}
	for _, p := range list {
		at = p.at
		to := s.Client()
		if !p.toServer {
			to = s.Server()
		}
		switch {
		case p.how != "":
			to.End(p.how, p.at)
		case p.gap > 0:
			to.Gap(p.offset, p.gap, p.at)
		default:
			to.Data(p.offset, p.data, p.at)
		}
	}
	s.End(at)
	return s, l
}
