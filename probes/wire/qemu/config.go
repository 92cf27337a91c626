package qemu

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// stepMachine reads the configuration section: the machine type's name.
func (c *mainChannel) stepMachine(b []byte) (n, need int) {
	if len(b) < 5 {
		return 0, 5
	}
	size := int64(binary.BigEndian.Uint32(b[1:]))
	if size > 255 {
		return c.garbled(fmt.Sprintf("a machine type's name of %d B is not believed", size))
	}
	end := 5 + int(size)
	if len(b) < end {
		return 0, end
	}
	if !printable(b[5:end]) {
		return c.garbled("the machine type's name makes no sense")
	}
	c.m.machine = string(b[5:end])
	c.mode = modeConfig
	return end, 0
}

// stepConfig reads a subsection of the configuration.
func (c *mainChannel) stepConfig(b []byte) (n, need int) {
	if b[0] != sectionSubsection {
		c.mode = modeSection
		return c.stepSection(b)
	}
	if len(b) < 2 {
		return 0, 2
	}
	at := 2 + int(b[1])
	if len(b) < at+4 {
		return 0, at + 4
	}
	name, data := string(b[2:at]), b[at+4:]
	at += 4
	switch name {
	case "configuration/target-page-bits":
		if len(data) < 4 {
			return 0, at + 4
		}
		bits := binary.BigEndian.Uint32(data)
		if bits < 10 || bits > 16 {
			return c.garbled(fmt.Sprintf("target pages of 2^%d B are not believed", bits))
		}
		c.m.ledger.size = 1 << bits
		return at + 4, 0
	case "configuration/uuid":
		if len(data) < 16 {
			return 0, at + 16
		}
		return at + 16, 0
	case "configuration/capabilities":
		return c.stepCapabilities(b, at)
	}
	return c.garbled(fmt.Sprintf("subsection %q is not known", name))
}

// stepCapabilities reads the capabilities that both ends must share.
func (c *mainChannel) stepCapabilities(b []byte, at int) (n, need int) {
	if len(b) < at+4 {
		return 0, at + 4
	}
	count := binary.BigEndian.Uint32(b[at:])
	at += 4
	if count > 64 {
		return c.garbled(strconv.FormatUint(uint64(count), 10) + " capabilities are not believed")
	}
	var names []string
	for range count {
		if len(b) < at+1 {
			return 0, at + 1
		}
		end := at + 1 + int(b[at])
		if len(b) < end {
			return 0, end
		}
		names = append(names, string(b[at+1:end]))
		at = end
	}
	for _, name := range names {
		c.m.options[name] = "true"
	}
	return at, 0
}
