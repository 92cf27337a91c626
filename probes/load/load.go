// Package load is the client of what a guest serves: it asks in open loop, and tells by bins what was answered, how much
// came, and how late.
//
// In open loop a request is due at its time, whether or not those before it were answered, and its latency counts from
// when it was due. A client that waits for an answer before it asks again leaves out just those requests that a stall
// would have delayed: coordinated omission, as Gil Tene calls it. See the README of wrk2 (github.com/giltene/wrk2) and
// HdrHistogram's recordValueWithExpectedInterval (hdrhistogram.github.io/HdrHistogram), which repairs afterwards what
// need not be broken here.
package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"
)

// What a guest can serve.
const (
	Request = "request" // TCP: a request is its length in B (4 bytes, big endian) and as many bytes; the answer has the same form
	Stream  = "stream"  // UDP: a constant bit rate from the guest
	Bulk    = "bulk"    // TCP: the guest sends as fast as it goes
	KV      = "kv"      // TCP: RESP 2, GET and SET
	Redis   = "redis"   // as KV
)

// Config is what is asked of whom.
type Config struct {
	Host   string         // the client; its clock stamps the records
	In     host.Doer      // the client's network
	Target netip.AddrPort // of the guest's service
	Kind   string         // one of the above
	Bin    time.Duration  // over which is summed up; 0 is 100 ms; less than 1 ms is an error

	// Rate is requests a second (request, kv, redis), or B/s of UDP payload (stream). It must be above 0. Bulk has none.
	Rate float64
	// Arrivals of requests: poisson (independent of each other; "" too) or fixed (at equal distances).
	Arrivals    string
	Connections int           // of request, kv, redis, bulk; 0 is 1. Each takes requests while others are unanswered.
	Seed        uint64        // of arrivals, keys and what is written: the same seed asks the same at the same times
	Linger      time.Duration // how long answers are awaited after the last request; 0 is 200 ms
	// Queue is how many requests may be unanswered at a time, at 16 B each; those beyond fail. 0 is 1 Mi.
	Queue int

	RequestSize  int // B of a request's payload (request)
	ResponseSize int // B that the answer must have (request)

	Keys      int     // that are asked for (kv, redis): key:000000000000 and so on. 0 is 10000.
	ValueSize int     // B of each value (kv, redis); 0 is 1024
	Gets      float64 // share of the requests that read, 0–1; the others write (kv, redis)
	Pattern   string  // in which keys are chosen: zipf (exponent 0.99; "" too) or uniform

	PlayerBuffer time.Duration // what the player of a stream holds before it plays, and again after it ran dry; 0 is 500 ms
}

// New makes a probe that loads the guest until it is told to end.
//
// It is armed when all connections are open, the store of kv and redis holds all keys, and the first bin begins; of a
// stream, when it was asked for. A store is filled over the same connections, which takes a while in an emulated guest;
// one that holds as many keys of the right size already is left as it is. Until ctx is done it tries to connect.
//
// A request is sent when it is due over one connection after another, those that are open. TCP alone decides how long it
// takes over an outage: the client has no time-out, so an answer that comes after a minute has a latency of a minute.
// When a connection breaks, its unanswered requests have failed and it is made anew at once, or 100 ms after an attempt
// that failed.
//
// All times are the client's own, read before a request is handed to the kernel and after its answer was. If the client
// itself is late (attr late of LoadLatency; ProbeLate counts requests that it sent more than 1 ms after they were due),
// that is part of the latency.
//
// A bin is recorded once all its requests have ended; at the end, what is left is pending.
func New(c Config) probes.Probe {
	c.Bin = or(c.Bin, 100*time.Millisecond)
	c.Linger = or(c.Linger, 200*time.Millisecond)
	c.PlayerBuffer = or(c.PlayerBuffer, 500*time.Millisecond)
	c.Connections = or(c.Connections, 1)
	c.Queue = or(c.Queue, 1<<20)
	c.Keys = or(c.Keys, 10000)
	c.ValueSize = or(c.ValueSize, 1024)
	c.Arrivals = or(c.Arrivals, Poisson)
	c.Pattern = or(c.Pattern, Zipf)
	return &probe{conf: c}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

type probe struct{ conf Config }

// Name implements probes.Probe.
func (p *probe) Name() string { return results.SourceLoad }

// Run implements probes.Probe.
func (p *probe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	meter := probes.NewMeter(p.conf.Host, results.SourceLoad)
	defer meter.Record(rec)
	err := p.conf.check()
	switch {
	case err != nil:
	case p.conf.Kind == Stream:
		err = runStream(ctx, p.conf, meter, rec, armed)
	default:
		err = runRequests(ctx, p.conf, meter, rec, armed)
	}
	if err != nil {
		return fmt.Errorf("load %s from %s on %v: %w", p.conf.Kind, p.conf.Host, p.conf.Target, err)
	}
	return nil
}

// check finds what would make the load another than the one that was asked for.
func (c Config) check() error {
	asks := c.Kind == Request || c.Kind == KV || c.Kind == Redis
	switch {
	case !asks && c.Kind != Stream && c.Kind != Bulk:
		return fmt.Errorf("there is no such kind: use %s, %s, %s, %s or %s", Request, Stream, Bulk, KV, Redis)
	case !c.Target.IsValid() || c.Target.Port() == 0:
		return errors.New("the target needs an address and a port")
	case c.Bin < time.Millisecond:
		return fmt.Errorf("bins of %v are too short: take 1 ms or more", c.Bin)
	case c.Kind != Bulk && (!(c.Rate > 0) || math.IsInf(c.Rate, 0)):
		return fmt.Errorf("a rate of %v is none: set one above 0", c.Rate)
	case c.Connections < 1 || c.Queue < 1 || c.Keys < 1 || c.ValueSize < 1 || c.RequestSize < 0 || c.ResponseSize < 0:
		return errors.New("a count or a size is negative")
	case !(c.Gets >= 0 && c.Gets <= 1):
		return fmt.Errorf("a share of %v reads is none: set 0 to 1", c.Gets)
	case !slices.Contains([]string{Poisson, Fixed}, c.Arrivals):
		return fmt.Errorf("arrivals %q: use %s or %s", c.Arrivals, Poisson, Fixed)
	case !slices.Contains([]string{Zipf, Uniform}, c.Pattern):
		return fmt.Errorf("pattern %q: use %s or %s", c.Pattern, Zipf, Uniform)
	}
	return nil
}

// info says what is asked for.
func (c Config) info(at int64) results.Record {
	attrs := map[string]string{"kind": c.Kind, "bin": inSeconds(c.Bin), "on": c.Host}
	if c.Kind != Bulk {
		attrs["rate"] = strconv.FormatFloat(c.Rate, 'g', -1, 64)
	}
	if c.Kind != Stream {
		attrs["connections"] = strconv.Itoa(c.Connections)
	}
	if c.Kind != Stream && c.Kind != Bulk {
		attrs["arrivals"] = c.Arrivals
	}
	return results.Record{Time: at, Host: c.Host, Source: results.SourceLoad, Name: results.LoadInfo, Attrs: attrs}
}

func inSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }
