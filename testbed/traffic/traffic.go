package traffic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

// A Host is where one side of the traffic is.
type Host interface {
	Name() string
	host.Doer
}

// Kinds of traffic.
const (
	UDP = "udp" // constant-rate datagrams of DatagramSize
	TCP = "tcp" // bulk streams that take what they get
)

// DatagramSize is the payload of a datagram in B: with its headers it fits an Ethernet frame.
const DatagramSize = 1400

// Interval at which the counters are recorded.
const Interval = 100 * time.Millisecond

// drainLimit is how long what is under way may take to arrive after the senders have stopped.
const drainLimit = 2 * time.Second

// Config says what to send.
type Config struct {
	From, To Host
	Addr     netip.Addr // of To, on the link that the traffic is to take
	Kind     string     // UDP or TCP
	// Rate in B/s of payload, of all flows together: of UDP what is sent, at least DatagramSize bytes a minute and flow;
	// of TCP the most that is sent, 0 no limit.
	Rate      float64
	Flows     int    // side by side; 0 is 1; at most 256
	Direction string // attribute of the records: forward or reverse
}

func (c Config) validate() error {
	var errs []error
	if c.From == nil || c.To == nil || !c.Addr.IsValid() {
		errs = append(errs, errors.New("want two hosts and an address"))
	}
	if c.Flows < 1 || c.Flows > 256 {
		errs = append(errs, fmt.Errorf("%d flows: want 1 to 256", c.Flows))
	}
	switch {
	case c.Kind != UDP && c.Kind != TCP:
		errs = append(errs, fmt.Errorf("kind %q: want %s or %s", c.Kind, UDP, TCP))
	case c.Kind == TCP && c.Rate == 0:
	case !(c.Rate >= float64(c.Flows*DatagramSize)/60) || c.Rate > 1e12: // the negation catches NaN
		errs = append(errs, fmt.Errorf("rate %g B/s: want at least a datagram of %d B each minute and flow, at most 1e12", c.Rate, DatagramSize))
	}
	return errors.Join(errs...)
}

// A flow is one connection, or one stream of datagrams, with both its ends.
type flow interface {
	run(stop <-chan struct{}) error // sends until stop, or until it cannot
	sent() (int64, error)           // B of payload that were handed to the link
	received() (int64, map[string]string)
	drain(deadline time.Time) // waits until what was sent has come, or no longer
	close() error
}

// Start starts the traffic; it flows when Start returns. Each Interval, and once at the end, it records for each flow
// results.TrafficSent, on From's clock, and results.TrafficReceived, on To's: cumulative payload. What a flow has sent is
// what left its socket: for TCP without what still waits in it, and each byte once. Datagrams that reached To and found
// their socket full are not received; TrafficReceived then has attribute overflow: how often that happened (1, cumulative,
// of one or several datagrams).
//
// Stop ends the senders, lets what is under way arrive for at most 2 s, records the last counters and closes everything; the
// end of ctx does the same by itself. Stop is idempotent; it returns what went wrong with a flow since Start.
func Start(ctx context.Context, c Config, rec results.Recorder) (stop func() error, err error) {
	if c.Flows == 0 {
		c.Flows = 1
	}
	if err := errors.Join(c.validate(), ctx.Err()); err != nil {
		return nil, fmt.Errorf("start cross-traffic: %w", err)
	}
	open := openUDP
	if c.Kind == TCP {
		open = openTCP
	}
	r := &run{conf: c, rec: rec, stopped: make(chan struct{})}
	for range c.Flows {
		f, err := open(ctx, c)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start cross-traffic from %s to %s: %w", c.From.Name(), c.To.Name(), err), r.close())
		}
		r.flows = append(r.flows, f)
	}
	r.start()
	once := sync.OnceValue(r.stop)
	context.AfterFunc(ctx, func() { _ = once() }) // the caller's stop returns its error
	return once, nil
}

// A run is traffic that flows.
type run struct {
	conf  Config
	rec   results.Recorder
	flows []flow

	stopped chan struct{}
	senders sync.WaitGroup
	sampler sync.WaitGroup
	mu      sync.Mutex
	errs    []error
}

func (r *run) start() {
	for i, f := range r.flows {
		r.senders.Go(func() {
			if err := f.run(r.stopped); err != nil {
				r.fail(i, err)
			}
		})
	}
	r.sampler.Go(func() {
		tick := time.NewTicker(Interval)
		defer tick.Stop()
		for {
			r.sample()
			select {
			case <-tick.C:
			case <-r.stopped:
				return
			}
		}
	})
}

func (r *run) fail(flow int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, fmt.Errorf("flow %d: %w", flow, err))
}

func (r *run) sample() {
	for i, f := range r.flows {
		attrs := map[string]string{"direction": r.conf.Direction, "flow": strconv.Itoa(i)}
		record := func(h Host, name string, value int64, more map[string]string) {
			a := maps.Clone(attrs)
			maps.Copy(a, more)
			r.rec.Record(results.Record{
				Time: time.Now().UnixNano(), Host: h.Name(), Source: results.SourceRunner, Name: name,
				Value: float64(value), Unit: results.Bytes, Attrs: a,
			})
		}
		got, more := f.received() // first: nothing is received that was not sent
		if sent, err := f.sent(); err != nil {
			r.fail(i, err)
		} else {
			record(r.conf.From, results.TrafficSent, sent, nil)
		}
		record(r.conf.To, results.TrafficReceived, got, more)
	}
}

func (r *run) stop() error {
	close(r.stopped)
	r.sampler.Wait()
	r.senders.Wait()
	deadline := time.Now().Add(drainLimit)
	for _, f := range r.flows {
		f.drain(deadline)
	}
	r.sample()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(append(r.errs, r.close())...); err != nil {
		return fmt.Errorf("cross-traffic from %s to %s: %w", r.conf.From.Name(), r.conf.To.Name(), err)
	}
	return nil
}

func (r *run) close() error {
	var errs []error
	for _, f := range r.flows {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}
