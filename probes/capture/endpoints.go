package capture

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/net/bpf"
)

// flows looks for a flow with the ports at X and the addresses in the scratch words, and ends the program.
func (w *writer) flows(addrs func(group) []netip.Addr) {
	w.need(4)
	w.keep(0, 2, wordSourcePort)
	w.keep(2, 2, wordSourcePort+1)
	for _, g := range w.m.groups {
		list := addrs(g)
		if !g.any && len(list) == 0 {
			continue
		}
		hit, done := w.label(), w.label()
		for side, word := range []int{wordSource, wordDestination} {
			other := w.label()
			w.ports(g.ports, wordSourcePort+side, other)
			if g.any {
				w.jump(hit)
			} else {
				w.addrs(list, 0, word, hit, other)
			}
			w.place(other)
		}
		w.jump(done)
		w.place(hit)
		w.give(g.snap)
		w.place(done)
	}
	w.jump(w.miss)
}

// ports goes to other if the port in a scratch word is none of list.
func (w *writer) ports(list []uint16, word int, other label) {
	if len(list) == 0 {
		return
	}
	w.emit(bpf.LoadScratch{Dst: bpf.RegA, N: word})
	one := w.label()
	for _, p := range list {
		w.when(jeq, uint32(p), one, onward)
	}
	w.jump(other)
	w.place(one)
}

// addrs goes to hit if the address that begins in a scratch word is one of list, whose addresses are alike down to that
// word, and else to other. Addresses that begin alike share the comparisons of what they have in common.
func (w *writer) addrs(list []netip.Addr, offset, word int, hit, other label) {
	w.emit(bpf.LoadScratch{Dst: bpf.RegA, N: word})
	for len(list) > 0 {
		value := wordOf(list[0], offset)
		n := slices.IndexFunc(list, func(a netip.Addr) bool { return wordOf(a, offset) != value })
		if n < 0 {
			n = len(list)
		}
		same := list[:n]
		list = list[n:]
		if 8*(offset+4) == same[0].BitLen() {
			w.when(jeq, value, hit, onward)
			continue
		}
		differs := w.label()
		w.when(jne, value, differs, onward)
		w.addrs(same, offset+4, word+1, hit, other)
		w.place(differs)
	}
	w.jump(other)
}

// wordOf is 4 bytes of an address.
func wordOf(a netip.Addr, offset int) uint32 { return binary.BigEndian.Uint32(a.AsSlice()[offset:]) }

// give returns snap, or what a MAC's match wants if that is more.
func (w *writer) give(snap uint32) {
	other := w.label()
	w.emit(bpf.LoadConstant{Dst: bpf.RegX, Val: snap}, bpf.LoadScratch{Dst: bpf.RegA, N: wordOther})
	w.whenX(jle, other, onward)
	w.emit(bpf.RetA{})
	w.place(other)
	w.emit(bpf.TXA{}, bpf.RetA{})
}
