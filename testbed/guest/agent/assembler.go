package agent

import (
	"bytes"
	"encoding/json"
	"time"
)

const (
	maxLine = 1 << 20 // B, of one message

	// quiet is how long a connection must be silent before its last, unfinished line counts as all that
	// will come of it. Joined too early, a number could lose the digits that were still under way.
	quiet = 100 * time.Millisecond
)

// An assembler turns the bytes of several connections into messages. A guest that migrates may begin a line
// on the source's connection and end it on the destination's. The two are read by two goroutines, so the
// end may be seen before the beginning: a connection's first line that is no message by itself is kept
// until a beginning fits.
type assembler struct {
	streams []*stream
	message func(m *Message, arrival time.Time, from string)
	cut     func(line []byte, arrival time.Time, from string) // the end of a line that began before anybody listened
	garbage func(line []byte, arrival time.Time, from string)
}

// A stream is one connection's state.
type stream struct {
	from    string
	tail    []byte // the line that has not ended
	skip    bool   // it is too long and is thrown away
	begun   bool   // a line has ended
	ended   bool   // no more bytes will come
	arrival time.Time

	waiting       bool // orphan is the first line, perhaps empty, and may be the end of another's tail
	orphan        []byte
	orphanArrival time.Time
}

func (a *assembler) open(from string) *stream {
	s := &stream{from: from}
	a.streams = append(a.streams, s)
	return s
}

// feed takes bytes as they arrived on a connection.
func (a *assembler) feed(s *stream, data []byte, arrival time.Time) {
	s.arrival = arrival
	for len(data) > 0 {
		part, rest, lineEnds := bytes.Cut(data, []byte{'\n'})
		data = rest
		if !s.skip {
			s.tail = append(s.tail, part...)
		}
		if len(s.tail) > maxLine {
			a.garbage(s.tail[:maxLine], arrival, s.from)
			s.tail, s.skip = nil, true
		}
		if !lineEnds {
			break
		}
		if !s.skip {
			a.line(s)
		}
		s.tail, s.skip, s.begun = s.tail[:0], false, true
	}
	a.join(arrival)
}

// end says that no more bytes will come.
func (a *assembler) end(s *stream, now time.Time) {
	s.ended = true
	a.join(now)
}

// line takes s.tail as a whole line.
func (a *assembler) line(s *stream) {
	if m, ok := parse(s.tail); ok {
		a.message(m, s.arrival, s.from)
		return
	}
	if !s.begun && len(a.streams) > 1 {
		s.waiting, s.orphan, s.orphanArrival = true, bytes.Clone(s.tail), s.arrival
		return
	}
	switch {
	case len(bytes.TrimSpace(s.tail)) == 0:
	case !s.begun && isEnd(s.tail):
		a.cut(s.tail, s.arrival, s.from)
	default:
		a.garbage(s.tail, s.arrival, s.from)
	}
}

// isEnd reports whether a line that is no message may be the end of one: a guest that was saved goes on in the middle of a line
// that another connection began.
func isEnd(line []byte) bool { return bytes.HasSuffix(bytes.TrimSpace(line), []byte{'}'}) }

// join looks for a beginning to each orphan among the unfinished lines of connections that fell silent.
func (a *assembler) join(now time.Time) {
	for _, s := range a.streams {
		if !s.waiting {
			continue
		}
		for _, other := range a.streams {
			silent := other.ended || now.Sub(other.arrival) >= quiet
			if other == s || !silent || len(other.tail) == 0 || len(other.tail)+len(s.orphan) > maxLine {
				continue
			}
			m, ok := parse(append(bytes.Clone(other.tail), s.orphan...))
			if !ok {
				continue
			}
			other.tail = nil
			s.waiting, s.orphan = false, nil
			a.message(m, s.orphanArrival, s.from)
			break
		}
	}
}

// flush gives up on every line that has not become whole.
func (a *assembler) flush(now time.Time) {
	for _, s := range a.streams {
		s.ended = true
	}
	a.join(now)
	for _, s := range a.streams {
		for _, rest := range [][]byte{s.orphan, s.tail} {
			if len(bytes.TrimSpace(rest)) > 0 {
				a.garbage(rest, s.arrival, s.from)
			}
		}
	}
	a.streams = nil
}

// parse decodes a line that is one message: a JSON object with nothing around it.
func parse(line []byte) (*Message, bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' || line[len(line)-1] != '}' {
		return nil, false
	}
	m := new(Message)
	if json.Unmarshal(line, m) != nil {
		return nil, false
	}
	return m, true
}
