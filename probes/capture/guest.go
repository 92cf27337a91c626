package capture

import (
	"bytes"
	"net"
	"slices"
	"virtscope/results"

	"github.com/google/gopacket/layers"
)

// guest finds the frames of one guest.
type guest struct {
	mac   []byte
	emit  func(results.Record)
	ports *ports
}

func newGuest(mac net.HardwareAddr, ports *ports, emit func(results.Record)) *guest {
	return &guest{mac: slices.Clone(mac), ports: ports, emit: emit}
}

// observe records what a decoded frame says of the guest.
func (g *guest) observe(d *decoder, f Frame) {
	port := g.ports.of(f.Interface)
	if bytes.Equal(d.eth.SrcMAC, g.mac) {
		g.emit(results.Record{
			Time: f.Time, Name: results.GuestFrame, Value: float64(f.Length), Unit: results.Bytes, Attrs: port.frame,
		})
	}
	if d.kind != isARP || !bytes.Equal(d.arp.SourceHwAddress, g.mac) {
		return
	}
	switch {
	case d.ethertype == etherTypeRARP: // as QEMU announces a migrated guest (net/announce.c)
		g.emit(results.Record{Time: f.Time, Name: results.GuestAnnounce, Attrs: port.rarp})
	case d.gratuitous():
		g.emit(results.Record{Time: f.Time, Name: results.GuestAnnounce, Attrs: port.garp})
	}
}

// gratuitous reports whether the frame is gratuitous ARP: a sender that asks for, or answers with, its own
// address (RFC 5227, section 3), or a reply that nobody asked for, to all.
func (d *decoder) gratuitous() bool {
	if d.arp.Operation != layers.ARPRequest && d.arp.Operation != layers.ARPReply {
		return false
	}
	own := bytes.Equal(d.arp.SourceProtAddress, d.arp.DstProtAddress)
	toAll := d.eth.DstMAC[0]&1 == 1 // broadcast or multicast
	return own || d.arp.Operation == layers.ARPReply && toAll
}
