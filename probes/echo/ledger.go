package echo

import "sync/atomic"

// blockSize is how many probes a block holds.
const blockSize = 4096

// A block holds 24 B for each of its probes.
type block struct {
	sent     [blockSize]int64 // ns since the Unix epoch, by seq
	answered [blockSize]int64 // the kernel's stamp of the first reply, ns since the Unix epoch, by seq; 0 is none
	came     [blockSize]int64 // seq, in the order in which the receiver took the replies
}

// A ledger is what is known of the probes of a train. One sender and one receiver write, one teller reads; nobody waits for
// another. Each writes its entry first and then the count that shows it.
type ledger struct {
	blocks []atomic.Pointer[block]

	begun    atomic.Int64 // probes whose send call may have been made: replies to them count
	sent     atomic.Int64 // probes whose time of sending is known
	answered atomic.Int64 // replies that came
	drained  atomic.Int64 // ns since the Unix epoch: all that the socket held then was taken
}

func newLedger(limit int) *ledger {
	return &ledger{blocks: make([]atomic.Pointer[block], (limit+blockSize-1)/blockSize)}
}

// block is the one that holds entry n, which is made if there is none. N is less than the limit.
func (l *ledger) block(n int64) *block {
	p := &l.blocks[n/blockSize]
	if b := p.Load(); b != nil {
		return b
	}
	p.CompareAndSwap(nil, new(block))
	return p.Load()
}

// begin is the sender's, before the send call: a reply can come before the call returns.
func (l *ledger) begin(seq int64) {
	l.block(seq)
	l.begun.Store(seq + 1)
}

// send is the sender's, after the send call of the probe that follows the last.
func (l *ledger) send(seq, at int64) {
	l.block(seq).sent[seq%blockSize] = at
	l.sent.Store(seq + 1)
}

// answer is the receiver's. Only the first reply to a probe that was sent counts.
func (l *ledger) answer(seq uint64, at int64) (first bool) {
	if seq >= uint64(l.begun.Load()) {
		return false // nobody asked
	}
	n := int64(seq)
	b := l.block(n)
	if b.answered[n%blockSize] != 0 {
		return false // a duplicate
	}
	b.answered[n%blockSize] = at
	came := l.answered.Load()
	l.block(came).came[came%blockSize] = n
	l.answered.Store(came + 1)
	return true
}

// prepare is the teller's: the sender finds the block after the one that it fills.
func (l *ledger) prepare() {
	if next := l.begun.Load() + blockSize; next/blockSize < int64(len(l.blocks)) {
		l.block(next)
	}
}

// sentAt is when a probe was sent that the count of those sent shows.
func (l *ledger) sentAt(seq int64) int64 { return l.block(seq).sent[seq%blockSize] }

// answeredAt is when a probe was answered that the count of answers shows, or, once the receiver has ended, any; 0 is never.
func (l *ledger) answeredAt(seq int64) int64 { return l.block(seq).answered[seq%blockSize] }

// cameAs is the probe that the n-th answer is for.
func (l *ledger) cameAs(n int64) int64 { return l.block(n).came[n%blockSize] }
