package qemu

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A mode is what the main channel's parser waits for.
type mode int

const (
	modeHead    mode = iota // magic and version
	modeSection             // a section's first byte
	modeConfig              // a subsection of the configuration, or a section
	modePages               // page records
	modeBlocks              // the list of RAM blocks
	modeFooter              // a section's footer, if the machine sends them
	modeState               // state of unknown length: its footer is looked for
	modeJSON                // the description of the devices' state
	modeLost                // something that makes sense
	modeBlind               // nothing: what comes cannot be decoded
)

// The stream versions that QEMU sends and takes.
const (
	streamVersion = 3
	streamCompat  = 2 // before 0.12, without RAM blocks' names
	ramVersion    = 4
)

// A mainChannel parses the main channel's way forward.
type mainChannel struct {
	stream
	walker
	m *Migration

	mode     mode
	begun    bool
	beganAt  tcp.Stamp
	sections map[uint32]section
	open     section // the section whose contents pass
	kind     byte    // its first byte
	from     int64   // its offset
	fromAt   tcp.Stamp
	footers  bool // sections end with a footer
	footless bool // the first one did not
	list     blockList
	json     []byte
	jsonLen  int
	ended    bool // EOF was read
	endAt    tcp.Stamp
	advised  bool // post-copy was announced
	flush    bool // MULTIFD_FLUSH marks laps
	pageMode bool // what was lost were page records
	holed    bool // what was lost began with a hole
	learn    bool // the open section is RAM's, whose begin was not seen: its footer tells its id
	lostFrom int64
	latent   *latentStop
	given    tcp.Stamp // of the last bytes that were not missing

	undecoded int64
}

func newMain(m *Migration) *mainChannel {
	c := &mainChannel{m: m, sections: map[uint32]section{}}
	c.parse, c.gap, c.end = c.step, c.lose, c.finish
	c.walker = walker{m: m, s: &c.stream, self: c}
	c.done = c.passed
	return c
}

// Data implements tcp.Consumer.
func (c *mainChannel) Data(offset int64, data []byte, at tcp.Stamp) {
	c.m.past.note(offset, int64(len(data)), at)
	c.given = at
	c.stream.Data(offset, data, at)
}

// Gap implements tcp.Consumer. What is missing had passed no earlier than what came before it.
func (c *mainChannel) Gap(offset, n int64, at tcp.Stamp) {
	before := c.given
	if before == (tcp.Stamp{}) {
		before = at
	}
	c.m.past.note(offset, n, before)
	c.stream.Gap(offset, n, at)
}

// step parses one item, or a run of page records.
func (c *mainChannel) step(b []byte) (n, need int) {
	switch c.mode {
	case modePages:
		return c.stepPages(b)
	case modeSection:
		return c.stepSection(b)
	case modeState:
		return c.stepState(b)
	case modeFooter:
		return c.stepFooter(b)
	case modeHead:
		return c.stepHead(b)
	case modeConfig:
		return c.stepConfig(b)
	case modeBlocks:
		return c.stepBlocks(b)
	case modeJSON:
		return c.stepJSON(b)
	case modeLost:
		return c.stepLost(b)
	}
	c.undecoded += int64(len(b))
	return len(b), 0
}

// How the capture of a stream begins: attr "start" of wire.migration.
const (
	startHeader = "header"
	startMiddle = "middle"
)

// begin records the migration.
func (c *mainChannel) begin(start string, at tcp.Stamp) {
	if c.begun {
		return
	}
	c.begun = true
	c.beganAt = at
	c.m.options["format"], c.m.options["start"] = "qemu", start
}

