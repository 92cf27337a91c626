package capture

import (
	"fmt"
	"unsafe"
	"virtscope/probes/capture/packet"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// filter is a socket filter that keeps the first snap bytes of each frame that comes in from an interface
// that is not excluded. Frames that go out are left out: a switch sees each frame at the port where it came in
// and again at every port where it leaves, and it must count once.
func filter(snap int, excluded []int) []bpf.Instruction {
	var a assembly
	refuse := a.label()
	a.incoming(refuse)
	a.exclude(excluded, refuse)
	a.emit(bpf.RetConstant{Val: uint32(snap)})
	a.place(refuse)
	a.emit(bpf.RetConstant{Val: 0})
	return a.encode()
}

// program is a socket filter for a matcher.
func (m matcher) program(d Direction, excluded []int) ([]bpf.Instruction, error) {
	w := writer{m: m}
	refuse, ethernet, raw := w.label(), w.label(), w.label()
	if d == Incoming {
		w.incoming(refuse)
	}
	w.exclude(excluded, refuse)
	if m.all {
		w.emit(bpf.RetConstant{Val: m.snap})
	} else {
		w.emit(bpf.LoadExtension{Num: bpf.ExtLinkLayerType})
		for _, l := range links {
			to := ethernet
			if l.link == packet.RawIP {
				to = raw
			}
			w.when(jeq, uint32(l.kind), to, onward)
		}
		w.jump(refuse)
		w.place(ethernet)
		w.ethernet()
		w.place(raw)
		w.rawIP()
	}
	w.place(refuse)
	w.emit(bpf.RetConstant{Val: 0})
	return w.build()
}

// incoming refuses what this machine sends.
func (a *assembly) incoming(refuse label) {
	a.emit(bpf.LoadExtension{Num: bpf.ExtType})
	a.when(jeq, unix.PACKET_OUTGOING, refuse, onward)
}

// exclude refuses the frames of some interfaces.
func (a *assembly) exclude(indexes []int, refuse label) {
	if len(indexes) == 0 {
		return
	}
	a.emit(bpf.LoadExtension{Num: bpf.ExtInterfaceIndex})
	for _, index := range indexes {
		a.when(jeq, uint32(index), refuse, onward)
	}
}

// nothing is a filter that lets nothing pass.
func nothing() []bpf.Instruction { return []bpf.Instruction{bpf.RetConstant{Val: 0}} }

// attach replaces the socket's filter at once: no frame sees neither.
func attach(fd int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assemble socket filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: unsafe.SliceData(code)}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("attach socket filter of %d instructions: %w", len(code), err)
	}
	return nil
}
