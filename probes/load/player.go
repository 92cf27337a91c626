package load

// A player plays a stream as it comes, on paper. It waits until it holds buffer of it, and plays on by the clock. What was
// lost while it has more to play is skipped over: a picture fails and the film goes on. When it has nothing left it stalls,
// goes on with what comes next, and plays again once it holds buffer of that.
//
// All times are in ns; the stream's own count from anywhere.
type player struct {
	buffer int64
	stall  func(begin, long int64)

	first   int64 // when it first played; 0 is never
	begun   bool
	playing bool
	since   int64 // playing: since when
	from    int64 // playing: from which place of the stream on; else: where it will
	have    int64 // the stream is here up to this place
	dry     int64 // not playing: since when there is nothing to play; 0 before it first played
	skip    bool  // what comes next is where it goes on
}

// arrive is called with each datagram, in order of arrival: where in the stream it begins, and how long it plays.
func (p *player) arrive(at, place, long int64) {
	p.look(at)
	if !p.begun || p.skip {
		p.begun, p.skip = true, false
		p.from, p.have = place, place
	}
	p.have = max(p.have, place+long)
	if p.playing || p.have-p.from < max(p.buffer, 1) {
		return
	}
	if p.dry != 0 {
		p.stall(p.dry, at-p.dry)
	}
	p.playing, p.since = true, at
	if p.first == 0 {
		p.first = at
	}
}

// look finds whether it ran dry by now.
func (p *player) look(now int64) {
	if end := p.since + p.have - p.from; p.playing && end < now {
		p.playing, p.dry, p.skip = false, end, true
	}
}

// stalled is since when it has nothing to play, as of now; ok is false if it plays, or never did.
func (p *player) stalled(now int64) (since int64, ok bool) {
	p.look(now)
	return p.dry, !p.playing && p.dry != 0
}
