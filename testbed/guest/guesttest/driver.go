package guesttest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// Name of the driver in an experiment.
const Name = "scripted"

// Config of the driver.
type Config struct {
	// Command is a program that calls RunGuest with the arguments that follow: this program itself, as a rule.
	Command []string
}

// A Driver makes scripted guests. It needs hosts of this machine, since its processes share a clock.
type Driver struct{ command []string }

// New returns the scripted driver.
func New(c Config) *Driver { return &Driver{command: c.Command} }

var _ guest.Driver = (*Driver)(nil)

// Name implements guest.Driver.
func (*Driver) Name() string { return Name }

// Fingerprint implements guest.Driver.
func (d *Driver) Fingerprint(ctx context.Context, h host.Host, s guest.Spec) (guest.Capabilities, error) {
	if err := ctx.Err(); err != nil {
		return guest.Capabilities{}, err
	}
	if _, ok := h.(host.Doer); !ok {
		return guest.Capabilities{}, &guest.NotSupportedError{
			Feature: "the scripted guest", Where: "host " + h.Name(), Remedy: "it needs hosts of this machine: set testbed.kind: local",
		}
	}
	if len(d.command) == 0 {
		return guest.Capabilities{}, errors.New("the scripted driver has no command to run its guest")
	}
	if _, err := exec.LookPath(d.command[0]); err != nil {
		return guest.Capabilities{}, fmt.Errorf("find the scripted guest's program: %w", err)
	}
	if _, err := cardOf(s); err != nil {
		return guest.Capabilities{}, err
	}
	return guest.Capabilities{Why: "the scripted guest is a process: it has no hypervisor"}, nil
}

func cardOf(s guest.Spec) (card, error) {
	prefix, err := netip.ParsePrefix(s.NIC.Address)
	if err != nil {
		return card{}, fmt.Errorf("address %q: want one with its prefix length, such as 10.77.0.10/24", s.NIC.Address)
	}
	return parseCard(s.NIC.MAC, prefix.Addr().String())
}

// Boot implements guest.Driver. The guest needs no kernel and no memory size: Spec.NIC and Spec.Dir are used.
func (d *Driver) Boot(ctx context.Context, h host.Host, s guest.Spec, rec results.Recorder) (guest.Instance, error) {
	if _, err := d.Fingerprint(ctx, h, s); err != nil {
		return nil, fmt.Errorf("boot scripted guest on %s: %w", h.Name(), err)
	}
	if info, err := os.Stat(s.Dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("boot scripted guest on %s: want a folder for sockets: %q: %w", h.Name(), s.Dir, errors.Join(err, os.ErrInvalid))
	}
	i := &instance{
		command: d.command, spec: s, rec: rec, done: make(chan struct{}),
		agent: agent.NewClient(guest.AgentReporter(rec)),
	}
	m, err := i.spawn(ctx, h, "source", "")
	if err != nil {
		return nil, fmt.Errorf("boot scripted guest on %s: %w", h.Name(), errors.Join(err, i.agent.Close()))
	}
	i.agent.Use(h.Name())
	i.moveTo(m)
	return i, nil
}
