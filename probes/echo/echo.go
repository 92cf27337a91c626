// Package echo sends a train of UDP probes to an echo responder and tells which came back, and when: an
// outage as a client sees it.
package echo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
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
	Limit    int            // probes that are remembered, at 16 B each; 0 is 4 Mi (2 h 20 min at 2 ms). Reaching it is an error.
}

// New makes a probe that sends a datagram at every interval and never stops after a loss. At its end it
// records, for every probe in the order of sending, EchoRTT or EchoLost, stamped with when it was sent; and
// EchoInterval once. It is armed when the first probe was sent, answered or not.
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
	t := &train{conf: p.conf, socket: s, rec: rec, number: rand.Uint64(), meter: meter}
	if err := errors.Join(t.run(ctx, armed), s.close()); err != nil {
		return fmt.Errorf("echo from %s to %v: %w", p.conf.Host, p.conf.Target, err)
	}
	return t.record(rec)
}

// record tells of every probe.
func (t *train) record(rec results.Recorder) error {
	r := results.Record{Host: t.conf.Host, Source: results.SourceEcho}
	for seq, sent := range t.sent {
		r.Time, r.Attrs = sent, map[string]string{"seq": strconv.Itoa(seq)}
		if seq >= len(t.replies) || t.replies[seq] == 0 {
			if cause, ok := t.failed[seq]; ok {
				r.Attrs["error"] = cause
			}
			r.Name, r.Value, r.Unit = results.EchoLost, 0, results.Event
			rec.Record(r)
			continue
		}
		rtt := t.replies[seq] - sent
		if rtt < 0 {
			return fmt.Errorf("echo: probe %d was answered %v before it was sent: the wall clock was stepped", seq, time.Duration(-rtt))
		}
		r.Name, r.Value, r.Unit = results.EchoRTT, time.Duration(rtt).Seconds(), results.Seconds
		rec.Record(r)
	}
	rec.Record(results.Record{
		Time: t.sent[0], Host: t.conf.Host, Source: results.SourceEcho, Name: results.EchoInterval,
		Value: t.conf.Interval.Seconds(), Unit: results.Seconds,
	})
	return nil
}
