package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
	"virtscope/probes"
	"virtscope/probes/capture/packet"
	"virtscope/results"
	"virtscope/testbed/host"
)

// Config says what is captured and what is looked for.
type Config struct {
	Name      string            // the probe's name and its records' source, such as results.SourceCaptureSwitch
	Host      string            // whose clock stamps the frames
	In        host.Doer         // the network whose interfaces are captured
	Interface string            // empty is all but loopbacks and Exclude
	Exclude   []string          // interfaces that are not captured, such as bridges: their frames passed a port
	Ports     map[string]string // interface → port, for attribute port; an interface that is not in it is its own port
	GuestMAC  net.HardwareAddr  // empty looks for no guest
	// Guests are the names of guests by MAC: each one's first frame is recorded, as BootFrame, and an identity that two have, as
	// IdentityConflict. A guest without a name is the only one. Empty looks for neither.
	Guests map[packet.MAC]string
	// GuestsMove says that a guest may move from an interface to another: that is then no sign of two.
	GuestsMove bool

	Flow      FlowSpec      // no ports looks for no flow
	Flows     []FlowSpec    // more flows, each counted by itself; their names, or who asks, differ
	Bin       time.Duration // width of the flows' bins; 0 is 1 ms
	Keep      *KeepConfig   // nil keeps no file
	RingBytes int           // 0 is 32 MiB
}

// flowSnap is how much of a frame is looked at: two VLAN tags, IPv6 with an option, the longest TCP header.
const flowSnap = 192

// names are the interfaces that must exist.
func (c Config) names() []string {
	names := append([]string(nil), c.Exclude...)
	for name := range c.Ports {
		names = append(names, name)
	}
	if c.Interface != "" {
		names = append(names, c.Interface)
	}
	return names
}

func (c Config) snap() int {
	if c.Keep == nil {
		return flowSnap
	}
	return max(flowSnap, c.Keep.snap())
}

// New makes a probe that captures frames as they come in (never those that go out) and records GuestFrame,
// GuestAnnounce, BootFrame, IdentityConflict, FlowBytes and FlowPayload, and at the end CaptureFrames, CaptureDropped and
// CaptureMaxFrame. It is armed when the first frame would be seen.
//
// Frames are stamped by the kernel. Their length is as they pass, so segments that an offload merged count as
// one frame; a VLAN tag that the kernel took off is not counted. The records' attributes are shared maps:
// they must not be written.
func New(c Config) probes.Probe {
	if c.Bin == 0 {
		c.Bin = time.Millisecond
	}
	if c.RingBytes == 0 {
		c.RingBytes = 32 << 20
	}
	return &probe{conf: c}
}

type probe struct{ conf Config }

// Name implements probes.Probe.
func (p *probe) Name() string { return p.conf.Name }

// Run implements probes.Probe.
func (p *probe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	meter := probes.NewMeter(p.conf.Host, p.conf.Name)
	defer meter.Record(rec)
	done := meter.Thread()
	defer done()
	return p.run(ctx, rec, armed, meter)
}

func (p *probe) run(ctx context.Context, rec results.Recorder, armed func(), meter *probes.Meter) (err error) {
	var l layout
	var src *ring
	err = p.conf.In.Do(func() error {
		if l, err = survey(p.conf); err != nil {
			return err
		}
		src, err = openRing(l.index, p.conf.RingBytes, p.conf.snap(), filter(p.conf.snap(), l.excluded))
		return err
	})
	if err != nil {
		return fmt.Errorf("capture on %s: %w", p.conf.Host, err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	observer, err := newObserver(p.conf, l.ports, rec)
	if err != nil {
		return err
	}
	if p.conf.Keep != nil {
		if observer.keeper, err = newKeeper(*p.conf.Keep, l.ports, meter); err != nil {
			return err
		}
	}
	stopWatching := context.AfterFunc(ctx, src.stop)
	defer stopWatching()
	armed()
	return errors.Join(observer.drink(src), observer.end(src, meter))
}

// An observer looks at each frame of a source.
type observer struct {
	conf      Config
	rec       results.Recorder
	packet    packet.Packet
	guest     *guest
	census    *census // nil: none
	flows     []*flow
	keeper    *keeper // nil: none
	longest   int
	malformed int64
}

func newObserver(c Config, p *ports, rec results.Recorder) (o *observer, err error) {
	o = &observer{conf: c, rec: rec}
	o.guest = newGuest(c.GuestMAC, p, o.emit)
	o.census = newCensus(c, p, o.emit)
	o.flows, err = newFlows(c, o.emit)
	return o, err
}

// emit completes a record and gives it away.
func (o *observer) emit(r results.Record) {
	r.Host, r.Source = o.conf.Host, o.conf.Name
	o.rec.Record(r)
}

// drink looks at all frames until the source has no more.
func (o *observer) drink(src Source) error {
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := o.see(f); err != nil {
			return err
		}
	}
}

// see looks at one frame.
func (o *observer) see(f Frame) error {
	o.longest = max(o.longest, f.Length)
	if err := o.packet.Decode(f.Link, f.Data, f.Length); err != nil {
		o.malformed++
	}
	if len(o.conf.GuestMAC) > 0 {
		o.guest.observe(&o.packet, f)
	}
	if o.census != nil {
		o.census.observe(&o.packet, f)
	}
	for _, flow := range o.flows {
		flow.see(&o.packet, f.Time, f.Length)
	}
	if o.keeper == nil {
		return nil
	}
	return o.keeper.add(f)
}

// end records what is left and the totals, and closes the file.
func (o *observer) end(src Source, meter *probes.Meter) error {
	for _, flow := range o.flows {
		flow.end()
	}
	var errs []error
	if o.keeper != nil {
		errs = append(errs, o.keeper.close())
		meter.Dropped(o.keeper.lost)
	}
	s, err := src.Stats()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	meter.Dropped(s.Dropped)
	now := time.Now().UnixNano()
	frames := results.Record{Time: now, Name: results.CaptureFrames, Value: float64(s.Frames), Unit: results.One}
	if o.malformed > 0 {
		frames.Attrs = map[string]string{"malformed": strconv.FormatInt(o.malformed, 10)}
	}
	o.emit(frames)
	o.emit(results.Record{Time: now, Name: results.CaptureDropped, Value: float64(s.Dropped), Unit: results.One})
	if s.Frames > 0 { // the longest of no frames is not known
		o.emit(results.Record{Time: now, Name: results.CaptureMaxFrame, Value: float64(o.longest), Unit: results.Bytes})
	}
	return errors.Join(errs...)
}
