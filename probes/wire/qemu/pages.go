package qemu

import "virtscope/probes/wire/tcp"

// A walker reads page records of one channel: the main one, or the preempt channel.
type walker struct {
	m     *Migration
	s     *stream
	self  tcp.Consumer
	block *block // of the record before
	count int    // epochs so far, as this channel tells
	acct  int64  // offset up to which stream bytes are booked in epochs
	wait  pageKey
	waits bool // wait's contents are passing
}

// An outcome of reading page records.
type outcome int

const (
	moreBytes outcome = iota // need bytes are wanted
	consumed                 // n bytes make records; go on
	special                  // a record that is no page stands at the begin
	nonsense                 // no record stands there
)

// pages reads as many page records from b as it holds. It jumps over contents without touching them.
func (w *walker) pages(b []byte) (n, need int, out outcome) {
	size := w.m.ledger.size
	for n < len(b) {
		r, need, ok := readRecord(b[n:], size)
		if !ok || need > 0 || !r.isPage() {
			if n > 0 {
				return n, 0, consumed
			}
			switch {
			case !ok:
				return 0, 0, nonsense
			case need > 0:
				return 0, need, moreBytes
			}
			return 0, 0, special
		}
		if !w.take(&r, n, size) {
			if n > 0 {
				return n, 0, consumed
			}
			return 0, 0, nonsense
		}
		n += r.head
		if r.body > int64(len(b)-n) {
			w.s.skip = r.body
			return n, 0, consumed
		}
		n += int(r.body)
		if w.waits {
			w.passed(w.s.stamp(n - 1))
		}
	}
	return n, 0, consumed
}

// take counts the record at byte n. False: its block is not known, or it is not in it.
func (w *walker) take(r *record, n int, size int64) bool {
	m := w.m
	switch {
	case r.name != nil:
		b := m.ledger.blocks.find(r.name)
		if b == nil {
			return false
		}
		w.block = b
	case w.block == nil && m.ledger.blocks.told && !m.ledger.lost:
		return false
	case w.block == nil || w.block.anyOf:
		w.block = m.ledger.blocks.only(r.offset)
	}
	b := w.block
	if b.length > 0 && r.offset >= b.length {
		return false
	}
	page := r.offset / size
	at := w.s.stamp(n)
	m.ledger.page(b, page, r.kind, int64(r.head)+r.body, w.count, at)
	if r.kind == kindCompressed {
		m.ledger.ordered = false // threads put their pages out of order
	}
	if r.body > 0 && m.config.Content != nil {
		m.config.Content(w.self, w.s.off+int64(n)+int64(r.head), r.body)
	}
	if m.faults.waiting > 0 {
		key := pageKey{b.index, page}
		if m.faults.asked(key) {
			w.wait, w.waits = key, true
			if r.body == 0 {
				w.passed(w.s.stamp(n + r.head - 1))
			}
		}
	}
	return true
}

// passed says that the contents of a page that was asked for have passed.
func (w *walker) passed(at tcp.Stamp) {
	if !w.waits {
		return
	}
	w.waits = false
	w.m.faults.answer(w.wait, at)
}

// book counts the stream's bytes up to offset as the current epoch's.
func (w *walker) book(offset int64) {
	if offset > w.acct {
		w.m.ledger.epoch(w.count + w.m.ledger.bias).sums.stream += offset - w.acct
	}
	w.acct = offset
}

// next begins the channel's next epoch at offset.
func (w *walker) next(offset int64) {
	w.book(offset)
	w.count++
}
