package load

// An op is what a request asks.
type op uint8

const (
	opAsk  op = iota // a request of kind request
	opGet            // of key
	opSet            // of key
	opSize           // how many keys there are
)

// A request is 16 B: many may wait.
type request struct {
	due int64 // ns since the engine began
	key int32
	op  op
}

// A queue holds requests in order.
type queue struct {
	list []request
	head int
}

func (q *queue) len() int           { return len(q.list) - q.head }
func (q *queue) push(r request)     { q.list = append(q.list, r) }
func (q *queue) at(i int) request   { return q.list[q.head+i] }
func (q *queue) reset()             { q.list, q.head = q.list[:0], 0 }
func (q *queue) waiting() []request { return q.list[q.head:] }

func (q *queue) pop() request {
	r := q.list[q.head]
	q.head++
	if q.head > 1024 && q.head > len(q.list)/2 {
		q.list, q.head = q.list[:copy(q.list, q.list[q.head:])], 0
	}
	return r
}