func (c *mainChannel) stepHead(b []byte) (n, need int) {
	if len(b) < 4 {
		return 0, 4
	}
	if binary.BigEndian.Uint32(b) != fileMagic {
		c.begin(startMiddle, c.stamp(0))
		c.m.ledger.lost = true
		c.lostFrom, c.pageMode = c.off, true
		c.openMiddle()
		c.mode = modeLost
		return c.stepLost(b)
	}
	if len(b) < 8 {
		return 0, 8
	}
	version := binary.BigEndian.Uint32(b[4:])
	at := c.stamp(0)
	c.begin(startHeader, at)
	c.m.options["version"] = strconv.FormatUint(uint64(version), 10)
	c.m.enter(results.StageSetup, at, tcp.Stamp{})
	c.mode = modeSection
	if version != streamVersion {
		c.blind(c.off+4, c.stamp(7), fmt.Sprintf("stream version %d is not known, only %d", version, streamVersion))
	}
	return 8, 0
}

// openMiddle assumes what a stream that is joined in its middle does: it runs through pages.
func (c *mainChannel) openMiddle() {
	m := c.m
	m.ledger.ordered = false
	c.count = 1
	c.startEpoch(c.cur, c.off)
	m.ledger.proofs = true
	m.ledger.open(howStart, c.epochNow(), c.epochNow(), c.epochNow())
	m.ledger.sure = c.epochNow()
	m.ledger.tell()
	m.enter(results.StagePreCopy, c.cur, tcp.Stamp{})
}

// epochNow is the number of the epoch that the channel is in.
func (c *mainChannel) epochNow() int { return c.count + c.m.ledger.bias }

// startEpoch says that the main channel's epoch begins at offset.
func (c *mainChannel) startEpoch(at tcp.Stamp, offset int64) {
	c.m.ledger.main = c.epochNow()
	c.m.ledger.start(c.epochNow(), at, c.m.past.queued(offset))
}

func (c *mainChannel) stepSection(b []byte) (n, need int) {
	at := c.stamp(0)
	if c.ended && b[0] != sectionVMDescription {
		if c.m.ledger.lost { // where bytes are missing, a zero is not the end for sure
			c.ended = false
			return c.garbled("something follows the end mark")
		}
		c.allSent(c.endAt)
	}
	c.from, c.fromAt, c.kind = c.off, at, b[0]
	switch b[0] {
	case sectionEOF:
		c.ended, c.endAt = true, at
		return 1, 0
	case sectionStart, sectionFull:
		return c.stepStart(b)
	case sectionPart, sectionEnd:
		return c.stepPart(b)
	case sectionVMDescription:
		if len(b) < 5 {
			return 0, 5
		}
		return c.describe(b)
	case sectionConfiguration:
		return c.stepMachine(b)
	case sectionCommand:
		if len(b) < 5 {
			return 0, 5
		}
		size := 5 + int(binary.BigEndian.Uint16(b[3:]))
		if len(b) < size {
			return 0, size
		}
		return c.command(binary.BigEndian.Uint16(b[1:]), b[5:size], size)
	}
	return c.garbled(fmt.Sprintf("no section begins with 0x%02x", b[0]))
}

func (c *mainChannel) stepStart(b []byte) (n, need int) {
	s, n, need, ok := readSection(b)
	if !ok {
		return c.garbled("a section's name makes no sense")
	}
	if n == 0 {
		return 0, need
	}
	if len(c.sections) < maxSections {
		c.sections[s.id] = s
	}
	c.open = s
	c.mode = modeState
	if c.kind == sectionFull {
		c.devicesFollow()
		return n, 0
	}
	if s.name == "ram" {
		if s.version != ramVersion {
			c.blind(c.off, c.fromAt, fmt.Sprintf("version %d of section ram is not known, only %d", s.version, ramVersion))
			return n, 0
		}
		c.mode = modePages
	}
	return n, 0
}

const maxSections = 1 << 16

func (c *mainChannel) stepPart(b []byte) (n, need int) {
	if len(b) < 5 {
		return 0, 5
	}
	id := binary.BigEndian.Uint32(b[1:])
	s, known := c.sections[id]
	if !known {
		return c.garbled(fmt.Sprintf("section %d has not begun", id))
	}
	c.open = s
	if c.kind == sectionEnd && !c.m.posted {
		c.ends()
	}
	if s.name != "ram" {
		c.mode = modeState
		return 5, 0
	}
	c.mode = modePages
	c.sectionOfRAM()
	return 5, 0
}

