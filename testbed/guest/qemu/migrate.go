package qemu

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// A migration is ready: the destination listens.
type migration struct {
	guest   *instance
	src     *machine
	dst     *machine // nil where the guest goes nowhere: background-snapshot
	options guest.MigrateOptions
	uri     string   // of migrate and migrate-incoming
	disk    diskCopy // nil where no disk moves
}

// PrepareMigration implements guest.Migrator: it starts the destination's QEMU and lets it listen, and sets
// capabilities and parameters on both sides.
func (i *instance) PrepareMigration(ctx context.Context, dst host.Host, o guest.MigrateOptions) (guest.Migration, error) {
	if err := refuse(i.spec, o, i.accel); err != nil {
		return nil, err
	}
	m := &migration{guest: i, src: i.running(), options: o, uri: "file:" + o.File}
	if err := m.src.unlikeSpec("a migration"); err != nil {
		return nil, err
	}
	if !m.src.saves.busy.TryLock() {
		return nil, errors.New("prepare the migration: the guest is being saved: migrate it after that")
	}
	m.src.saves.busy.Unlock()
	if !viaFile(o) {
		m.uri = "tcp:" + net.JoinHostPort(o.Address, strconv.Itoa(o.Port))
	}
	if o.Algorithm == guest.BackgroundSnapshot {
		return m, m.configure(ctx)
	}
	if err := i.drop(dst); err != nil {
		return nil, err
	}
	if err := prepareDiskImage(ctx, i.spec, m.src.host.Name(), dst.Name(), o); err != nil {
		return nil, err
	}
	vm, err := i.spawn(ctx, dst, role{incoming: true})
	if err != nil {
		return nil, err
	}
	m.dst = vm
	if takesDisk(i.spec, o) {
		m.disk, err = newDiskCopy(m.src, m.dst, i.spec, o, i.rec)
	}
	if err == nil {
		err = m.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, vm.close())
	}
	return m, nil
}

func (m *migration) prepare(ctx context.Context) (err error) {
	if err := m.configure(ctx); err != nil {
		return err
	}
	if m.disk != nil {
		if err := m.disk.prepare(ctx); err != nil {
			return fmt.Errorf("prepare the disk on %s: %w", m.dst.host.Name(), err)
		}
		defer func() {
			if err != nil {
				m.disk.abandon(context.WithoutCancel(ctx))
			}
		}()
	}
	if viaFile(m.options) {
		return nil // it is read when it was written
	}
	return m.listen(ctx)
}

func (m *migration) listen(ctx context.Context) error {
	if err := m.dst.mon.Execute(ctx, "migrate-incoming", map[string]string{"uri": m.uri}, nil); err != nil {
		return fmt.Errorf("let %s receive from %s: %w: is the port taken?", m.dst.host.Name(), m.uri, err)
	}
	return nil
}

func (m *migration) configure(ctx context.Context) error {
	set := settingsFor(m.options, m.disk != nil)
	if m.options.TLS {
		if err := m.exchangeKeys(ctx); err != nil {
			return err
		}
	}
	if err := m.src.configure(ctx, set.source); err != nil {
		return err
	}
	if m.dst == nil {
		return nil
	}
	return m.dst.configure(ctx, set.destination)
}
