package capture

import (
	"net"
	"virtscope/probes/capture/packet"
	"virtscope/results"
)

// guest finds the frames of one guest.
type guest struct {
	mac   packet.MAC
	emit  func(results.Record)
	ports *ports
}

func newGuest(mac net.HardwareAddr, ports *ports, emit func(results.Record)) *guest {
	g := &guest{ports: ports, emit: emit}
	copy(g.mac[:], mac)
	return g
}

// observe records what a decoded frame says of the guest.
func (g *guest) observe(p *packet.Packet, f Frame) {
	port := g.ports.of(f.Interface)
	if p.SrcMAC == g.mac {
		g.emit(results.Record{
			Time: f.Time, Name: results.GuestFrame, Value: float64(f.Length), Unit: results.Bytes, Attrs: port.frame,
		})
	}
	if p.Kind != packet.ARP || p.SenderMAC != g.mac {
		return
	}
	switch {
	case p.Reverse: // as QEMU announces a migrated guest (net/announce.c)
		g.emit(results.Record{Time: f.Time, Name: results.GuestAnnounce, Attrs: port.rarp})
	case p.Gratuitous():
		g.emit(results.Record{Time: f.Time, Name: results.GuestAnnounce, Attrs: port.garp})
	}
}
