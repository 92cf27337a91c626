package main

import (
	"sync"
	"time"
	"virtscope/testbed/guest/agent"
)

// A system is what the agent runs in.
type system interface {
	// prepare does what must be done before devices are there.
	prepare(b *bootLog) error
	// network returns the guest's IPv4 address once its card is up, or empty where it has none.
	network(out *outbox, b *bootLog) (address string, err error)
	// boot adds to b what the system knows of its start. Where something is not known, why says so.
	boot(b bootLog) (boot *agent.Boot, why error)
	// units says what the system's own clock of its start says.
	units() (*agent.Units, error)
	// runs refuses a kind of workload that needs another system.
	runs(kind string) error
}

// run sets the agent up and serves it. It returns only on an error.
func run(sys system, b *bootLog) error {
	setProcs(cpus())
	if err := sys.prepare(b); err != nil {
		return err
	}
	if err := takeName(); err != nil {
		return err
	}
	out, err := newOutbox()
	if err != nil {
		return err
	}
	p, err := openPort(patience)
	if err != nil {
		return err
	}
	console("port %s: open", agent.Port)
	failed := make(chan error)
	go func() {
		if err := urgentThread(); err != nil {
			out.log("%v", err)
		}
		failed <- out.send(func(b []byte) error { _, err := p.Write(b); return err })
	}()
	address, err := startNetwork(sys, b, out, failed)
	if err != nil {
		out.log("%v", err)
		sleepUntil(mono() + int64(time.Second)) // let the controller read why
		return err
	}
	b.agent = mono()
	s := newServer(out, sys, bootOnce(sys, *b, out))
	s.address = address
	if s.every, err = givenRhythm(); err != nil {
		return err
	}
	go func() {
		if err := urgentThread(); err != nil {
			out.log("%v", err)
		}
		newTicker(mono(), s.every, &s.running, out.report).run()
	}()
	go func() {
		if err := s.greet(); err != nil {
			failed <- err
		}
	}()
	go func() { failed <- s.serve(p) }()
	console("ready")
	return <-failed
}

// startNetwork answers echo requests from the moment on at which the network is up, and returns the guest's address.
func startNetwork(sys system, b *bootLog, out *outbox, failed chan<- error) (string, error) {
	fd, err := echoSocket(echoPort)
	if err != nil {
		return "", err
	}
	go func() {
		if err := urgentThread(); err != nil {
			out.log("%v", err)
		}
		failed <- echo(fd)
	}()
	return sys.network(out, b)
}

// bootOnce reads how the guest started when it is asked first.
func bootOnce(sys system, b bootLog, out *outbox) func() *agent.Boot {
	return sync.OnceValue(func() *agent.Boot {
		boot, err := sys.boot(b)
		if err != nil {
			out.log("part of the guest's start is not known: %v", err)
		}
		return boot
	})
}

// greet says hello until the host answers: it may attach late. How the guest started is said once, after the first hello.
func (s *server) greet() error {
	for first := true; first || !s.asked.Load(); first = false {
		h, err := hello(s.every)
		if err != nil {
			return err
		}
		if err := s.out.say(&agent.Message{Hello: h}); err != nil {
			return err
		}
		if first {
			if err := s.out.say(&agent.Message{Boot: s.boot()}); err != nil {
				return err
			}
		}
		sleepUntil(mono() + int64(200*time.Millisecond))
	}
	return nil
}