// sectionOfRAM begins a PART or END of RAM at c.from.
func (c *mainChannel) sectionOfRAM() {
	m := c.m
	c.startEpoch(c.fromAt, c.from)
	if len(m.ledger.rounds) == 0 && !m.stopped {
		e := c.epochNow()
		m.ledger.proofs = true
		m.ledger.open(howStart, e, e, e)
		m.ledger.sure, m.ledger.sureWalk = e, m.ledger.epoch(e).walk
		m.enter(results.StagePreCopy, c.fromAt, tcp.Stamp{})
	}
	if m.stopped && !m.posted && c.kind == sectionPart { // the command to run was lost: before post-copy, only END follows the stop
		m.posted = true
		m.enter(results.StagePostCopy, c.fromAt, m.stopStamp)
	}
	switch {
	case m.posted:
		m.finalRound(howPostCopy, c.epochNow())
	case m.stopped && c.kind == sectionEnd:
		m.finalRound(howFinal, c.epochNow())
	}
	m.ledger.resume()
	m.ledger.tell()
	m.settle()
}

func (c *mainChannel) stepPages(b []byte) (n, need int) {
	n, need, out := c.pages(b)
	switch out {
	case moreBytes:
		return 0, need
	case consumed:
		return n, 0
	case nonsense:
		return c.garbled(fmt.Sprintf("no page record: % x", b[:min(len(b), 8)]))
	}
	r, _, _ := readRecord(b, c.m.ledger.size)
	switch r.flags {
	case flagEOS:
		c.mode = modeFooter
		return 8, 0
	case flagFlush:
		c.flushed()
		return 8, 0
	case flagMemSize:
		c.list = blockList{total: r.offset}
		c.mode = modeBlocks
		return 8, 0
	}
	return c.garbled("a hook of RDMA, which sends pages outside of the stream")
}

// flushed marks a lap of the walk, with all multifd channels in step.
func (c *mainChannel) flushed() {
	if c.kind == sectionStart {
		c.flush, c.m.ledger.coarse = true, true
	}
	if !c.flush {
		return
	}
	c.next(c.off + 8)
	c.startEpoch(c.stamp(0), c.off)
}

// stepFooter ends a section whose end is known.
func (c *mainChannel) stepFooter(b []byte) (n, need int) {
	if b[0] == sectionFooter && !c.footless {
		if len(b) < 5 {
			return 0, 5
		}
		id := binary.BigEndian.Uint32(b[1:])
		if c.learn && id <= maxSections {
			c.learn, c.open.id = false, id
			c.sections[id] = c.open
		}
		if id != c.open.id {
			return c.garbled(fmt.Sprintf("section %d ends with the footer of section %d", c.open.id, id))
		}
		c.footers = true
		c.mode = modeSection
		c.endEpoch(c.off + 5)
		return 5, 0
	}
	if c.footers {
		return c.garbled("a section has no footer")
	}
	c.footless = true
	c.mode = modeSection
	c.endEpoch(c.off)
	return c.stepSection(b)
}

// endEpoch ends the epoch of a section of RAM.
func (c *mainChannel) endEpoch(offset int64) {
	if c.open.name == "ram" && !c.flush {
		c.next(offset)
	}
}

// finish implements the end of the stream.
func (c *mainChannel) finish(how tcp.End, _ tcp.Stamp) {
	if c.mode == modeState && len(c.carry) >= 5 && c.carry[0] == sectionFooter && binary.BigEndian.Uint32(c.carry[1:]) == c.open.id {
		c.deviceEnds(c.off+5, c.stampCarry(4))
	}
	if c.ended {
		c.allSent(c.endAt)
	}
	if how == tcp.Cut && !c.m.complete {
		c.m.ledger.lost = true // the capture ended first: more came
	}
	if c.mode == modeLost {
		rest := c.off + int64(len(c.carry)) - c.lostFrom
		c.undecoded += rest
		if c.pageMode {
			c.m.contents(c, c.lostFrom, rest)
		}
	}
	c.book(c.off)
}
