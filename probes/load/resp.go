package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// resp is RESP 2 (redis.io/docs/reference/protocol-spec), as far as GET, SET and DBSIZE need it.
type resp struct {
	size   int    // B of a value
	pool   []byte // random bytes, from which values are cut: what a guest stores shall not compress
	random *rand.Rand
}

func newResp(size int, seed uint64) *resp {
	r := &resp{size: size, random: rand.New(rand.NewPCG(seed, 3)), pool: make([]byte, size+1<<16)}
	for i := range r.pool {
		r.pool[i] = byte(r.random.Uint32())
	}
	return r
}

func (p *resp) append(to []byte, r request) []byte {
	switch r.op {
	case opSize:
		return append(to, "*1\r\n$6\r\nDBSIZE\r\n"...)
	case opGet:
		return appendKey(append(to, "*2\r\n$3\r\nGET\r\n"...), r.key)
	}
	to = appendKey(append(to, "*3\r\n$3\r\nSET\r\n"...), r.key)
	to = strconv.AppendInt(append(to, '$'), int64(p.size), 10)
	at := p.random.IntN(len(p.pool) - p.size)
	to = append(append(to, "\r\n"...), p.pool[at:at+p.size]...)
	return append(to, "\r\n"...)
}

// appendKey adds a key as redis-benchmark names it: "key:" and 12 digits.
func appendKey(to []byte, key int32) []byte {
	to = append(to, "$16\r\nkey:000000000000\r\n"...)
	for i := len(to) - 3; key > 0; i, key = i-1, key/10 {
		to[i] = '0' + byte(key%10)
	}
	return to
}

func (p *resp) right(r request, a answer) bool {
	switch r.op {
	case opSize:
		return a.kind == ':'
	case opGet:
		return a.kind == '$' && a.size == int64(p.size)
	}
	return a.kind == '+'
}

func (p *resp) decoder() decoder { return &respDecoder{} }

const (
	longestLine  = 64 << 10
	longestValue = 512 << 20 // as Redis limits it (proto-max-bulk-len)
	longestText  = 200
)

type respDecoder struct {
	line []byte // the begin of a line whose end has not come
	left int64  // B of a bulk string to come, its line end included
	bulk answer
	last [2]byte // of what came of it
}

func (d *respDecoder) next(b []byte) (used int, a answer, done bool, err error) {
	if d.left > 0 {
		return d.value(b)
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		d.line = append(d.line, b...)
		if len(d.line) > longestLine {
			return 0, a, false, fmt.Errorf("read answer: a line of more than %d B", longestLine)
		}
		return len(b), a, false, nil
	}
	line := b[:end+1]
	if len(d.line) > 0 {
		d.line = append(d.line, line...)
		line = d.line
		d.line = d.line[:0]
	}
	if a, err = parseLine(line); err != nil {
		return 0, a, false, err
	}
	if a.kind != '$' || a.size < 0 {
		return end + 1, a, true, nil
	}
	d.bulk, d.left = a, a.size+2
	if end+1 == len(b) {
		return len(b), answer{}, false, nil
	}
	used, a, done, err = d.value(b[end+1:])
	return used + end + 1, a, done, err
}

// value skips a bulk string.
func (d *respDecoder) value(b []byte) (used int, a answer, done bool, err error) {
	n := int(min(d.left, int64(len(b))))
	d.left -= int64(n)
	if n == 1 {
		d.last = [2]byte{d.last[1], b[0]}
	} else {
		d.last = [2]byte(b[n-2 : n])
	}
	if d.left > 0 {
		return n, a, false, nil
	}
	if d.last != [2]byte{'\r', '\n'} {
		return 0, a, false, fmt.Errorf("read answer: a value of %d B does not end with its line", d.bulk.size)
	}
	return n, d.bulk, true, nil
}

// parseLine reads a whole line.
func parseLine(line []byte) (answer, error) {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || len(text) == 0 {
		return answer{}, fmt.Errorf("read answer: %q is no line of RESP", cut(line))
	}
	a := answer{kind: text[0]}
	switch a.kind {
	case '+', '-':
		a.text = string(cut(text[1:]))
		return a, nil
	case ':', '$':
		n, err := strconv.ParseInt(string(cut(text[1:])), 10, 64)
		if err != nil || a.kind == '$' && (n < -1 || n > longestValue) {
			return answer{}, fmt.Errorf("read answer: %q holds no size", cut(line))
		}
		a.size = n
		return a, nil
	}
	return answer{}, fmt.Errorf("read answer: %q is of no type that was asked for", cut(line))
}

func cut(b []byte) []byte { return b[:min(len(b), longestText)] }
