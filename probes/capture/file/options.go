package file

import "strings"

// options calls f for each option of a block.
func (n *ng) options(b []byte, f func(code uint16, value []byte)) error {
	for len(b) >= 4 {
		code, length := n.u16(b), int(n.u16(b[2:]))
		if code == 0 {
			return nil
		}
		if length > len(b)-4 {
			return n.damage("option %d claims %d bytes and its block has %d left", code, length, len(b)-4)
		}
		f(code, b[4:4+length])
		b = b[min(len(b), 4+(length+3)&^3):]
	}
	return nil
}

// text is a string of the file; a longer one than any interface has is cut.
func text(b []byte) string {
	const longest = 256
	s := strings.ToValidUTF8(string(b[:min(len(b), longest)]), "\ufffd")
	return strings.TrimRight(s, "\x00")
}
