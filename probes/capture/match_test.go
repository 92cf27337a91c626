package capture

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"virtscope/probes/capture/packet"

	"golang.org/x/net/bpf"
)

// machine runs a filter's program for one kind of link.
func machine(tb testing.TB, f Filter, snap int, link packet.Link) *bpf.VM {
	tb.Helper()
	m, err := f.check(snap)
	must(tb, err)
	w := writer{m: m}
	switch {
	case m.all:
		w.emit(bpf.RetConstant{Val: m.snap})
	case link == packet.RawIP:
		w.rawIP()
	default:
		w.ethernet()
	}
	program, err := w.build()
	must(tb, err)
	vm, err := bpf.NewVM(program)
	must(tb, err)
	return vm
}

func agree(tb testing.TB, vm *bpf.VM, f Filter, snap int, link packet.Link, frame []byte) (matched bool) {
	tb.Helper()
	got, err := vm.Run(frame)
	if err != nil {
		tb.Fatalf("filter %+v, frame %x: %v", f, frame, err)
	}
	if want := expected(f, snap, link, frame); uint32(got) != want {
		tb.Fatalf("filter %+v, snap %d, link %d, frame %x: captured %d B, want %d", f, snap, link, frame, got, want)
	}
	return got != 0
}

func TestFilterAgreesWithPredicate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	matched, missed := 0, 0
	for range 1500 {
		f, snap := randomFilter(r), pick(r, 0, 0, 100, 200)
		for _, link := range []packet.Link{packet.Ethernet, packet.RawIP} {
			vm := machine(t, f, snap, link)
			for range 60 {
				d := randomDraft(r)
				d.link = link
				if agree(t, vm, f, snap, link, d.build()) {
					matched++
				} else {
					missed++
				}
			}
		}
	}
	if matched < 20_000 || missed < 20_000 {
		t.Errorf("%d frames matched and %d did not: the frames are too much alike to show anything", matched, missed)
	}
}

// What a filter is for, spelt out.
func TestFilterCases(t *testing.T) {
	host, peer := netip.MustParseAddrPort("10.0.0.2:4444"), netip.MustParseAddrPort("10.0.0.1:50000")
	host6, peer6 := netip.MustParseAddrPort("[fd00::2]:4444"), netip.MustParseAddrPort("[fd00::1]:50000")
	guest := packet.MAC{2, 0, 0, 0, 0, 9}
	f := Filter{
		Flows: []FlowMatch{{Addr: host.Addr(), Ports: []uint16{4444}}, {Addr: host6.Addr(), Snap: 256}, {Ports: []uint16{22}, Snap: 80}},
		MACs:  []net.HardwareAddr{guest[:]}, ARP: true, Snap: 192,
	}
	v4 := draft{etherType: 0x800, protocol: 6, from: peer, to: host, cut: -1}
	v6 := draft{etherType: 0x86dd, protocol: 6, from: peer6, to: host6, cut: -1}
	for name, c := range map[string]struct {
		change func(*draft)
		from   draft
		want   uint32
	}{
		"to the host":   {func(*draft) {}, v4, unlimited},
		"from the host": {func(d *draft) { d.from, d.to = d.to, d.from }, v4, unlimited},
		"other port":    {func(d *draft) { d.to = netip.MustParseAddrPort("10.0.0.2:4445") }, v4, 0},
		"host as client's port": {func(d *draft) {
			d.from = netip.MustParseAddrPort("10.0.0.1:4444")
			d.to = netip.MustParseAddrPort("10.0.0.2:1")
		}, v4, 0},
		"UDP":                     {func(d *draft) { d.protocol = 17 }, v4, 0},
		"one tag":                 {func(d *draft) { d.tags = []uint16{0x8100} }, v4, unlimited},
		"two tags":                {func(d *draft) { d.tags = []uint16{0x88a8, 0x8100} }, v4, unlimited},
		"IPv4 options":            {func(d *draft) { d.options = 10 }, v4, unlimited},
		"first fragment":          {func(d *draft) { d.fragment = 0x2000 }, v4, unlimited},
		"later fragment":          {func(d *draft) { d.fragment = 0x20b9 }, v4, 0},
		"any port":                {func(*draft) {}, v6, 256},
		"jumbo option of BIG TCP": {func(d *draft) { d.extensions = []byte{0} }, v6, 256},
		"IPv6 later fragment":     {func(d *draft) { d.extensions = []byte{44}; d.fragment = 1 }, v6, 0},
		"any host":                {func(d *draft) { d.to = netip.MustParseAddrPort("10.9.9.9:22") }, v4, 80},
		"guest sends":             {func(d *draft) { d.src, d.protocol = guest, 17 }, v4, 192},
		"guest receives":          {func(d *draft) { d.dst, d.etherType = guest, 0x88b5 }, v4, 192},
		"guest over ssh":          {func(d *draft) { d.dst = guest; d.to = netip.MustParseAddrPort("10.9.9.9:22") }, v4, 192},
		"guest migrates":          {func(d *draft) { d.dst = guest }, v4, unlimited},
		"guest, cut in IP":        {func(d *draft) { d.dst, d.cut = guest, 20 }, v4, 192},
		"guest, cut in tag":       {func(d *draft) { d.dst, d.cut, d.tags = guest, 15, []uint16{0x8100} }, v4, 192},
		"ARP":                     {func(d *draft) { d.etherType = 0x806 }, v4, 192},
		"RARP behind a tag":       {func(d *draft) { d.etherType, d.tags = 0x8035, []uint16{0x8100} }, v4, 192},
	} {
		t.Run(name, func(t *testing.T) {
			c.change(&c.from)
			frame := c.from.build()
			got, err := machine(t, f, 0, packet.Ethernet).Run(frame)
			must(t, err)
			if uint32(got) != c.want {
				t.Errorf("captured %d B, want %d", got, c.want)
			}
			agree(t, machine(t, f, 0, packet.Ethernet), f, 0, packet.Ethernet, frame)
		})
	}
}

