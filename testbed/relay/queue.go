package relay

// alignment of frames in a queue: also what the shortest takes.
const alignment = 64

// A queue holds frames until they are due, in memory of a fixed size. Frames lie in it in the order of arrival, round and
// round; they leave in the order in which they are due, those that are due at once in the order of arrival.
type queue struct {
	memory  []byte
	head    int   // where the next frame goes
	tail    int   // where the oldest frame that is still held begins
	longest int   // what room must be contiguous for a read
	held    int64 // B between tail and head, with what was skipped at the end

	frames []frame // a ring of those from the oldest that is held on, by arrival
	first  uint64  // number of the oldest
	next   uint64  // number of the next to come
	heap   []key   // those that are held, by when they are due
}

type frame struct {
	offset, length int
	space          int // B that it takes, with what was skipped before it
	gone           bool
}

type key struct {
	due    int64 // ns
	number uint64
}

func (a key) before(b key) bool { return a.due < b.due || a.due == b.due && a.number < b.number }

func newQueue(size int64, longest int) *queue {
	return &queue{memory: make([]byte, size/alignment*alignment), longest: longest, frames: make([]frame, 256)}
}

// room is where the next frame may be put, nil while there is none. It is the longest frame's or longer.
func (q *queue) room() []byte {
	if q.held == 0 {
		q.head, q.tail = 0, 0
	}
	switch {
	case q.wrapped():
		if q.tail-q.head < q.longest {
			return nil
		}
		return q.memory[q.head:q.tail]
	case len(q.memory)-q.head >= q.longest:
		return q.memory[q.head:]
	case q.tail >= q.longest:
		return q.memory[:q.tail]
	default:
		return nil
	}
}

// wrapped is whether what is free lies between head and tail.
func (q *queue) wrapped() bool { return q.held > 0 && q.head <= q.tail }

// push takes the frame of n bytes that was put into room.
func (q *queue) push(n int, due int64) {
	space, offset := round(n), q.head
	if !q.wrapped() && len(q.memory)-q.head < q.longest {
		space, offset = space+len(q.memory)-q.head, 0 // the end was skipped
	}
	if q.next-q.first == uint64(len(q.frames)) {
		q.grow()
	}
	q.frames[q.next&uint64(len(q.frames)-1)] = frame{offset: offset, length: n, space: space}
	q.head = offset + round(n)
	q.held += int64(space)
	q.up(key{due, q.next})
	q.next++
}

// round is what n bytes take: never nothing.
func round(n int) int { return max(alignment, (n+alignment-1)/alignment*alignment) }

// due is when the next frame is due; false without one.
func (q *queue) due() (int64, bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].due, true
}

// bytes is the frame that is due next. It is valid until pop.
func (q *queue) bytes() []byte {
	f := q.frames[q.heap[0].number&uint64(len(q.frames)-1)]
	return q.memory[f.offset : f.offset+f.length]
}

// pop forgets the frame that is due next. Its memory is free once all older ones have left.
func (q *queue) pop() {
	mask := uint64(len(q.frames) - 1)
	q.frames[q.heap[0].number&mask].gone = true
	q.down()
	for q.first < q.next && q.frames[q.first&mask].gone {
		f := q.frames[q.first&mask]
		q.held -= int64(f.space)
		q.tail = f.offset + round(f.length)
		q.first++
	}
}

// grow doubles the ring, whose length is a power of two.
func (q *queue) grow() {
	old := q.frames
	q.frames = make([]frame, 2*len(old))
	for n := q.first; n < q.next; n++ {
		q.frames[n&uint64(len(q.frames)-1)] = old[n&uint64(len(old)-1)]
	}
}

// up puts a key into the heap. (container/heap would allocate for each.)
func (q *queue) up(k key) {
	q.heap = append(q.heap, k)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !k.before(q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = k
}

// down removes the first key of the heap.
func (q *queue) down() {
	last := len(q.heap) - 1
	k := q.heap[last]
	q.heap = q.heap[:last]
	if last == 0 {
		return
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && q.heap[child+1].before(q.heap[child]) {
			child++
		}
		if !q.heap[child].before(k) {
			break
		}
		q.heap[i] = q.heap[child]
		i = child
	}
	q.heap[i] = k
}
