package nbd

import (
	"cmp"
	"maps"
	"slices"
	"virtscope/probes/wire/histogram"
	"virtscope/probes/wire/tcp"
)

const (
	mostWaiting = 4096 // requests in flight that are followed; QEMU has 16
	mostErrors  = 64   // kinds of errors that are told apart
)

// A waiter is a request that was not answered.
type waiter struct {
	command command
	length  uint64
	sent    int64 // when its last byte passed, ns; 0: not known
	err     uint32
	held    held // the zero value if it was counted
	doubted bool
}

// A held request is not counted before it was answered.
type held struct {
	request    request
	begin, end tcp.Stamp
}

type refusal struct {
	command command
	err     uint32
}

// replies lead each reply to its request.
type replies struct {
	waiting map[uint64]waiter
	times   [commands]*histogram.Times
	errors  map[refusal]int64
	lost    [commands]int64 // their cookie was used again, so that an answer to them was not seen
	missed  bool            // requests that were not followed: there were too many
}

// ask notes a request whose header has passed.
func (p *replies) ask(r request) {
	if r.command == cmdDisconnect {
		return
	}
	if old, ok := p.waiting[r.cookie]; ok {
		p.lost[old.command]++
	} else if len(p.waiting) >= mostWaiting {
		p.missed = true
		return
	}
	p.waiting[r.cookie] = waiter{command: r.command, length: r.length}
}

// sent notes that a request's last byte has passed.
func (p *replies) sent(cookie uint64, at tcp.Stamp) {
	if w, ok := p.waiting[cookie]; ok {
		w.sent = at.Time
		p.waiting[cookie] = w
	}
}

// hold keeps a request until it is believed. It is false if nothing waits for it: it was answered already.
func (p *replies) hold(h held) bool {
	w, ok := p.waiting[h.request.cookie]
	if ok {
		w.held, w.doubted = h, true
		p.waiting[h.request.cookie] = w
	}
	return ok || p.missed
}

// believe counts a request that was held.
func (p *replies) believe(cookie uint64, l *ledger) {
	if w, ok := p.waiting[cookie]; ok && w.doubted {
		l.count(w.held.request, w.held.begin, w.held.end)
		w.doubted = false
		p.waiting[cookie] = w
	}
}

func (p *replies) waits(cookie uint64) bool {
	_, ok := p.waiting[cookie]
	return ok
}

// content is how many bytes follow a simple reply: those of a read.
func (p *replies) content(r reply) uint64 {
	if w, ok := p.waiting[r.cookie]; ok && w.command == cmdRead && r.err == 0 {
		return w.length
	}
	return 0
}

// refuse notes an error; 0 is none.
func (p *replies) refuse(cookie uint64, err uint32) {
	if w, ok := p.waiting[cookie]; ok && err != 0 {
		w.err = err
		p.waiting[cookie] = w
	}
}

// done notes that a request was answered.
func (p *replies) done(cookie uint64, measured bool, at tcp.Stamp, l *ledger) {
	w, ok := p.waiting[cookie]
	if !ok {
		return
	}
	p.believe(cookie, l)
	delete(p.waiting, cookie)
	if k := (refusal{w.command, w.err}); w.err != 0 && (p.errors[k] > 0 || len(p.errors) < mostErrors) {
		p.errors[k]++
	}
	if !measured || w.sent == 0 || at.Time < w.sent {
		return
	}
	if p.times[w.command] == nil {
		p.times[w.command] = &histogram.Times{}
	}
	p.times[w.command].Add(at.Time - w.sent)
}

// unanswered counts the requests that were not answered.
func (p *replies) unanswered() [commands]int64 {
	n := p.lost
	for _, w := range p.waiting {
		n[w.command]++
	}
	return n
}

func (p *replies) refusals() []refusal {
	return slices.SortedFunc(maps.Keys(p.errors), func(a, b refusal) int {
		return cmp.Or(cmp.Compare(a.command, b.command), cmp.Compare(a.err, b.err))
	})
}
