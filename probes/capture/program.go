package capture

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Scratch words of a program: the addresses and ports of the frame at hand.
const (
	wordSource      = 0  // 1 word (IPv4) or 4 (IPv6)
	wordDestination = 4  // likewise
	wordSourcePort  = 8  // and the destination's behind it
	wordNext        = 10 // IPv6: type of the header at X
	wordOther       = 11 // snap length by MAC; 0: no MAC matches
)

const (
	maxTags       = 2
	maxExtensions = 3 // IPv6 extension headers
)

// The comparisons, as tcpdump -d names them.
const (
	jeq  = bpf.JumpEqual
	jne  = bpf.JumpNotEqual
	jlt  = bpf.JumpLessThan
	jle  = bpf.JumpLessOrEqual
	jset = bpf.JumpBitsSet
)

// A writer writes the programs of a matcher.
type writer struct {
	assembly
	m    matcher
	miss label // nothing more can match
}

// ethernet writes the program for frames that begin with an Ethernet header.
func (w *writer) ethernet() {
	w.begin()
	short := w.label()
	w.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	w.when(jlt, ethernetSize, short, onward)
	w.macs()
	v4, v6 := w.label(), w.label()
	for tags := range maxTags + 1 {
		w.etherType(tags, v4, v6)
	}
	w.jump(w.miss)
	w.place(v4)
	w.ipv4()
	w.place(v6)
	w.ipv6()
	w.end()
	w.place(short)
	w.emit(bpf.RetConstant{Val: 0})
}

// rawIP writes the program for frames that begin with an IP header.
func (w *writer) rawIP() {
	w.begin()
	v4, v6 := w.label(), w.label()
	w.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: 0}, bpf.LoadExtension{Num: bpf.ExtLen})
	w.when(jlt, 1, w.miss, onward)
	w.emit(bpf.LoadAbsolute{Off: 0, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	w.when(jeq, 4, v4, onward)
	w.when(jeq, 6, v6, w.miss)
	w.place(v4)
	w.ipv4()
	w.place(v6)
	w.ipv6()
	w.end()
}

// begin says that no MAC matched yet. Linux wants each scratch word written before it is read.
func (w *writer) begin() {
	w.miss = w.label()
	w.emit(bpf.LoadConstant{Dst: bpf.RegA, Val: 0}, bpf.StoreScratch{Src: bpf.RegA, N: wordOther})
}

// end is where a frame goes that is none of a flow.
func (w *writer) end() {
	w.place(w.miss)
	w.emit(bpf.LoadScratch{Dst: bpf.RegA, N: wordOther}, bpf.RetA{})
}

const ethernetSize = 14

// macs notes the snap length if the frame is from or to one of the MACs.
func (w *writer) macs() {
	if len(w.m.macs) == 0 {
		return
	}
	hit, done := w.label(), w.label()
	for _, at := range []uint32{0, 6} { // receiver, sender
		for _, mac := range w.m.macs {
			other := w.label()
			w.emit(bpf.LoadAbsolute{Off: at + 2, Size: 4}) // the part in which they differ most
			w.when(jne, binary.BigEndian.Uint32(mac[2:]), other, onward)
			w.emit(bpf.LoadAbsolute{Off: at, Size: 2})
			w.when(jeq, uint32(binary.BigEndian.Uint16(mac[:])), hit, onward)
			w.place(other)
		}
	}
	w.jump(done)
	w.place(hit)
	w.emit(bpf.LoadConstant{Dst: bpf.RegA, Val: w.m.other}, bpf.StoreScratch{Src: bpf.RegA, N: wordOther})
	w.place(done)
}

// etherType looks behind a number of VLAN tags. X is the IP header at v4 and v6. It falls through at one more tag.
func (w *writer) etherType(tags int, v4, v6 label) {
	inner := uint32(ethernetSize + 4*tags)
	found4, found6, arp, more := w.label(), w.label(), w.label(), w.label()
	w.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	w.when(jlt, inner, w.miss, onward)
	w.emit(bpf.LoadAbsolute{Off: inner - 2, Size: 2})
	w.when(jeq, unix.ETH_P_IP, found4, onward)
	w.when(jeq, unix.ETH_P_IPV6, found6, onward)
	if w.m.arp {
		w.when(jeq, unix.ETH_P_ARP, arp, onward)
		w.when(jeq, unix.ETH_P_RARP, arp, onward)
	}
	w.when(jeq, unix.ETH_P_8021Q, more, onward)
	w.when(jeq, unix.ETH_P_8021AD, more, onward)
	w.when(jeq, unix.ETH_P_QINQ1, more, w.miss)
	w.place(found4)
	w.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: inner})
	w.jump(v4)
	w.place(found6)
	w.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: inner})
	w.jump(v6)
	if w.m.arp {
		w.place(arp)
		w.emit(bpf.RetConstant{Val: w.m.other})
	}
	w.place(more)
}

