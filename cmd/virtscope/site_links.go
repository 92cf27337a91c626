package main

import (
	"context"
	"errors"
	"net/netip"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/host"
	"virtscope/testbed/traffic"
)

// Cut implements runner.Site.
func (s *site) Cut(ctx context.Context, link string, h host.Host) (func(context.Context) error, error) {
	return s.bed.Cut(ctx, link, h.Name())
}

// Links implements runner.Site.
func (s *site) Links(ctx context.Context) ([]results.Record, error) {
	return s.bed.LinkRecords(ctx, machine)
}

// client is the host on which the echo and load clients run.
func (s *site) client() *host.Netns {
	switch s.trial.Spec.Testbed.Client {
	case "source":
		return s.bed.Source()
	case "destination":
		return s.bed.Destination()
	}
	return s.bed.Client()
}

// Background implements runner.Site: cross-traffic.
func (s *site) Background(ctx context.Context, rec results.Recorder) (func() error, error) {
	c := s.trial.Spec.Testbed.CrossTraffic
	if c == nil {
		return func() error { return nil }, nil
	}
	var stops []func() error
	stop := func() error {
		var errs []error
		for _, f := range stops {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	for _, config := range crossTraffic(*c, s.bed.Source(), s.bed.Destination(), s.bed.MigrationAddr) {
		f, err := traffic.Start(ctx, config, rec)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		stops = append(stops, f)
	}
	return stop, nil
}

// crossTraffic is what an experiment asks for in the words of package traffic, a direction each. Both directions share the
// rate evenly.
func crossTraffic(c spec.CrossTraffic, src, dst traffic.Host, addr func(name string) netip.Addr) []traffic.Config {
	forward := traffic.Config{
		From: src, To: dst, Addr: addr(testbed.Destination),
		Kind: c.Kind, Rate: float64(c.Rate), Flows: c.Flows, Direction: "forward",
	}
	reverse := forward
	reverse.From, reverse.To, reverse.Addr, reverse.Direction = dst, src, addr(testbed.Source), "reverse"
	switch c.Direction {
	case "reverse":
		return []traffic.Config{reverse}
	case "both":
		forward.Rate, reverse.Rate = forward.Rate/2, reverse.Rate/2
		return []traffic.Config{forward, reverse}
	}
	return []traffic.Config{forward}
}
