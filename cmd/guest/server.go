package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"virtscope/testbed/guest/agent"
)

// A server answers the controller's requests, one after the other.
type server struct {
	out     *outbox
	every   rhythm                 // of the ticker
	address string                 // the guest's; empty without a network
	running atomic.Pointer[meters] // read by the ticker
	asked   atomic.Bool            // a request came: the host listens
	system  system
	boot    func() *agent.Boot

	job    *job
	static *region
	kept   []keeper // what the last workload wrote
	work   worker
}

func newServer(out *outbox, sys system, boot func() *agent.Boot) *server {
	s := &server{out: out, every: watchful, system: sys, boot: boot}
	s.work.say = func(d agent.JobDone) { _ = out.say(&agent.Message{JobDone: &d}) } // numbers always encode
	s.work.begin = func() {
		setProcs(cpus() + 1)
		s.yieldToAgent()
	}
	return s
}

// serve handles requests until r fails.
func (s *server) serve(r io.Reader) error {
	in := bufio.NewReaderSize(r, requestBuffer)
	for {
		line, err := readRequest(in)
		if long := (*tooLong)(nil); errors.As(err, &long) {
			if err := s.refuse(long); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		req, err := decodeRequest(line)
		if err != nil {
			s.out.log("ignored a request that is no JSON: %v", err)
			continue
		}
		s.asked.Store(true)
		reply := s.handle(req)
		reply.ID = req.ID
		if err := s.out.say(&reply); err != nil {
			return err
		}
	}
}

// refuse answers a request that is too long, so that nobody waits for it.
func (s *server) refuse(long *tooLong) error {
	if long.id == 0 {
		s.out.log("ignored a request: %v", long)
		return nil
	}
	return s.out.say(&agent.Message{ID: long.id, Error: long.Error()})
}

func (s *server) handle(req *agent.Request) agent.Message {
	var (
		m   agent.Message
		err error
	)
	switch req.Op {
	case agent.OpHello:
		m.Hello, err = hello(s.every)
	case agent.OpReserve:
		err = s.reserve(req.Memory)
	case agent.OpStart:
		err = s.start(req.Workload)
	case agent.OpStop:
		m.Progress, err = s.stop()
	case agent.OpVerify:
		m.Verdict, err = s.verify()
	case agent.OpForget:
		err = s.forget()
	case agent.OpIdentify:
		m.Identity, err = s.identify(req.Identity, patienceOf(req))
		m.Given = err == nil
	case agent.OpIdentity:
		m.Identity, err = identity()
	case agent.OpVCPUs:
		m.VCPUs, err = takeCPUs(cpuRoot, req.VCPUs, patienceOf(req))
		m.Asked = req.VCPUs
		setProcs(m.VCPUs)
	case agent.OpJob:
		err = s.work.take(req.Job)
	case agent.OpBoot:
		m.Boot = s.boot()
	case agent.OpUnits:
		m.Units, err = s.system.units()
	default:
		err = fmt.Errorf("handle request %q: no such operation in version %d", req.Op, agent.Version)
	}
	if err != nil {
		return agent.Message{Error: err.Error()}
	}
	return m
}

func patienceOf(req *agent.Request) time.Duration {
	if req.Patience <= 0 {
		return patience
	}
	return time.Duration(req.Patience)
}

// reserve replaces the static region.
func (s *server) reserve(m *agent.Memory) (err error) {
	if m == nil {
		return errors.New("reserve memory: the request has none")
	}
	s.static.release()
	s.static = nil
	if m.Bytes == 0 {
		return nil
	}
	s.static, err = newRegion("static region", m.Bytes, m.Seed, layoutFor(0), true)
	return err
}

func (s *server) start(w *agent.Workload) (err error) {
	if s.job != nil {
		return errors.New("start workload: one is running: stop it first")
	}
	if err := check(w); err != nil {
		return err
	}
	for _, k := range s.kept {
		k.release()
	}
	s.kept = nil
	parts, err := s.prepareAll(w)
	if err != nil {
		return fmt.Errorf("start workload: %w", err)
	}
	for _, p := range parts {
		if p.keeper != nil {
			s.kept = append(s.kept, p.keeper)
		}
	}
	s.job = startJob(parts)
	s.running.Store(&s.job.meters)
	return nil
}

// yieldToAgent puts the calling thread, a workload's, behind the agent's.
func (s *server) yieldToAgent() {
	if err := ordinaryThread(); err != nil {
		s.out.log("%v: the workload may delay heartbeats and answers", err)
	}
}

func (s *server) stop() (*agent.Progress, error) {
	if s.job == nil {
		return nil, errors.New("stop workload: none is running")
	}
	s.running.Store(nil)
	p, err := s.job.stop()
	if err != nil {
		return nil, fmt.Errorf("stop workload: %w", err)
	}
	s.job = nil
	return &p, nil
}

func (s *server) verify() (*agent.Verdict, error) {
	if s.job != nil {
		return nil, errors.New("verify memory: the workload is running: stop it first")
	}
	v := verify(append([]keeper{s.static}, s.kept...)...)
	return &v, nil
}

// hello says what the guest is.
func hello(every rhythm) (*agent.Hello, error) {
	total, err := memory("MemTotal")
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	if err != nil {
		return nil, fmt.Errorf("read clock source: %w", err)
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, fmt.Errorf("read kernel release: %w", err)
	}
	return &agent.Hello{
		Version: agent.Version, Kernel: strings.TrimSpace(string(release)), ClockSource: strings.TrimSpace(string(source)),
		CPUs: cpus(), MemoryTotal: total,
		TickNS: every.tick, MissNS: every.miss, BeatNS: every.beat,
	}, nil
}
