package qemu

import (
	"fmt"
	"virtscope/probes/wire/tcp"
)

// lose takes a hole in the stream.
func (c *mainChannel) lose(offset, n int64, at tcp.Stamp) {
	switch c.mode {
	case modeBlind:
		return
	case modeHead:
		c.begin(startMiddle, at)
		c.m.ledger.lost = true
		c.openMiddle()
		c.lostFrom, c.pageMode, c.mode = offset, true, modeLost
	case modeLost:
	default:
		c.lost(offset, at, fmt.Sprintf("%d B are missing", n))
		c.holed = true
	}
	c.block, c.waits = nil, false
}

// lost begins to look for sense at offset.
func (c *mainChannel) lost(offset int64, at tcp.Stamp, detail string) {
	c.m.damage("main", forward, offset, at, detail)
	c.m.torn = c.m.torn || c.m.stopped
	c.learn, c.holed = false, false
	c.lostFrom = offset
	c.pageMode = c.mode == modePages
	c.mode = modeLost
	c.block, c.waits = nil, false
}

const (
	forward = "forward"
	reverse = "reverse"
)

// garbled takes bytes that make no sense where they stand.
func (c *mainChannel) garbled(detail string) (n, need int) {
	c.lost(c.off, c.stamp(0), detail)
	return 1, 0
}

// blind gives up decoding: what comes is counted as bytes.
func (c *mainChannel) blind(offset int64, at tcp.Stamp, detail string) {
	c.m.damage("main", forward, offset, at, detail+"; its bytes are counted only")
	c.mode = modeBlind
}

// stepLost looks for page records in a row, or for a section.
func (c *mainChannel) stepLost(b []byte) (n, need int) {
	look := looker{pageSize: c.m.ledger.size, known: &c.m.ledger.blocks, sections: c.sections}
	if c.m.options["start"] == startMiddle {
		look.sections = nil // more may have begun before
	}
	for i := range b {
		if b[i] == sectionFooter {
			v, need := look.anyFooter(b[i:])
			if v == undecided {
				return c.stay(i, need)
			}
			if v == yes {
				c.found(i, modeSection)
				return i + 5, 0
			}
			continue
		}
		v, need := look.chain(b[i:])
		if v == undecided {
			return c.stay(i, need)
		}
		if v == yes {
			c.found(i, modePages)
			if i > 0 {
				return i, 0
			}
			return c.stepPages(b)
		}
	}
	return len(b), 0
}

// stay drops what makes no sense, and wants need bytes from i on.
func (c *mainChannel) stay(i, need int) (int, int) {
	if i > 0 {
		return i, 0
	}
	return 0, need
}

// found goes on decoding at byte i.
func (c *mainChannel) found(i int, next mode) {
	m := c.m
	offset := c.off + int64(i)
	skipped := offset - c.lostFrom
	c.undecoded += skipped
	if c.pageMode || c.holed && next == modePages {
		m.contents(c, c.lostFrom, skipped)
	}
	if c.pageMode && next == modePages {
		// As many whole pages as surely fit; zero pages may have been more.
		if pages := skipped / (m.ledger.size + maxHead); pages > 0 {
			ep := m.ledger.epoch(c.epochNow())
			ep.sums.pages[kindUnknown] += pages
			ep.sums.bytes[kindUnknown] += skipped
		}
	}
	if next == modePages {
		c.openRAM()
	}
	if len(m.multifds) == 0 && !c.flush { // a section may have ended in what is missing; channels count epochs in step
		c.next(offset)
		c.startEpoch(c.stamp(i), offset)
		m.ledger.resumed = true
	}
	m.resync("main", forward, offset, skipped, c.stamp(i))
	c.mode = next
}

// contents says that n bytes that could not be decoded may be contents of pages.
func (m *Migration) contents(consumer tcp.Consumer, offset, n int64) {
	if n > 0 && m.config.Content != nil {
		m.config.Content(consumer, offset, n)
	}
}

const maxHead = 8 + 1 + 255

// openRAM goes on in the section of RAM, as far as it is known.
func (c *mainChannel) openRAM() {
	if c.open.name == "ram" {
		c.learn = c.open.id == 0 && len(c.sections) == 0
		return
	}
	for _, s := range c.sections {
		if s.name == "ram" {
			c.open = s
			return
		}
	}
	c.open, c.learn = section{name: "ram", version: ramVersion}, true
}
