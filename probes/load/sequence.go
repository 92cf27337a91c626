package load

// A hole is numbers that have not come.
type hole struct {
	from, to uint64 // to is not part of it
	seen     int64  // ns: when the first one after them came
}

// A sequence finds what is missing of numbers that count up.
type sequence struct {
	begun                 bool
	next                  uint64
	holes                 []hole // in order
	count, late, repeated int64
}

// take notes that a number came; it is false if it came before, or is of before the first.
func (s *sequence) take(n uint64, at int64) bool {
	switch {
	case !s.begun:
		s.begun, s.next = true, n
	case n > s.next:
		s.holes = append(s.holes, hole{s.next, n, at})
	case n < s.next:
		if !s.fill(n) {
			s.repeated++
			return false
		}
		s.late++
		s.count++
		return true
	}
	s.next = n + 1
	s.count++
	return true
}

// fill takes a number out of its hole.
func (s *sequence) fill(n uint64) bool {
	for i := len(s.holes) - 1; i >= 0 && s.holes[i].to > n; i-- {
		h := s.holes[i]
		if n < h.from {
			continue
		}
		rest := make([]hole, 0, 2)
		if h.from < n {
			rest = append(rest, hole{h.from, n, h.seen})
		}
		if n+1 < h.to {
			rest = append(rest, hole{n + 1, h.to, h.seen})
		}
		s.holes = append(s.holes[:i], append(rest, s.holes[i+1:]...)...)
		return true
	}
	return false
}

// restart is for a sender that counts from another number on.
func (s *sequence) restart() { s.begun = false }