// need goes to miss if fewer than n bytes are left from X on: a load beyond the frame's end would refuse a frame that a
// MAC has matched.
func (w *writer) need(n uint32) {
	w.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	w.whenX(jlt, w.miss, onward)
	w.emit(bpf.ALUOpX{Op: bpf.ALUOpSub})
	w.when(jlt, n, w.miss, onward)
}

// keep copies size bytes at X+off to a scratch word.
func (w *writer) keep(off uint32, size, word int) {
	w.emit(bpf.LoadIndirect{Off: off, Size: size}, bpf.StoreScratch{Src: bpf.RegA, N: word})
}

// ipv4 looks at the header at X (RFC 791, section 3.1).
func (w *writer) ipv4() {
	w.need(20)
	w.emit(bpf.LoadIndirect{Off: 9, Size: 1})
	w.when(jne, unix.IPPROTO_TCP, w.miss, onward)
	w.emit(bpf.LoadIndirect{Off: 6, Size: 2})
	w.when(jset, 0x1fff, w.miss, onward) // fragment offset
	w.keep(12, 4, wordSource)
	w.keep(16, 4, wordDestination)
	w.emit(bpf.LoadIndirect{Off: 0, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	w.when(jlt, 20, w.miss, onward)
	w.emit(bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.TAX{})
	w.flows(func(g group) []netip.Addr { return g.v4 })
}

// ipv6 looks at the header at X and its extensions (RFC 8200, sections 3 and 4).
func (w *writer) ipv6() {
	w.need(40)
	for i := range 4 {
		w.keep(uint32(8+4*i), 4, wordSource+i)
		w.keep(uint32(24+4*i), 4, wordDestination+i)
	}
	w.keep(6, 1, wordNext)
	w.emit(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 40}, bpf.TAX{})
	tcp := w.label()
	for range maxExtensions {
		option, fragment, after := w.label(), w.label(), w.label()
		w.emit(bpf.LoadScratch{Dst: bpf.RegA, N: wordNext})
		w.when(jeq, unix.IPPROTO_TCP, tcp, onward)
		w.when(jeq, unix.IPPROTO_HOPOPTS, option, onward)
		w.when(jeq, unix.IPPROTO_ROUTING, option, onward)
		w.when(jeq, unix.IPPROTO_DSTOPTS, option, onward)
		w.when(jeq, unix.IPPROTO_FRAGMENT, fragment, w.miss)
		w.place(option)
		w.need(8)
		w.keep(0, 1, wordNext)
		w.emit(bpf.LoadIndirect{Off: 1, Size: 1}, // in units of 8 B, the first left out
			bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 3},
			bpf.ALUOpX{Op: bpf.ALUOpAdd}, bpf.TAX{})
		w.jump(after)
		w.place(fragment)
		w.need(8)
		w.emit(bpf.LoadIndirect{Off: 2, Size: 2})
		w.when(jset, 0xfff8, w.miss, onward) // fragment offset
		w.keep(0, 1, wordNext)
		w.emit(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 8}, bpf.TAX{})
		w.place(after)
	}
	w.emit(bpf.LoadScratch{Dst: bpf.RegA, N: wordNext})
	w.when(jne, unix.IPPROTO_TCP, w.miss, onward)
	w.place(tcp)
	w.flows(func(g group) []netip.Addr { return g.v6 })
}
