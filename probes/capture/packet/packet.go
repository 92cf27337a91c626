// Package packet takes frames apart: link header, VLAN tags, ARP, IPv4, IPv6, TCP and UDP.
package packet

import "net/netip"

// A Link is how a frame begins.
type Link uint8

// The link types that Decode knows. The zero value is Ethernet.
const (
	Ethernet    Link = iota
	Cooked1          // Linux cooked capture, version 1 (LINKTYPE_LINUX_SLL)
	Cooked2          // Linux cooked capture, version 2 (LINKTYPE_LINUX_SLL2)
	RawIP            // begins with the IP header
	Null             // BSD loopback: a 4 B address family in either byte order
	Unsupported      // anything else: Decode understands nothing of it
)

// A MAC is an Ethernet address; the zero value is none.
type MAC [6]byte

// A Kind is how far a frame was understood.
type Kind uint8

// The kinds of frames.
const (
	Other Kind = iota // nothing that matters here: only the link fields are valid
	ARP               // ARP or RARP for Ethernet and IPv4: fields ARP… are valid
	TCP               // Src, Dst, Seq, Ack, Flags, Window, Options, Payload, PayloadLength, ID are valid
	UDP               // Src, Dst, Payload, PayloadLength, ID are valid
	GRE               // a tunnel, see Inner: Src and Dst (with port 0), Payload, PayloadLength, ID are valid
)

// A Flags is the flags byte of a TCP header.
type Flags uint8

// TCP flags (RFC 9293, section 3.1).
const (
	FlagFIN Flags = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
	FlagURG
)

// A Packet is a decoded frame. It is reused: Decode sets every field that its Kind makes valid.
type Packet struct {
	Kind      Kind
	SrcMAC    MAC    // zero where the link has none
	DstMAC    MAC    // zero where the link has none: cooked captures keep only the sender's
	VLAN      uint16 // outermost VLAN id, 0 is none
	EtherType uint16 // behind the VLAN tags

	Reverse   bool   // RARP
	Operation uint16 // Request, Reply, or RARP's 3 and 4
	SenderMAC MAC
	TargetMAC MAC
	SenderIP  netip.Addr
	TargetIP  netip.Addr

	Src, Dst      netip.AddrPort
	Seq, Ack      uint32
	Flags         Flags
	Window        uint16 // not scaled
	Options       []byte // TCP options, of them what was captured; a part of the frame
	Payload       []byte // of it, what was captured; a part of the frame
	PayloadLength int    // B that passed; at least len(Payload)
	ID            uint16 // IPv4 identification, 0 in IPv6; valid with TCP, UDP and GRE
}
