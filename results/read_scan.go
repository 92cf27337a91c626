package results

import (
	"bytes"
	"strconv"
)

// Bounds of what a scanner remembers: records of one trial repeat few texts, and those that never repeat must not fill memory.
const (
	maxTexts = 1 << 14
	maxAttrs = 1 << 12
)

// A scanner scans lines in the one form that Attempt writes: fields in the order of Record, no spaces, no escapes, ASCII.
// Texts and attributes that repeat are kept once: the records share them.
type scanner struct {
	texts map[string]string
	attrs map[string]map[string]string // by their JSON
	rest  []byte
}

func newScanner() *scanner {
	return &scanner{texts: map[string]string{}, attrs: map[string]map[string]string{}}
}

// scan fills in r from a line without its end; false if the line is of another form, which says nothing about it.
func (s *scanner) scan(line []byte, r *Record) bool {
	s.rest = line
	if !s.skip(`{"t":`) || !s.time(&r.Time) ||
		!s.skip(`,"h":`) || !s.text(&r.Host) ||
		!s.skip(`,"s":`) || !s.text(&r.Source) ||
		!s.skip(`,"n":`) || !s.text(&r.Name) {
		return false
	}
	if s.skip(`,"v":`) && !s.value(&r.Value) {
		return false
	}
	if s.skip(`,"u":`) && !s.text((*string)(&r.Unit)) {
		return false
	}
	if s.skip(`,"a":`) && !s.attributes(&r.Attrs) {
		return false
	}
	return string(s.rest) == "}"
}

func (s *scanner) skip(prefix string) bool {
	if len(s.rest) < len(prefix) || string(s.rest[:len(prefix)]) != prefix {
		return false
	}
	s.rest = s.rest[len(prefix):]
	return true
}

// digits is how many of the bytes at the start are digits.
func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// maxDigits is of a whole number that surely fits an int64.
const maxDigits = 18

// whole scans a whole number from 0, as JSON writes it.
func (s *scanner) whole() (n int64, ok bool) {
	size := digits(s.rest)
	if size == 0 || size > maxDigits || size > 1 && s.rest[0] == '0' {
		return 0, false
	}
	for _, c := range s.rest[:size] {
		n = n*10 + int64(c-'0')
	}
	s.rest = s.rest[size:]
	return n, true
}

// time scans ns since 1970. They have 19 digits these centuries.
func (s *scanner) time(t *int64) bool {
	if size := digits(s.rest); size == maxDigits+1 && s.rest[0] != '0' {
		n, err := strconv.ParseInt(string(s.rest[:size]), 10, 64)
		*t, s.rest = n, s.rest[size:]
		return err == nil
	}
	n, ok := s.whole()
	*t = n
	return ok
}

// value scans a number of JSON, whose grammar is stricter than that of strconv.
func (s *scanner) value(v *float64) bool {
	b := s.rest
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	n := digits(b[i:])
	if n == 0 || n > 1 && b[i] == '0' {
		return false
	}
	i += n
	if i < len(b) && b[i] == '.' {
		n = digits(b[i+1:])
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		n = digits(b[i:])
		if n == 0 {
			return false
		}
		i += n
	}
	f, err := strconv.ParseFloat(string(b[:i]), 64)
	*v, s.rest = f, b[i:]
	return err == nil
}

// quoted scans a text of printable ASCII without escapes, and leaves it where it is.
func (s *scanner) quoted() (text []byte, ok bool) {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			text, s.rest = s.rest[1:i], s.rest[i+1:]
			return text, true
		case c < ' ' || c > '~' || c == '\\':
			return nil, false
		}
	}
	return nil, false
}

func (s *scanner) text(t *string) bool {
	b, ok := s.quoted()
	if ok {
		*t = s.keep(b)
	}
	return ok
}

// keep is the text, one copy of it for all records.
func (s *scanner) keep(b []byte) string {
	if t, ok := s.texts[string(b)]; ok {
		return t
	}
	t := string(b)
	if len(s.texts) < maxTexts {
		s.texts[t] = t
	}
	return t
}

// attributes scans attributes, of which there is at least one. They are the last field: where they end, the line does.
func (s *scanner) attributes(a *map[string]string) bool {
	if size := len(s.rest) - 1; size > 0 {
		if known, ok := s.attrs[string(s.rest[:size])]; ok {
			*a, s.rest = known, s.rest[size:]
			return true
		}
	}
	whole := s.rest
	if !s.skip("{") {
		return false
	}
	m := make(map[string]string, min(8, bytes.Count(whole, []byte(`":"`))))
	for {
		var key, value string
		if !s.text(&key) || !s.skip(":") || !s.text(&value) {
			return false
		}
		m[key] = value
		if s.skip("}") {
			break
		}
		if !s.skip(",") {
			return false
		}
	}
	*a = m
	if len(s.attrs) < maxAttrs {
		s.attrs[string(whole[:len(whole)-len(s.rest)])] = m
	}
	return true
}
