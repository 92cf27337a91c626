package qemu

import (
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// ends notes a section END. In a stream that was joined in its middle it may be post-copy's end: what follows will tell.
func (c *mainChannel) ends() {
	m := c.m
	if m.options["start"] != startMiddle || m.stopped || c.flush {
		m.stop(c.fromAt, c.from, c)
		return
	}
	if c.latent == nil {
		m.ledger.proofs = false
		c.latent = &latentStop{at: c.fromAt, queued: m.past.queued(c.from - 1), epoch: c.epochNow()}
	}
}

// A latentStop is a section END that shows the guest's stop if devices' state follows, as it does not in post-copy.
type latentStop struct {
	at, queued tcp.Stamp
	epoch      int
}

// devicesFollow takes a section FULL.
func (c *mainChannel) devicesFollow() {
	m := c.m
	if c.latent != nil && !m.stopped && !m.posted {
		m.stopped = true
		m.stoppedAt(c.latent.at, c.latent.queued, c.latent.epoch)
		m.finalRound(howFinal, c.latent.epoch)
	}
	if m.stopped {
		m.enter(results.StageDeviceState, c.fromAt, tcp.Stamp{})
	}
}

// allSent says that everything was sent: the destination can start.
func (c *mainChannel) allSent(at tcp.Stamp) {
	if c.m.complete {
		return
	}
	c.m.complete = true
	if !c.m.posted && !c.m.mayBePosted() {
		c.m.enter(results.StageSwitchOver, at, tcp.Stamp{})
	}
}
