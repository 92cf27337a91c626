// Package usage samples what the machine, its networks and the processes of a guest use.
package usage

import (
	"context"
	"fmt"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"
)

// Config says what is sampled.
type Config struct {
	Host      string           // this machine: its clock stamps the samples, and the host.cpu … records are its
	Interval  time.Duration    // between samples; 0 is 100 ms
	Networks  []Network        // whose interfaces are counted
	Processes func() []Process // asked at every sample, by the probe's goroutine; nil is none
}

// A Network is a host's network; its interfaces' records carry that host's name.
type Network struct {
	Host string
	In   host.Doer
}

// A Process is one to watch. Its records carry the host's name; attribute process is the role.
type Process struct {
	Host string
	Role string // such as "source" or "destination"
	PID  int
}

// New makes a probe that samples the counters of vocabulary.go at an interval, once when it is armed and once
// when it ends. Cumulative counters are recorded as the kernel keeps them.
//
// Resolution: the machine's CPU time comes in ticks of 10 ms (USER_HZ, proc_stat(5)), and on kernels that
// account by tick it is itself a sample of what ran at each tick. A process's CPU time is the scheduler's, in
// ns (CLOCK_PROCESS_CPUTIME_ID, threads that ended included). A thread's is the scheduler's too, in ns
// (schedstat), or, on kernels that do not account that, in ticks of 10 ms: one source for a whole run. What a
// thread used between its last sample and its end is in its process's time only.
//
// A process that is gone is no error: its series ends. Anything else that cannot be read is.
func New(c Config) probes.Probe {
	if c.Interval == 0 {
		c.Interval = 100 * time.Millisecond
	}
	return &probe{conf: c}
}

type probe struct{ conf Config }

// Name implements probes.Probe.
func (p *probe) Name() string { return results.SourceUsage }

// Run implements probes.Probe.
func (p *probe) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	meter := probes.NewMeter(p.conf.Host, results.SourceUsage)
	defer meter.Record(rec)
	done := meter.Thread()
	defer done()
	s, err := newSampler(p.conf, rec)
	if err != nil {
		return fmt.Errorf("usage of %s: %w", p.conf.Host, err)
	}
	defer s.close()
	if err := s.sample(false); err != nil {
		return fmt.Errorf("usage of %s: %w", p.conf.Host, err)
	}
	armed()
	for late := range probes.Ticks(ctx, p.conf.Interval) {
		meter.Late(late)
		if err := s.sample(false); err != nil {
			return fmt.Errorf("usage of %s: %w", p.conf.Host, err)
		}
	}
	if err := s.sample(true); err != nil {
		return fmt.Errorf("usage of %s: %w", p.conf.Host, err)
	}
	return nil
}

// A sampler takes samples of everything.
type sampler struct {
	conf      Config
	rec       results.Recorder
	machine   *machine
	noise     *noise
	networks  []*network
	processes *processes
}

func newSampler(c Config, rec results.Recorder) (*sampler, error) {
	s := &sampler{conf: c, rec: rec}
	var err error
	if s.machine, err = newMachine(); err != nil {
		return nil, err
	}
	if s.processes, err = newProcesses("/proc"); err != nil {
		return nil, err
	}
	for _, n := range c.Networks {
		opened, err := openNetwork(n)
		if err != nil {
			s.close()
			return nil, err
		}
		s.networks = append(s.networks, opened)
	}
	s.noise = newNoise("/proc", "/sys", s.emitter(c.Host))
	return s, s.machine.once(s.emitter(c.Host))
}

// An emitter gives a sample away.
type emitter func(at int64, name string, value float64, unit results.Unit, attrs map[string]string)

func (s *sampler) emitter(host string) emitter {
	return func(at int64, name string, value float64, unit results.Unit, attrs map[string]string) {
		s.rec.Record(results.Record{Time: at, Host: host, Source: results.SourceUsage, Name: name, Value: value, Unit: unit, Attrs: attrs})
	}
}

// sample samples all; last says that there will be no other.
func (s *sampler) sample(last bool) error {
	if err := s.machine.sample(s.emitter(s.conf.Host)); err != nil {
		return err
	}
	if err := s.noise.sample(s.emitter(s.conf.Host), last); err != nil {
		return err
	}
	for _, n := range s.networks {
		if err := n.sample(s.emitter(n.host)); err != nil {
			return err
		}
	}
	if s.conf.Processes == nil {
		return nil
	}
	return s.processes.sample(s.conf.Processes(), s.emitter)
}

func (s *sampler) close() {
	for _, n := range s.networks {
		n.close()
	}
	s.processes.close()
	if s.noise != nil {
		s.noise.close()
	}
}