// Long lists need jumps over more than 255 instructions.
func TestFilterOfManyFlows(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var f Filter
	for i := range 150 {
		f.Flows = append(f.Flows,
			FlowMatch{Addr: netip.AddrFrom4([4]byte{10, 0, byte(i), 2}), Ports: []uint16{4444, 49152}},
			FlowMatch{Addr: netip.AddrFrom16([16]byte{0xfd, 14: byte(i), 15: 2}), Ports: []uint16{4444, 49152}})
	}
	ports := FlowMatch{Snap: 300}
	for i := range 400 {
		ports.Ports = append(ports.Ports, uint16(1000+i))
	}
	f.Flows = append(f.Flows, ports)
	for i := range 60 {
		f.MACs = append(f.MACs, net.HardwareAddr{2, 0, 0, 0, 1, byte(i)})
	}
	vm := machine(t, f, 0, packet.Ethernet)
	matched := 0
	for range 5000 {
		d := draft{etherType: 0x800, protocol: 6, cut: -1, dst: packet.MAC{2, 0, 0, 0, 1, byte(r.IntN(100))}}
		port := func() uint16 { return pick(r, 4444, uint16(990+r.IntN(500))) }
		d.from = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(256)), 2}), port())
		d.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(256)), 2}), port())
		if r.IntN(2) == 0 {
			d.etherType = 0x86dd
			d.from = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 14: byte(r.IntN(256)), 15: 2}), port())
			d.to = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 14: byte(r.IntN(256)), 15: 2}), port())
		}
		if agree(t, vm, f, 0, packet.Ethernet, d.build()) {
			matched++
		}
	}
	if matched < 1000 || matched > 4900 {
		t.Errorf("%d of 5000 frames matched: they show nothing", matched)
	}
}

func TestFilterIsRefused(t *testing.T) {
	many := Filter{}
	for i := range 9000 {
		many.Flows = append(many.Flows, FlowMatch{Addr: netip.AddrFrom16([16]byte{0xfd, 14: byte(i >> 8), 15: byte(i)})})
	}
	for want, f := range map[string]Filter{
		"4096": many, "6 B": {MACs: []net.HardwareAddr{{1, 2, 3}}}, "snap length": {Flows: []FlowMatch{{Snap: -1}}},
	} {
		m, err := f.check(0)
		if err == nil {
			_, err = m.program(Both, nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}

// A branch that just reaches and one that just does not.
func TestAssemblyReaches(t *testing.T) {
	for _, distance := range []int{0, 1, 254, 255, 256, 257, 600} {
		for value, want := range map[uint32]int{1: 11, 2: 22} {
			var a assembly
			yes, no := a.label(), a.label()
			a.emit(bpf.LoadConstant{Dst: bpf.RegA, Val: value})
			a.when(jeq, 1, yes, no)
			for range distance {
				a.emit(bpf.RetConstant{Val: 99})
			}
			a.place(yes)
			a.emit(bpf.RetConstant{Val: 11})
			a.place(no)
			a.emit(bpf.RetConstant{Val: 22})
			program, err := a.build()
			must(t, err)
			vm, err := bpf.NewVM(program)
			must(t, err)
			if got, err := vm.Run([]byte{0}); err != nil || got != want {
				t.Errorf("distance %d, value %d: got %d, %v, want %d", distance, value, got, err, want)
			}
		}
	}
}

// FuzzFilter: no frame makes a program fail, or disagree with the predicate.
func FuzzFilter(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 40 {
		f.Add(uint64(i), randomDraft(r).build())
	}
	f.Fuzz(func(t *testing.T, seed uint64, frame []byte) {
		r := rand.New(rand.NewPCG(seed, 0))
		filter, snap, link := randomFilter(r), pick(r, 0, 100), pick(r, packet.Ethernet, packet.RawIP)
		agree(t, machine(t, filter, snap, link), filter, snap, link, frame)
	})
}
