package guesttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// arguments is what a guest's process is told when it starts.
type arguments struct {
	tap      string
	card     card
	agent    string // path of the agent's unix socket
	incoming string // where it listens for another's memory; empty for a guest that boots, savedGuest for one that is told where to read
}

func (a arguments) list() []string {
	return []string{"-tap", a.tap, "-mac", a.card.mac.String(), "-ip", a.card.ip.String(), "-agent", a.agent, "-incoming", a.incoming}
}

func parseArguments(args []string) (a arguments, err error) {
	set := flag.NewFlagSet("scripted-guest", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&a.tap, "tap", "", "")
	set.StringVar(&a.agent, "agent", "", "")
	set.StringVar(&a.incoming, "incoming", "", "")
	mac, ip := set.String("mac", "", ""), set.String("ip", "", "")
	if err := set.Parse(args); err != nil {
		return a, err
	}
	a.card, err = parseCard(*mac, *ip)
	return a, err
}

func parseCard(mac, ip string) (c card, err error) {
	if c.mac, err = net.ParseMAC(mac); err != nil || len(c.mac) != 6 {
		return c, fmt.Errorf("MAC %q: want one such as 52:54:00:12:34:56", mac)
	}
	if c.ip, err = netip.ParseAddr(ip); err != nil || !c.ip.Is4() {
		return c, fmt.Errorf("address %q: want an IPv4 address", ip)
	}
	return c, nil
}

// RunGuest is the scripted guest: the whole life of its process, in the network in which it was started. The
// driver gives args, writes orders to stdin and reads reports from stdout. It returns when the driver says so,
// when stdin ends, when ctx is done, or with the error that ended the guest.
func RunGuest(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	control := newOutbox(stdout)
	defer control.close()
	p, err := newProcess(ctx, args, control)
	if err != nil {
		control.say(report{Error: err.Error()})
		return fmt.Errorf("scripted guest: %w", err)
	}
	defer p.close()
	defer context.AfterFunc(ctx, p.quit)()
	go func() {
		if err := readLines(stdin, func(o order) { p.order(ctx, o) }); err != nil {
			control.say(report{Error: err.Error()})
		}
		p.quit()
	}()
	go p.serveAgent()
	control.say(report{Ready: true})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Without the right to it, the guest may be late; it says when its gate really moved.
	if ordinary, err := host.Urgent(); err == nil {
		defer ordinary()
	}
	if err := p.machine.loop(); err != nil {
		return fmt.Errorf("scripted guest: %w", err)
	}
	return nil
}

type agentConn struct {
	conn net.Conn
	out  *outbox
}

// A process is a guest and its connections.
type process struct {
	args    arguments
	machine *machine
	memory  memory
	words   *words
	control *outbox

	agents   net.Listener
	agent    atomic.Pointer[agentConn] // once its client has connected
	incoming net.Listener              // nil for a guest that boots
}

func newProcess(ctx context.Context, args []string, control *outbox) (p *process, err error) {
	p = &process{control: control}
	if p.args, err = parseArguments(args); err != nil {
		return nil, err
	}
	// Half of it is closed if the other half fails.
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	p.machine = &machine{
		tap: -1, wakeup: -1, card: p.args.card, say: p.say, tell: func(r report) { control.say(r) },
		inbox: make(chan func(), 64), ended: make(chan struct{}),
	}
	var listen net.ListenConfig
	p.words = &words{machine: p.machine, memory: &p.memory}
	if p.machine.wakeup, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return p, fmt.Errorf("make eventfd: %w", err)
	}
	if p.machine.tap, err = openTap(p.args.tap); err != nil {
		return p, err
	}
	if p.args.incoming != "" && p.args.incoming != savedGuest {
		if p.incoming, err = listen.Listen(ctx, "tcp4", p.args.incoming); err != nil {
			return p, fmt.Errorf("wait for a migration: %w", err)
		}
		go p.receive()
	}
	if p.agents, err = listen.Listen(ctx, "unix", p.args.agent); err != nil {
		return p, fmt.Errorf("wait for the agent's client: %w", err)
	}
	return p, nil
}

func (p *process) close() {
	for _, l := range []net.Listener{p.agents, p.incoming} {
		if l != nil {
			_ = l.Close() // it may have been closed, having served
		}
	}
	if c := p.agent.Load(); c != nil {
		c.out.close() // its last words
		_ = c.conn.Close()
	}
	for _, fd := range []int{p.machine.tap, p.machine.wakeup} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (p *process) quit() { p.machine.deliver(func() { p.machine.quit = true }) }

// say is dropped as long as nobody listens.
func (p *process) say(m agent.Message) {
	if c := p.agent.Load(); c != nil {
		c.out.say(m)
	}
}

// serveAgent serves one client. A guest that boots does so when it is there, so that none of its words is lost.
func (p *process) serveAgent() {
	conn, err := p.agents.Accept()
	_ = p.agents.Close() // removes the socket's file
	if err != nil {
		return
	}
	p.agent.Store(&agentConn{conn, newOutbox(conn)})
	if p.args.incoming == "" {
		p.machine.deliver(func() {
			p.machine.boot()
			p.say(agent.Message{Mono: mono(), Hello: hello()})
		})
	}
	err = readLines(conn, func(r agent.Request) {
		p.machine.deliver(func() { p.words.take(r) })
	})
	if err != nil {
		p.say(agent.Message{Mono: mono(), Log: err.Error()})
	}
}

// receive takes one other guest's memory.
func (p *process) receive() {
	conn, err := p.incoming.Accept()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if err := p.memory.receive(conn); err != nil {
		p.control.say(report{Error: err.Error()})
	}
}

// order does what the driver says and reports.
func (p *process) order(ctx context.Context, o order) {
	answer := func(err error) {
		r := report{ID: o.ID}
		if err != nil {
			r.Error = err.Error()
		}
		p.control.say(r)
	}
	switch o.Op {
	case opSend:
		go p.send(ctx, o)
		return
	case opSave:
		go p.save(ctx, o)
		return
	case opLoad:
		go p.load(ctx, o)
		return
	}
	p.machine.deliver(func() { answer(p.obey(o)) })
}

// obey runs in the loop.
func (p *process) obey(o order) error {
	m := p.machine
	switch o.Op {
	case opStop:
		return p.agreeToStop(o.At)
	case opWake:
		if m.running {
			return errors.New("wake: the guest runs")
		}
		m.wakeAt = o.At // 0 takes it back; an instant that has passed is now
		return nil
	case opThaw:
		return m.thaw()
	case opAdopt:
		if o.State == nil {
			return errors.New("adopt: no state is given")
		}
		return m.adopt(*o.State)
	case opQuit:
		m.quit = true
		return nil
	}
	return fmt.Errorf("unknown order %q", o.Op)
}

func (p *process) agreeToStop(at int64) error {
	m := p.machine
	switch {
	case !m.running:
		return errors.New("stop: the guest does not run")
	case at == 0:
		m.stopAt, p.words.migrating = 0, false
	case at <= mono():
		return errors.New("stop: the instant has passed")
	default:
		m.stopAt = at
	}
	return nil
}

func (p *process) send(ctx context.Context, o order) {
	frozen := make(chan struct{})
	if !p.machine.deliver(func() { p.words.migrating = true; close(frozen) }) {
		return
	}
	<-frozen
	n, err := p.memory.sendTo(ctx, o.Address, func() { p.control.say(report{Connected: true}) })
	r := report{ID: o.ID, Bytes: n}
	if err != nil {
		r.Error = err.Error()
	}
	p.control.say(r)
}
