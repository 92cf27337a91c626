// Package energy samples the machine's energy counters (RAPL), through the kernel's powercap files
// (Documentation/power/powercap/powercap.rst).
package energy

import (
	"context"
	"fmt"
	"time"
	"virtscope/probes"
	"virtscope/results"
)

// Root is where the kernel keeps its power capping zones.
const Root = "/sys/class/powercap"

// Config says what is sampled.
type Config struct {
	Host     string        // this machine, whose clock stamps the samples
	Interval time.Duration // between samples; 0 is 100 ms
	Root     string        // empty is Root
}

// New makes a probe that samples every energy counter at an interval, once when it is armed and once when it
// ends. Each sample is what the domain used since the probe was armed, in J; a counter that wraps round is
// carried on.
//
// Domains nest: attribute domain of a sub-zone begins with its zone's, as in "package-0" and "package-0/dram".
// A package's energy includes its core and uncore (not its dram): never add domains blindly. The counters
// are the machine's: all that runs on it is in them.
func New(c Config) probes.Probe {
	if c.Interval == 0 {
		c.Interval = 100 * time.Millisecond
	}
	if c.Root == "" {
		c.Root = Root
	}
	return &probe{conf: c}
}

type probe struct{ conf Config }

// Name implements probes.Probe.
func (p *probe) Name() string { return results.SourceEnergy }

// Run implements probes.Probe.
func (p *probe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	meter := probes.NewMeter(p.conf.Host, results.SourceEnergy)
	defer meter.Record(rec)
	done := meter.Thread()
	defer done()
	zones, err := find(p.conf.Root)
	if err != nil {
		return err
	}
	for _, z := range zones {
		if err := z.begin(p.conf.Interval); err != nil {
			return err
		}
	}
	if err := p.sample(zones, rec); err != nil {
		return err
	}
	armed()
	for late := range probes.Ticks(ctx, p.conf.Interval) {
		meter.Late(late)
		if err := p.sample(zones, rec); err != nil {
			return err
		}
	}
	return p.sample(zones, rec)
}

func (p *probe) sample(zones []*zone, rec results.Recorder) error {
	for _, z := range zones {
		at := time.Now().UnixNano()
		joules, err := z.used()
		if err != nil {
			return fmt.Errorf("sample energy: %w", err)
		}
		rec.Record(results.Record{
			Time: at, Host: p.conf.Host, Source: results.SourceEnergy, Name: results.Energy,
			Value: joules, Unit: results.Joules, Attrs: z.attrs,
		})
	}
	return nil
}
