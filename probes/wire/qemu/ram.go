package qemu

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A blockList is the list of RAM blocks as far as it was read (ram_save_setup).
type blockList struct {
	total, sum int64
	open       *block // whose optional fields come
	words      int    // optional be64 that were read
}

// stepBlocks reads a block, or one be64 behind it. Which of these there are is told nowhere: the page size of the memory behind a block if post-copy is
// on and it is not the host's, then its address with x-ignore-shared.
func (c *mainChannel) stepBlocks(b []byte) (n, need int) {
	l := &c.list
	if l.open != nil {
		return c.stepBlockWord(b)
	}
	if len(b) < 1 {
		return 0, 1
	}
	end := 1 + int(b[0])
	if len(b) < end+8 {
		return 0, end + 8
	}
	length := int64(binary.BigEndian.Uint64(b[end:]))
	blocks := &c.m.ledger.blocks
	switch {
	case !printable(b[1:end]):
		return c.garbled("a RAM block's name makes no sense")
	case length <= 0 || length > l.total-l.sum || length%1024 != 0:
		return c.garbled(fmt.Sprintf("RAM block %s of %d B does not fit into %d B", b[1:end], length, l.total))
	case len(blocks.list) >= maxBlocks || l.total > maxMemory:
		return c.garbled(fmt.Sprintf("%d B of RAM in %d blocks is beyond what is believed", l.total, len(blocks.list)))
	case blocks.byName[string(b[1:end])] != nil:
		return c.garbled(fmt.Sprintf("RAM block %s is listed twice", b[1:end]))
	}
	l.sum += length
	l.open, l.words = blocks.add(string(b[1:end]), length), 0
	return end + 8, 0
}

// stepBlockWord reads an optional field, or finds that there is none left.
func (c *mainChannel) stepBlockWord(b []byte) (n, need int) {
	l := &c.list
	last := l.sum == l.total
	wanted := 0
	if c.m.options["x-ignore-shared"] != "" {
		wanted = 1
	}
	if l.words >= wanted {
		if !last && b[0] != 0 || l.words > wanted {
			return c.blockDone(b)
		}
	}
	if len(b) < 8 {
		return 0, 8
	}
	word := int64(binary.BigEndian.Uint64(b))
	if last && l.words >= wanted && word < 1024 { // the next record
		return c.blockDone(b)
	}
	if bits.OnesCount64(uint64(word)) == 1 && word >= 1024 && l.words == 0 {
		l.open.page = word
	}
	l.words++
	return 8, 0
}

func (c *mainChannel) blockDone(b []byte) (n, need int) {
	l := &c.list
	m := c.m
	attrs := []string{"block", l.open.name}
	if l.open.page > 0 {
		attrs = append(attrs, "page", strconv.FormatInt(l.open.page, 10))
	}
	m.record(c.stamp(0), results.WireBlock, float64(l.open.length), results.Bytes, attrs...)
	l.open = nil
	if l.sum < l.total {
		c.mode = modeBlocks
		return c.stepBlocks(b)
	}
	m.blocksTold()
	c.mode = modePages
	return c.stepPages(b)
}

// blocksTold says that the list of blocks is whole.
func (m *Migration) blocksTold() {
	bs := &m.ledger.blocks
	bs.told, bs.pages = true, 0
	for _, b := range bs.list {
		b.base = bs.pages
		bs.pages += (b.length + m.ledger.size - 1) / m.ledger.size
	}
	m.ledger.at = -1
	m.ledger.ordered = len(m.multifds) == 0
}

// roundBegan records a round's begin.
func (m *Migration) roundBegan(r *Round) {
	attrs := []string{"how", r.How}
	if r.How != howStart {
		attrs = append(attrs, "earliest", stampAttr(r.Earliest), "latest", stampAttr(r.Latest))
	}
	m.record(r.Begin, results.WireRound, float64(r.Number), results.Event, attrs...)
}

// stop says that the guest has stopped at the source before the byte at offset was written.
func (m *Migration) stop(at tcp.Stamp, offset int64, c *mainChannel) {
	if m.stopped {
		return
	}
	m.stopped = true
	m.ledger.proofs = false
	if c.flush {
		// Channels and main are in step at the next flush only: what passes from now on is the stop's.
		c.book(offset)
		for _, f := range m.multifds {
			f.book(f.off)
		}
		m.ledger.bias++
		c.startEpoch(at, offset)
	}
	m.stoppedAt(at, m.past.queued(offset-1), c.epochNow())
}

// stoppedAt records the stop, which lies between queued and at, before epoch e.
func (m *Migration) stoppedAt(at, queued tcp.Stamp, e int) {
	if ep := m.ledger.epoch(e); len(m.multifds) > 0 && ep.started && ep.begin.Time < at.Time {
		switch { // another channel was faster; or, where bytes are missing, the epoch began before the stop
		case !m.ledger.lost:
			at = ep.begin
		case queued == (tcp.Stamp{}) || ep.begin.Time < queued.Time:
			queued = ep.begin
		}
	}
	m.stopStamp = queued
	if queued == (tcp.Stamp{}) || at.Time < queued.Time {
		m.stopStamp = at
	}
	m.enter(results.StageStopCopy, at, queued)
}

// finalRound begins the round of what is sent after the stop.
func (m *Migration) finalRound(how string, e int) {
	if n := len(m.ledger.rounds); n > 0 && (m.ledger.rounds[n-1].How == how || m.posted && how == howFinal) {
		return
	}
	m.stopAt = e
	m.ledger.open(how, e, e, e)
	m.ledger.tell()
}

// settle records the rounds that no channel can add to.
func (m *Migration) settle() {
	e := m.main.epochNow()
	for _, f := range m.multifds {
		e = min(e, f.count+m.ledger.bias)
	}
	m.ledger.settle(e, m.roundEnded)
}

// roundEnded records a round's sums.
func (m *Migration) roundEnded(r *Round) {
	at := m.main.last
	lost := atLeast(m.ledger.lost)
	round := strconv.Itoa(r.Number)
	m.record(at, results.WireRoundBytes, float64(r.Bytes), results.Bytes, "round", round, "atleast", lost)
	for _, kind := range kindNames {
		if n := r.Pages[kind]; n > 0 {
			m.record(at, results.WireRoundPages, float64(n), results.One, "round", round, "kind", kind, "atleast", lost)
		}
	}
	m.record(at, results.WireRoundSpan, float64(r.Span), results.One, "round", round, "atleast", lost)
	m.record(at, results.WireRoundResent, float64(r.Resent), results.One, "round", round, "atleast", lost)
	for i, s := range r.blocks {
		if s.span == 0 {
			continue
		}
		name := m.ledger.blocks.list[i].name
		m.record(at, results.WireRoundSpan, float64(s.span), results.One, "round", round, "block", name, "atleast", lost)
		m.record(at, results.WireRoundResent, float64(s.resent), results.One, "round", round, "block", name, "atleast", lost)
	}
}
