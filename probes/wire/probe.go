package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"virtscope/probes"
	"virtscope/probes/capture"
	"virtscope/results"
)

// ProbeConfig says where a probe decodes.
type ProbeConfig struct {
	Session Config // its Port is ignored
	Live    capture.LiveOptions
	Ports   map[string]string // interface → port; an interface that is not in it is its own port
}

// NewProbe makes a probe that decodes the migrations that pass an interface. It records what a Session does, and
// CaptureFrames and CaptureDropped: of a stream with a hole it says so, but cannot count what was in it.
func NewProbe(c ProbeConfig) probes.Probe { return &probe{c} }

type probe struct{ conf ProbeConfig }

// Name implements probes.Probe.
func (p *probe) Name() string { return results.SourceWire }

// Run implements probes.Probe.
func (p *probe) Run(ctx context.Context, rec results.Recorder, armed func()) (err error) {
	meter := probes.NewMeter(p.conf.Session.Host, p.Name())
	defer meter.Record(rec)
	defer meter.Thread()()
	live, err := capture.Open(p.conf.Live)
	if err != nil {
		return fmt.Errorf("decode on %s: %w", p.conf.Session.Host, err)
	}
	defer func() { err = errors.Join(err, live.Close()) }()
	stopWatching := context.AfterFunc(ctx, live.Stop)
	defer stopWatching()
	armed()
	conf := p.conf.Session
	conf.Port = func(_, iface int) string {
		name := live.Interfaces()[iface]
		if port, ok := p.conf.Ports[name]; ok {
			return port
		}
		return name
	}
	s := New(conf, rec)
	if err := s.Drink(live); err != nil {
		return err
	}
	s.End()
	stats, err := live.Stats()
	if err != nil {
		return err
	}
	meter.Dropped(stats.Dropped)
	now := time.Now().UnixNano()
	s.emit(results.Record{Time: now, Name: results.CaptureFrames, Value: float64(stats.Frames), Unit: results.One})
	s.emit(results.Record{Time: now, Name: results.CaptureDropped, Value: float64(stats.Dropped), Unit: results.One})
	return nil
}

// Drink looks at all frames of one source.
func (s *Session) Drink(src capture.Source) error {
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.Frame(0, f)
	}
}
