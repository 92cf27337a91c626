package qemu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A Device is one device's state in the stream.
type Device struct {
	Name     string
	Instance uint32
	Bytes    int64 // with its section's head and footer
	Checked  bool  // the stream's own description of the devices gives the same
}

// maxDevices bounds what is kept of a garbled stream.
const maxDevices = 1 << 14

// stepState passes state that tells no length, up to its section's footer: the section's own id behind a mark, and behind
// them something that may follow a section.
func (c *mainChannel) stepState(b []byte) (n, need int) {
	if c.footless {
		c.blind(c.from, c.fromAt, fmt.Sprintf("this machine type sends no footers, so that the state of %q has no end", c.open.name))
		return c.step(b)
	}
	i := bytes.IndexByte(b, sectionFooter)
	if i < 0 {
		return len(b), 0
	}
	if i > 0 {
		return i, 0
	}
	v, need := footer(b, c.open.id)
	switch v {
	case undecided:
		return 0, need
	case no:
		return 1, 0
	}
	c.footers = true
	c.deviceEnds(c.off+5, c.stamp(4))
	return 5, 0
}

// deviceEnds ends a section of state before offset.
func (c *mainChannel) deviceEnds(offset int64, at tcp.Stamp) {
	c.mode = modeSection
	if c.kind != sectionFull {
		return
	}
	d := Device{Name: c.open.name, Instance: c.open.instance, Bytes: offset - c.from}
	if len(c.m.devices) < maxDevices {
		c.m.devices = append(c.m.devices, d)
	}
	c.m.record(at, results.WireDevice, float64(d.Bytes), results.Bytes,
		"device", d.Name, "instance", strconv.FormatUint(uint64(d.Instance), 10))
}

// maxJSON bounds the description: QEMU's are some 100 KB.
const maxJSON = 16 << 20

// describe begins the description of the devices' state.
func (c *mainChannel) describe(b []byte) (n, need int) {
	size := binary.BigEndian.Uint32(b[1:])
	if size > maxJSON {
		return c.garbled(fmt.Sprintf("a description of %d B is not believed", size))
	}
	c.m.described = true
	c.json, c.jsonLen, c.mode = c.json[:0], int(size), modeJSON
	if size == 0 {
		c.mode = modeSection
	}
	return 5, 0
}

// stepJSON collects the description.
func (c *mainChannel) stepJSON(b []byte) (n, need int) {
	n = min(c.jsonLen-len(c.json), len(b))
	c.json = append(c.json, b[:n]...)
	if len(c.json) < c.jsonLen {
		return n, 0
	}
	c.mode = modeSection
	c.check(c.json, c.stamp(n-1))
	c.json = nil
	if c.ended {
		c.allSent(c.stamp(n - 1))
	}
	return n, 0
}
