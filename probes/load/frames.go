package load

import "encoding/binary"

// frames is the protocol of kind request: length (4 bytes, big endian) and payload, both ways.
type frames struct {
	ask    []byte // a whole request
	answer int64  // B that an answer must have
}

func newFrames(ask, answer int) *frames {
	b := binary.BigEndian.AppendUint32(nil, uint32(ask))
	return &frames{ask: append(b, make([]byte, ask)...), answer: int64(answer)}
}

func (f *frames) append(to []byte, _ request) []byte { return append(to, f.ask...) }
func (f *frames) right(_ request, a answer) bool     { return a.size == f.answer }
func (f *frames) decoder() decoder                   { return &frameDecoder{} }

type frameDecoder struct {
	head [4]byte
	have int   // B of head
	left int64 // B of payload to come, once head is complete
	size int64
}

func (d *frameDecoder) next(b []byte) (used int, a answer, done bool, err error) {
	if d.have < len(d.head) {
		used = copy(d.head[d.have:], b)
		d.have += used
		if d.have < len(d.head) {
			return used, a, false, nil
		}
		d.size = int64(binary.BigEndian.Uint32(d.head[:]))
		d.left = d.size
	}
	n := min(d.left, int64(len(b)-used))
	d.left -= n
	used += int(n)
	if d.left > 0 {
		return used, a, false, nil
	}
	d.have = 0
	return used, answer{size: d.size}, true, nil
}
