package file

import "virtscope/probes/capture/packet"

// linkOf maps a link type of a file (tcpdump.org/linktypes.html; 12 and 14 are DLT_RAW of some systems).
func linkOf(number uint32) packet.Link {
	switch number {
	case 1:
		return packet.Ethernet
	case 113:
		return packet.Cooked1
	case 276:
		return packet.Cooked2
	case 12, 14, 101, 228, 229:
		return packet.RawIP
	case 0, 108:
		return packet.Null
	}
	return packet.Unsupported
}
