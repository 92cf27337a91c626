package qemu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// A migration is ready: the destination listens.
type migration struct {
	guest    *instance
	src, dst *machine
	options  guest.MigrateOptions
	uri      string
	disk     diskCopy // nil: there is no disk to copy
}

// PrepareMigration implements guest.Migrator: it starts the destination's QEMU and lets it listen, and sets
// capabilities and parameters on both sides.
func (i *instance) PrepareMigration(ctx context.Context, dst host.Host, o guest.MigrateOptions) (guest.Migration, error) {
	if o.Algorithm != "precopy" && o.Algorithm != guest.PostCopy {
		return nil, &guest.NotSupportedError{Feature: "migration algorithm " + strconv.Quote(o.Algorithm), Where: "driver qemu", Remedy: "use precopy"}
	}
	if o.Outage != 0 {
		return nil, &guest.NotSupportedError{Feature: "a scripted outage", Where: "driver qemu", Remedy: "set guest.driver: scripted"}
	}
	if err := checkDiskCopy(i.spec, o); err != nil {
		return nil, err
	}
	if err := i.drop(dst); err != nil {
		return nil, err
	}
	if err := prepareDiskImage(ctx, i.spec, i.Host().Name(), dst.Name(), o); err != nil {
		return nil, err
	}
	vm, err := i.spawn(ctx, dst, true)
	if err != nil {
		return nil, err
	}
	m := &migration{
		guest: i, src: i.running(), dst: vm, options: o,
		uri: "tcp:" + net.JoinHostPort(o.Address, strconv.Itoa(o.Port)),
	}
	if err := m.configure(ctx); err != nil {
		return nil, errors.Join(err, vm.close())
	}
	if movesDisk(i.spec) {
		if m.disk, err = newDiskCopy(m.src, m.dst, i.spec, o, i.rec); err == nil {
			err = m.disk.prepare(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, vm.close())
		}
	}
	return m, nil
}

type capability struct {
	Name  string `json:"capability"`
	State bool   `json:"state"`
}

// parameters is the part of QAPI MigrateSetParameters that virtscope sets.
type parameters struct {
	MaxBandwidth  *int64 `json:"max-bandwidth,omitempty"`  // B/s; 0 is not limited (QEMU's own default is 128 MiB/s)
	DowntimeLimit *int64 `json:"downtime-limit,omitempty"` // ms
}

func (m *migration) configure(ctx context.Context) error {
	bandwidth := int64(math.Round(m.options.MaxBandwidth))
	set := parameters{MaxBandwidth: &bandwidth}
	if m.options.DowntimeLimit > 0 {
		ms := m.options.DowntimeLimit.Milliseconds()
		set.DowntimeLimit = &ms
	}
	capabilities := map[string]any{"capabilities": []capability{{Name: "events", State: true}, {Name: "pause-before-switchover", State: movesDisk(m.guest.spec)}, {Name: "postcopy-ram", State: m.options.Algorithm == guest.PostCopy}}}
	for _, vm := range []*machine{m.src, m.dst} {
		if err := vm.mon.Execute(ctx, "migrate-set-capabilities", capabilities, nil); err != nil {
			return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
		}
		if err := vm.mon.Execute(ctx, "migrate-set-parameters", set, nil); err != nil {
			return fmt.Errorf("prepare migration on %s: %w", vm.host.Name(), err)
		}
	}
	if err := m.dst.mon.Execute(ctx, "migrate-incoming", map[string]string{"uri": m.uri}, nil); err != nil {
		return fmt.Errorf("listen on %s for the migration to %s: %w: is the port taken?", m.uri, m.dst.host.Name(), err)
	}
	return nil
}

// Run implements guest.Migration. A destination whose migration failed is ended with the instance, so that its end does not
// count as migration time.
func (m *migration) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if m.disk != nil {
		defer func() {
			if err != nil {
				m.disk.abandon(ctx)
			}
		}()
		if err := m.disk.run(ctx); err != nil {
			return err
		}
	}
	w := m.follow(ctx)
	if err := m.src.mon.Execute(ctx, "migrate", map[string]string{"uri": m.uri}, nil); err != nil {
		return m.refused(ctx, err)
	}
	if m.options.Algorithm == guest.PostCopy {
		if err := m.src.mon.Execute(ctx, "migrate-start-postcopy", nil, nil); err != nil {
			return err
		}
	}
	if err := w.wait(ctx); err != nil {
		return err
	}
	m.guest.moveTo(m.dst)
	m.guest.agent.Use(m.dst.host.Name())
	if w.giveUp != nil {
		return &guest.OutcomeError{Reason: w.giveUp.Reason + "; it completed while it was being cancelled"}
	}
	return nil
}

// refused tells the source's own refusal from a connection that is gone.
func (m *migration) refused(ctx context.Context, err error) error {
	var refusal *CommandError
	if errors.As(err, &refusal) {
		return &guest.OutcomeError{Reason: "the source refused to migrate", Err: err}
	}
	return m.ended(ctx, m.src)
}
