package capture

import (
	"virtscope/probes/capture/packet"

	"golang.org/x/sys/unix"
)

// links says how the frames of a kind of device begin (sll_hatype of packet(7); ARPHRD_… of linux/if_arp.h). A GRE
// tunnel shows its own header or not, depending on how it was set up (ipgre_tunnel_init of net/ipv4/ip_gre.c), so it is
// not among them.
var links = []struct {
	kind uint16
	link packet.Link
}{
	{unix.ARPHRD_ETHER, packet.Ethernet},
	{unix.ARPHRD_LOOPBACK, packet.Ethernet},
	{unix.ARPHRD_NONE, packet.RawIP}, // tun, WireGuard
	{unix.ARPHRD_PPP, packet.RawIP},
	{unix.ARPHRD_RAWIP, packet.RawIP},
	{unix.ARPHRD_TUNNEL, packet.RawIP},
	{unix.ARPHRD_TUNNEL6, packet.RawIP},
	{unix.ARPHRD_SIT, packet.RawIP},
}

// linkOf is how the frames of a kind of device begin.
func linkOf(kind uint16) packet.Link {
	for _, l := range links { // what is frequent comes first
		if l.kind == kind {
			return l.link
		}
	}
	return packet.Unsupported
}

// tagOf is the id of the VLAN tag that was taken off a frame (packet(7), struct tpacket_auxdata).
func tagOf(h *unix.Tpacket3Hdr) uint16 {
	if h.Status&unix.TP_STATUS_VLAN_VALID == 0 {
		return 0
	}
	return uint16(h.Hv1.Vlan_tci) & 0xfff
}
