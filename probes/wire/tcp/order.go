package tcp

// patience is how many bytes may be given before a piece that waits: more than any window in use. A piece that waits longer
// carries a wrong sequence number, and what comes in its place is right.
const patience = 64 << 20

// give gives a piece that begins at the next offset.
func (d *half) give(p piece) {
	d.stats.LastData = p.at
	if n := int64(len(p.data)); n > 0 {
		d.consumer.Data(d.next, p.data, p.at)
		d.next += n
		d.stats.Bytes += n
	}
	if cut := p.end() - d.next; cut > 0 {
		d.consumer.Gap(d.next, cut, p.at)
		d.next += cut
		d.stats.Cut += cut
	}
}

// place gives what it can of a piece and keeps the rest. Of bytes that it shares with a piece that waits, the first to
// come are given.
func (d *half) place(p piece) {
	for p.length > 0 {
		if p.offset < d.next {
			p.drop(min(p.length, d.next-p.offset))
			continue
		}
		i, n := d.queue.after(p.offset), p.length
		if i < len(d.queue.list) {
			w := &d.queue.list[i]
			if w.offset < p.end() && d.stats.Bytes-w.given > patience {
				d.queue.remove(i, i+1)
				d.stats.Foreign++
				continue
			}
			if w.offset <= p.offset {
				p.drop(min(p.length, w.end()-p.offset))
				continue
			}
			n = min(n, w.offset-p.offset)
		}
		if p.offset == d.next {
			d.give(p.head(n))
			d.flush()
			continue
		}
		if !d.queue.store(p.head(n), d.stats.Bytes) {
			d.skip(p.offset, p.at)
			continue
		}
		p.drop(n)
	}
}

// flush gives the waiting pieces that have come to their turn.
func (d *half) flush() {
	k := 0
	for k < len(d.queue.list) && d.queue.list[k].offset == d.next {
		w := &d.queue.list[k]
		if d.stats.Bytes-w.given > patience {
			d.stats.Foreign++
			k++
			break
		}
		d.give(w.piece)
		k++
	}
	if k > 0 {
		d.queue.remove(0, k)
	}
}

// skip gives up the first hole, which ends at offset at the latest.
func (d *half) skip(offset int64, at Stamp) {
	if len(d.queue.list) > 0 {
		offset = min(offset, d.queue.list[0].offset)
	}
	d.lose(offset-d.next, at)
	d.flush()
}

// lose gives n bytes up.
func (d *half) lose(n int64, at Stamp) {
	if n <= 0 {
		return
	}
	d.consumer.Gap(d.next, n, at)
	d.next += n
	d.stats.Missing += n
}

// dropFar takes out the pieces at the tail that a wrong sequence number may have put there: behind a hole wider than
// any window in use, and acknowledged by nobody.
func (d *half) dropFar(acked int64) {
	last := d.next
	for i := range d.queue.list {
		w := &d.queue.list[i]
		if w.offset-last > patience && w.offset >= acked {
			d.stats.Foreign += int64(len(d.queue.list) - i)
			d.queue.remove(i, len(d.queue.list))
			return
		}
		last = w.end()
	}
}

// reach gives all that waits below offset, and gives the holes up.
func (d *half) reach(offset int64, at Stamp) {
	for d.next < offset {
		d.skip(offset, at)
	}
}

// end ends the direction.
func (d *half) end(how End, at Stamp) {
	if d.ended {
		return
	}
	last := d.next
	if d.doubt.stands() && !d.loneByte() {
		last = max(last, d.doubt.high)
	}
	d.dropFar(last)
	if n := len(d.queue.list); n > 0 {
		last = max(last, d.queue.list[n-1].end())
	}
	if d.limit != none {
		last = d.limit
		if how == Cut {
			how, at = Fin, d.fin
		}
	}
	d.ended = true
	d.reach(last, at)
	d.limit, d.doubt.on = d.next, false
	d.consumer.End(how, at)
}
