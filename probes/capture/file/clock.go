package file

import (
	"math"
	"math/bits"
)

// An ngClock turns an interface's time into ns since the Unix epoch.
type ngClock struct {
	mul, div uint64 // decimal: ns = time × mul ÷ div
	shift    uint   // binary: units in a second = 1 << shift
	binary   bool
	offset   int64 // ns
}

// newClock takes the options if_tsresol and if_tsoffset (s) of an interface.
func newClock(resolution byte, offset int64) (ngClock, bool) {
	const limit = math.MaxInt64 / 1_000_000_000
	if offset > limit || offset < -limit {
		return ngClock{}, false
	}
	c := ngClock{mul: 1, div: 1, offset: offset * 1e9}
	exponent := uint(resolution & 0x7f)
	if resolution&0x80 != 0 {
		c.binary, c.shift = true, exponent
		return c, exponent < 64
	}
	if exponent > 9+19 {
		return ngClock{}, false
	}
	for ; exponent < 9; exponent++ {
		c.mul *= 10
	}
	for ; exponent > 9; exponent-- {
		c.div *= 10
	}
	return c, true
}

// ns is false for a time that does not fit: it is beyond the year 2262.
func (c *ngClock) ns(t uint64) (int64, bool) {
	var high, low uint64
	if c.binary {
		const second = 1_000_000_000
		mask := uint64(1)<<c.shift - 1
		fractionHigh, fractionLow := bits.Mul64(t&mask, second)
		fraction := fractionHigh<<(64-c.shift) | fractionLow>>c.shift
		high, low = bits.Mul64(t>>c.shift, second)
		var carry uint64
		low, carry = bits.Add64(low, fraction, 0)
		high += carry
	} else {
		high, low = bits.Mul64(t, c.mul)
		if c.div > 1 {
			low /= c.div // mul is 1 then, and high 0
		}
	}
	if high != 0 || low > math.MaxInt64 || c.offset > 0 && int64(low) > math.MaxInt64-c.offset {
		return 0, false
	}
	return int64(low) + c.offset, true
}
