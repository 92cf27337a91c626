package qemu

import (
	"encoding/binary"
	"fmt"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// Commands to the destination (migration/savevm.c, enum qemu_vm_cmd).
const (
	commandReturnPath = 1
	commandPing       = 2 // be32
	commandAdvise     = 3 // be64 page-size summary, be64 target page size; or nothing
	commandListen     = 4
	commandRun        = 5
	commandDiscard    = 6 // u8 version, u8 length, block, 0, (be64 start, be64 length)…
	commandPackaged   = 7 // be32 length; that many bytes of sections follow, which are read as all others
	commandCOLO       = 8
	commandResume     = 9
	commandBitmap     = 10 // u8 length, block
	commandSwitchover = 11
	commands          = 12
)

func knownCommand(n uint16) bool { return n > 0 && n < commands }

// plausibleCommand reports whether a command has a length that it can have.
func plausibleCommand(n, length uint16) bool {
	switch n {
	case commandReturnPath, commandListen, commandRun, commandCOLO, commandResume, commandSwitchover:
		return length == 0
	case commandPing, commandPackaged:
		return length == 4
	case commandAdvise:
		return length == 0 || length == 16
	case commandDiscard, commandBitmap:
		return length > 0
	}
	return false
}

// pingStopped is what the source pings with when it has stopped the guest for post-copy (postcopy_start).
const pingStopped = 2

// command acts on a command of size B.
func (c *mainChannel) command(n uint16, data []byte, size int) (int, int) {
	m := c.m
	switch n {
	case commandReturnPath:
		m.options["return-path"] = "true"
	case commandPing:
		if len(data) == 4 && binary.BigEndian.Uint32(data) == pingStopped && c.advised && len(m.ledger.rounds) > 0 {
			c.postStop()
		}
	case commandAdvise:
		c.advised = true
		if len(data) >= 16 {
			m.options["postcopy"] = "true"
		}
	case commandListen:
	case commandRun:
		m.posted = true
		c.startEpoch(c.fromAt, c.from)
		m.finalRound(howPostCopy, c.epochNow())
		m.enter(results.StagePostCopy, c.fromAt, tcp.Stamp{})
	case commandDiscard:
		c.postStop()
	case commandPackaged:
		c.postStop()
	case commandSwitchover:
		c.postStop()
	case commandCOLO:
		m.options["x-colo"] = "true"
	case commandResume:
		m.options["resume"] = "true"
	case commandBitmap:
	default:
		return c.garbled(fmt.Sprintf("command %d is not known", n))
	}
	return size, 0
}

// postStop notes a command that the source sends after it stopped the guest.
func (c *mainChannel) postStop() {
	c.m.stop(c.fromAt, c.from, c)
}
