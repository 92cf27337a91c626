package tcp

// Blocks are 2 KiB << class: a segment of Ethernet's size fills the smallest, and BIG TCP's largest (512 KiB) fits.
const (
	smallest = 2 << 10
	classes  = 9
)

// A Pool lends the blocks in which segments wait that came out of order. Blocks that are given back are lent again, so
// a pool makes no garbage once it has grown. It is for one goroutine.
type Pool struct {
	limit, made int // B
	free        [classes][][]byte
}

// NewPool makes a Pool that never holds more than limit bytes, lent and free ones together.
func NewPool(limit int) *Pool { return &Pool{limit: limit} }

// class is the class of blocks that hold n bytes, and classes if none does.
func class(n int) int {
	k := 0
	for k < classes && n > smallest<<k {
		k++
	}
	return k
}

// get lends a block of at least n bytes; it is nil when the pool is exhausted or n is too much.
func (p *Pool) get(n int) []byte {
	k := class(n)
	if k == classes {
		return nil
	}
	if free := p.free[k]; len(free) > 0 {
		p.free[k] = free[:len(free)-1]
		return free[len(free)-1]
	}
	size := smallest << k
	if !p.shrink(p.limit - size) {
		return nil
	}
	p.made += size
	return make([]byte, size)
}

// put takes a block back.
func (p *Pool) put(block []byte) {
	k := class(len(block))
	p.free[k] = append(p.free[k], block)
}

// shrink drops free blocks, largest first, until the pool holds no more than limit bytes.
func (p *Pool) shrink(limit int) bool {
	for k := classes - 1; k >= 0 && p.made > limit; k-- {
		for len(p.free[k]) > 0 && p.made > limit {
			last := len(p.free[k]) - 1
			p.free[k][last] = nil
			p.free[k] = p.free[k][:last]
			p.made -= smallest << k
		}
	}
	return p.made <= limit
}
