// Package echo sends a train of UDP probes to an echo responder and tells which came back, and when: an
// outage as a client sees it.
package echo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"
)

// Config says where probes go.
type Config struct {
	Host     string         // the client; its clock stamps the probes
	In       host.Doer      // the client's network
	Target   netip.AddrPort // of a responder that sends each datagram back unchanged
	Interval time.Duration  // between probes; 0 is 2 ms
	Linger   time.Duration  // how long replies are awaited after the last probe; 0 is 200 ms
	Size     int            // B of UDP payload; less than 24 is 24
	Heard    time.Duration  // EchoHeard is recorded while the train runs, at most once in so long; 0 never
	Limit    int            // probes that are remembered, at 24 B each; 0 is 4 Mi (2 h 20 min at 2 ms). Reaching it is an error.
}

// New makes a probe that sends a datagram at every interval and never stops after a loss. For every probe it records EchoRTT or
// EchoLost, stamped with when it was sent. It is armed when the first probe was sent, answered or not.
//
// Answers are told while the train runs, in the order of arrival, about 0.3 s after they came; while none comes, EchoSilent says
// about 5 times a second until when. At the train's end come what is left of the answers, all losses in the order of sending,
// and EchoInterval once. A probe that fails records none of these: then what it had not told is not known.
//
// A probe is answered if its reply came before the linger was over, however late: the round-trip time says
// so. It is measured from just before the send call to the kernel's own stamp of the reply's arrival. A send
// call that fails (no route, no buffer) is a loss; attribute error of EchoLost names it.
//
// When the sender comes late by an interval or more, the slots that it missed are left out, not sent in a
// burst, and counted as ProbeLate: seq counts the probes sent, and their times tell the gaps.
//
// While a guest is silent for seconds, the client's neighbour entry for it fails; probes are then queued and
// come out in a burst once the guest is found again. A permanent neighbour entry at the client avoids that.
func New(c Config) probes.Probe {
	if c.Interval == 0 {
		c.Interval = 2 * time.Millisecond
	}
	if c.Linger == 0 {
		c.Linger = 200 * time.Millisecond
	}
	if c.Limit == 0 {
		c.Limit = 4 << 20
	}
	c.Size = max(c.Size, headerSize)
	return &probe{conf: c}
}

type probe struct{ conf Config }

// Name implements probes.Probe.
func (p *probe) Name() string { return results.SourceEcho }

// Run implements probes.Probe.
func (p *probe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	meter := probes.NewMeter(p.conf.Host, results.SourceEcho)
	defer meter.Record(rec)
	done := meter.Thread()
	defer done()

	var s *socket
	err := p.conf.In.Do(func() (err error) {
		s, err = openSocket(p.conf.Target)
		return err
	})
	if err != nil {
		return fmt.Errorf("echo from %s to %v: %w", p.conf.Host, p.conf.Target, err)
	}
	t := &train{conf: p.conf, socket: s, rec: rec, number: rand.Uint64(), meter: meter, ledger: newLedger(p.conf.Limit)}
	if err := errors.Join(t.run(ctx, armed), s.close()); err != nil {
		return fmt.Errorf("echo from %s to %v: %w", p.conf.Host, p.conf.Target, err)
	}
	return nil
}
