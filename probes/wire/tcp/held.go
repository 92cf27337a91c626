package tcp

import (
	"cmp"
	"slices"
)

// A piece is a part of a segment.
type piece struct {
	offset int64
	length int64  // B that passed
	data   []byte // of them, what was captured: the first ones
	at     Stamp
}

func (p *piece) end() int64 { return p.offset + p.length }

// drop takes n bytes off the front.
func (p *piece) drop(n int64) {
	p.offset += n
	p.length -= n
	p.data = p.data[min(n, int64(len(p.data))):]
}

// head is the first n bytes.
func (p *piece) head(n int64) piece {
	return piece{p.offset, n, p.data[:min(n, int64(len(p.data)))], p.at}
}

// A waiting is a piece behind a hole, in a block of its own.
type waiting struct {
	piece
	block []byte // whole; data is a part of it
	given int64  // how many bytes of the direction had been given when it came
}

// A queue holds disjoint pieces by their offset, in at most limit bytes of blocks.
type queue struct {
	pool  *Pool
	limit int
	size  int // B of blocks
	list  []waiting
}

// store copies a piece that overlaps none in the queue. It is false when there is no room.
func (q *queue) store(p piece, given int64) bool {
	size := smallest << class(len(p.data))
	if q.size+size > q.limit {
		return false
	}
	block := q.pool.get(len(p.data))
	if block == nil {
		return false
	}
	q.size += len(block)
	p.data = block[:copy(block, p.data)]
	q.list = slices.Insert(q.list, q.after(p.offset), waiting{p, block, given})
	return true
}

// after is the index of the first piece that ends behind offset.
func (q *queue) after(offset int64) int {
	if n := len(q.list); n > 0 && q.list[n-1].end() <= offset {
		return n
	}
	i, _ := slices.BinarySearchFunc(q.list, offset+1, func(w waiting, end int64) int { return cmp.Compare(w.end(), end) })
	return i
}

// cut takes out what lies behind offset, and returns how many bytes that were.
func (q *queue) cut(offset int64) (n int64) {
	i := q.after(offset)
	for k := i; k < len(q.list); k++ {
		w := &q.list[k]
		if w.offset < offset {
			n += w.end() - offset
			w.piece = w.head(offset - w.offset)
			i++
			continue
		}
		n += w.length
	}
	q.remove(i, len(q.list))
	return n
}

// remove takes pieces i up to j out and gives their blocks back.
func (q *queue) remove(i, j int) {
	for _, w := range q.list[i:j] {
		q.size -= len(w.block)
		q.pool.put(w.block)
	}
	q.list = slices.Delete(q.list, i, j)
}
