// Package qemu decodes the migration streams of QEMU, passively and while they pass.
//
// It is written after migration/ram.c, savevm.c, multifd.c and migration.c of QEMU 7.2 to 10.1. All numbers are big
// endian. A stream is: magic, version, an optional configuration, then sections (section.go); a section of RAM holds page
// records (page.go). Extra channels carry packets of pages (multifd.go), and the way back carries requests (return.go).
//
// Page contents are never looked at, and the page path allocates nothing.
package qemu

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"virtscope/probes/wire/tcp"
)

// Config says which migration is decoded. The zero value works; records then tell no stream and no host.
type Config struct {
	Stream string         // attr "stream" of all records: "1", "2", …
	Host   string         // the vantage whose clock stamps packets
	Client netip.AddrPort // the source host
	Server netip.AddrPort // the destination host

	// DowntimeLimit is the source's parameter downtime-limit in s, which the stream does not tell; 0 is QEMU's default of
	// 0.3 s. It only moves the estimated begin of rounds within their bounds.
	DowntimeLimit float64

	// Content, if not nil, is told once of every run of page contents, before they pass: n bytes from offset on in the stream
	// that consumer takes. What is in them changes no record, so that a tool can blank them in a capture.
	Content func(consumer tcp.Consumer, offset, n int64)
}

// A Channel is what a connection's first bytes say that it is.
type Channel int

// The channels that Sniff tells apart.
const (
	Unknown Channel = iota
	More            // too few bytes to say
	MainChannel
	MultifdChannel
)

const (
	fileMagic    = 0x5145564d // "QEVM"
	multifdMagic = 0x11223344
)

// Sniff tells what begins with prefix. The post-copy preempt channel has no mark of its own and is Unknown.
func Sniff(prefix []byte) Channel {
	var want [4]byte
	for magic, channel := range map[uint32]Channel{fileMagic: MainChannel, multifdMagic: MultifdChannel} {
		binary.BigEndian.PutUint32(want[:], magic)
		n := min(len(prefix), 4)
		if string(prefix[:n]) != string(want[:n]) {
			continue
		}
		if n < 4 {
			return More
		}
		return channel
	}
	return Unknown
}

// PlausibleMultifd reports whether data, cut from anywhere in a connection, holds the head of a multifd packet.
func PlausibleMultifd(data []byte) bool {
	c := &multifdChannel{}
	for {
		i := bytes.Index(data, packetBegin)
		if i < 0 || len(data) < i+packetFixed {
			return false
		}
		data = data[i:]
		if p := readPacket(data); c.sane(&p) {
			return true
		}
		data = data[1:]
	}
}

// Plausible reports whether data, cut from anywhere in a connection, holds three page records in a row, as the middle of a
// QEMU stream does. Random data does so with a chance below 1e-9 per MB. It wants three pages (12 KiB) to see normal pages.
func Plausible(data []byte) bool {
	look := looker{pageSize: defaultPage}
	for i := range data {
		if verdict, _ := look.chain(data[i:]); verdict == yes {
			return true
		}
	}
	return false
}
