// Package tcp puts the payload of one TCP connection's packets into order.
package tcp

// A Stamp says when and where something passed.
type Stamp struct {
	Time   int64 // ns since the Unix epoch, when the kernel saw the packet
	Packet int64 // its number in the capture, from 1
}

// A Consumer takes one direction's bytes in order: each byte of the stream is in exactly one call of Data or Gap, and
// offsets grow without holes. Offset 0 is the first byte behind SYN or, if no SYN was seen, the first that was captured.
type Consumer interface {
	// Data gives bytes that begin at offset. They are valid until it returns. At is the packet that brought them first.
	Data(offset int64, data []byte, at Stamp)
	// Gap says that n bytes from offset on passed and are not in the capture: a lost packet, or one that was cut. At is
	// the packet that showed it.
	Gap(offset, n int64, at Stamp)
	// End is called once, last.
	End(how End, at Stamp)
}

// An End is how a direction ended.
type End string

// The ends of a direction.
const (
	Fin   End = "fin"   // FIN, and all bytes before it were given
	Reset End = "reset" // RST
	Cut   End = "cut"   // the capture ended before
)
