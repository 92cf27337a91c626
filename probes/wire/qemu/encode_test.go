package qemu

import (
	"encoding/binary"
	"strings"
	"testing"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// An encoder writes a stream as QEMU does.
type encoder struct {
	b     []byte
	block string
}

func (e *encoder) raw(b ...byte) *encoder { e.b = append(e.b, b...); return e }
func (e *encoder) be16(v uint16) *encoder { e.b = binary.BigEndian.AppendUint16(e.b, v); return e }
func (e *encoder) be32(v uint32) *encoder { e.b = binary.BigEndian.AppendUint32(e.b, v); return e }
func (e *encoder) be64(v uint64) *encoder { e.b = binary.BigEndian.AppendUint64(e.b, v); return e }
func (e *encoder) str(s string) *encoder  { return e.raw(byte(len(s))).raw([]byte(s)...) }
func (e *encoder) head() *encoder         { return e.be32(fileMagic).be32(3) }
func (e *encoder) footer(id uint32) *encoder {
	return e.raw(sectionFooter).be32(id)
}

func (e *encoder) machine(name string) *encoder {
	return e.raw(sectionConfiguration).be32(uint32(len(name))).raw([]byte(name)...)
}

func (e *encoder) section(kind byte, id uint32, name string) *encoder {
	e.raw(kind).be32(id)
	if kind == sectionStart || kind == sectionFull {
		version := uint32(1)
		if name == "ram" {
			version = 4
		}
		e.str(name).be32(0).be32(version)
	}
	return e
}

func (e *encoder) eos(id uint32) *encoder { return e.be64(flagEOS).footer(id) }

func (e *encoder) record(block string, offset uint64, flag uint64) *encoder {
	if e.block == block {
		return e.be64(offset | flag | flagContinue)
	}
	e.block = block
	return e.be64(offset | flag).str(block)
}

func (e *encoder) page(block string, number int) *encoder {
	e.record(block, uint64(number)*4096, flagPage)
	return e.raw([]byte(strings.Repeat("\x7e\x00\x00\x00\x02", 820))[:4096]...)
}

func (e *encoder) zero(block string, number int) *encoder {
	return e.record(block, uint64(number)*4096, flagZero).raw(0)
}

func (e *encoder) command(n uint16, data ...byte) *encoder {
	return e.raw(sectionCommand).be16(n).be16(uint16(len(data))).raw(data...)
}

const (
	testRAM  = "pc.ram"
	testBIOS = "pc.bios"
)

// setup writes a stream up to its first pages: 1024 pages of RAM, 16 of BIOS.
func setup() *encoder {
	e := new(encoder).head().machine("pc-q35-10.0")
	e.section(sectionStart, 2, "ram").be64(1040*4096 | flagMemSize)
	return e.str(testRAM).be64(1024 * 4096).str(testBIOS).be64(16 * 4096).eos(2)
}

// finish writes what follows the last pages.
func (e *encoder) finish() *encoder {
	e.section(sectionFull, 3, "timer").raw(1, 2, 3, 0x7e, 0, 0, 0, 3, 9).footer(3)
	e.section(sectionFull, 4, "cpu").raw(make([]byte, 100)...).footer(4)
	json := `{"devices":[{"name":"timer","instance_id":0,"vmsd_name":"timer","fields":[{"name":"a","size":3,"array_len":3}]},` +
		`{"name":"cpu","instance_id":0,"vmsd_name":"cpu","fields":[{"name":"a","size":80}],"subsections":[{"vmsd_name":"cpu/sub","fields":[{"size":7}]}]}]}`
	return e.raw(sectionEOF).raw(sectionVMDescription).be32(uint32(len(json))).raw([]byte(json)...)
}

// precopy is a whole stream: two rounds and the stop.
func precopy() []byte {
	e := setup()
	e.section(sectionPart, 2, "")
	for i := range 600 {
		if i%3 == 0 {
			e.zero(testRAM, i)
		} else {
			e.page(testRAM, i)
		}
	}
	e.eos(2).section(sectionPart, 2, "")
	for i := 600; i < 1024; i++ {
		e.page(testRAM, i)
	}
	for i := range 16 {
		e.zero(testBIOS, i)
	}
	e.eos(2).section(sectionPart, 2, "")
	for i := 10; i < 60; i++ {
		e.page(testRAM, i)
	}
	e.eos(2).section(sectionEnd, 2, "")
	for i := 20; i < 30; i++ {
		e.page(testRAM, i)
	}
	return e.eos(2).finish().b
}

// A log keeps records.
type log struct{ records []results.Record }

func (l *log) Record(r results.Record) { l.records = append(l.records, r) }

func (l *log) find(name string, attrs ...string) (found []results.Record) {
	for _, r := range l.records {
		ok := r.Name == name
		for i := 0; i+1 < len(attrs); i += 2 {
			ok = ok && r.Attrs[attrs[i]] == attrs[i+1]
		}
		if ok {
			found = append(found, r)
		}
	}
	return found
}

// stampAt is the packet of a byte: packets of 1448 B, one a ms.
func stampAt(offset int64) tcp.Stamp {
	n := offset/1448 + 1
	return tcp.Stamp{Time: n * 1e6, Packet: n}
}

// feed gives data as packets, each cut as cut says.
func feed(c tcp.Consumer, data []byte, cut func(n int) int) {
	for at := 0; at < len(data); {
		packet := min(len(data), (at/1448+1)*1448)
		n := min(max(cut(packet-at), 1), packet-at)
		c.Data(int64(at), data[at:at+n], stampAt(int64(at)))
		at += n
	}
	c.End(tcp.Fin, stampAt(int64(len(data))))
}

func whole(n int) int { return n }

// decode decodes a main channel.
func decode(t testing.TB, data []byte, cut func(int) int) (*Migration, *log) {
	t.Helper()
	l := &log{}
	m := New(Config{Stream: "1", Host: "tap"}, l)
	feed(m.Main(), data, cut)
	m.End(stampAt(int64(len(data))))
	return m, l
}
