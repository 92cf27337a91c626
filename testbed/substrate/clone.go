package substrate

import (
	"context"
	"errors"
	"fmt"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// A Clone is a guest that was restored. It stands stopped until it is activated.
type Clone struct {
	Instance guest.Instance
	Spec     guest.Spec // what it was restored with
	saved    *Saved
}

// Clone restores a guest on h from what was saved, as spec names it: names, paths, the NIC and the disk are its own, all else is as
// it was saved. It stands stopped. The caller closes it.
func (s *Saved) Clone(ctx context.Context, h host.Host, spec guest.Spec, rec results.Recorder) (*Clone, error) {
	s.shape(&spec)
	g, err := s.cfg.Driver.Restore(ctx, h, spec, guest.RestoreOptions{
		Format: s.cfg.Format, Memory: s.memory, State: s.state,
		// A guest whose memory is to be a file of its own reads all of it.
		OnDemand: s.cfg.Format == guest.FormatMemoryFile && spec.Start.MemoryFile == "", Paused: true,
	}, rec)
	if err != nil {
		return nil, fmt.Errorf("restore a saved guest: %w", err)
	}
	return &Clone{Instance: g, Spec: spec, saved: s}, nil
}

// An Order is what a clone becomes.
type Order struct {
	// Identity that it takes; nil leaves it the one that it was saved with.
	Identity *agent.Identity
	// Memory in B that it is given; 0 is all that it was booted with.
	Memory int64
	// VCPUs that it is given; 0 leaves those that it has.
	VCPUs int
}

// Activate lets a clone go on, tells it who it is, and gives it memory and vCPUs.
func (c *Clone) Activate(ctx context.Context, o Order) error {
	if err := c.activate(ctx, o); err != nil {
		return fmt.Errorf("activate a saved guest: %w", err)
	}
	return nil
}

func (c *Clone) activate(ctx context.Context, o Order) error {
	a, err := agentOf(c.Instance)
	if err != nil {
		return err
	}
	p, ok := c.Instance.(guest.Pausable)
	if !ok {
		return unable(c.saved.cfg.Driver, "stopping a guest")
	}
	if err := p.Resume(ctx); err != nil {
		return err
	}
	if o.Identity != nil {
		got, err := a.Identify(ctx, *o.Identity)
		if err != nil {
			return err
		}
		if err := same(*o.Identity, got); err != nil {
			return err
		}
	}
	if err := c.grow(ctx, o); err != nil {
		return err
	}
	return c.plug(ctx, a, o.VCPUs)
}

func (c *Clone) grow(ctx context.Context, o Order) error {
	if c.saved.cfg.Memory == 0 {
		return nil
	}
	want := o.Memory
	if want == 0 {
		want = c.saved.cfg.Guest.Memory
	}
	return setMemory(ctx, c.Instance, want)
}

func (c *Clone) plug(ctx context.Context, a *agent.Client, n int) error {
	if n <= c.saved.cfg.Guest.VCPUs {
		return nil
	}
	r, ok := c.Instance.(guest.Resizer)
	if !ok {
		return unable(c.saved.cfg.Driver, "plugging in vCPUs")
	}
	limited, cancel := context.WithTimeout(ctx, resizeLimit)
	defer cancel()
	if err := r.AddVCPUs(limited, n); err != nil {
		return err
	}
	got, err := a.VCPUs(limited, n)
	if err != nil {
		return err
	}
	if got != n {
		return &guest.OutcomeError{Reason: fmt.Sprintf("the guest runs on %d vCPUs, not the %d that it was given", got, n)}
	}
	return nil
}

// same holds what a guest says of itself against what it was told.
func same(want, got agent.Identity) error {
	if want.Name != got.Name || want.Address != got.Address || want.MAC != got.MAC {
		return &guest.OutcomeError{
			Reason: "the guest did not take its identity",
			Err:    fmt.Errorf("it is %s, %s, %s; want %s, %s, %s", got.Name, got.Address, got.MAC, want.Name, want.Address, want.MAC),
		}
	}
	if want.MachineID != "" && got.MachineID != "" && want.MachineID != got.MachineID {
		return &guest.OutcomeError{Reason: "the guest did not take its identity", Err: errors.New("it has the machine id " + got.MachineID)}
	}
	return nil
}
