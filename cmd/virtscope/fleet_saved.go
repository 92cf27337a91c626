package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/provision"
	"virtscope/testbed/substrate"
)

// A pool holds clones that stand stopped.
type pool struct {
	mu     sync.Mutex
	clones map[string][]*docked // by host
}

// A docked clone was made for guest n.
type docked struct {
	n     int
	clone *substrate.Clone
	rec   *late // of the clone: opened when it is activated
}

// take takes the clone that was made for guest n on a host, if there is one.
func (p *pool) take(h string, n int) *docked {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, d := range p.clones[h] {
		if d.n == n {
			p.clones[h] = append(p.clones[h][:i:i], p.clones[h][i+1:]...)
			return d
		}
	}
	return nil
}

func (p *pool) put(h string, d *docked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clones == nil {
		p.clones = map[string][]*docked{}
	}
	p.clones[h] = append(p.clones[h], d)
}

// close ends those that nobody took.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all sync.WaitGroup
	slots := make(chan struct{}, poolCloses)
	ended := make(chan error, p.size())
	for _, list := range p.clones {
		for _, d := range list {
			slots <- struct{}{}
			all.Go(func() {
				ended <- d.clone.Instance.Close()
				<-slots
			})
		}
	}
	all.Wait()
	close(ended)
	var errs []error
	for err := range ended {
		errs = append(errs, err)
	}
	p.clones = nil
	return errors.Join(errs...)
}

// poolCloses is how many clones end at once: tear-down is short.
const poolCloses = 16

// size is how many clones there are. The caller holds mu.
func (p *pool) size() (n int) {
	for _, list := range p.clones {
		n += len(list)
	}
	return n
}

// prepareSaved saves a guest on each host, from which the fleet's guests are made, and docks clones of it where they are to
// stand spawned.
func (f *fleet) prepareSaved(ctx context.Context, rec results.Recorder) error {
	for i, h := range f.hosts {
		saved, err := f.save(ctx, i, h)
		if err != nil {
			return err
		}
		f.saved[h.Name()] = saved
		at := map[string]string{"host": h.Name()}
		f.record(rec, results.SubstrateMade, saved.Took().Seconds(), results.Seconds, at)
		if !f.substrate() {
			continue // what a warm start is saved in lies on the disk, and takes none of the host's memory
		}
		if err := f.dock(ctx, i, h, rec); err != nil {
			return err
		}
	}
	return nil
}

const (
	dockedSaved   = "saved"
	dockedSpawned = "spawned"
)

func (f *fleet) substrate() bool { return f.site.trial.Spec.Guest.Start == startSubstrate }

// save boots the guest that is saved on a host: the last of the fleet's identities is lent to it, and forgotten.
func (f *fleet) save(ctx context.Context, i int, h host.Host) (*substrate.Saved, error) {
	name := savedName(h)
	parent := f.site.large
	if f.substrate() {
		parent = f.site.memory
	}
	dir := filepath.Join(parent, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for a saved guest: %w", err)
	}
	spec, err := f.specOf(i, name, 0)
	if err != nil {
		return nil, err
	}
	// What happens to it is no part of the trial.
	spec.Start.Observe = false
	if f.disks != nil {
		disk := f.savedDisk(h)
		if err := f.disks.Provide(ctx, name, h, disk, discard{}); err != nil {
			return nil, err
		}
		spec.Disk = diskAt(disk, f.disks.Format(), f.site.lab.bootable(f.site.trial.Spec).template.Size, h.Name())
	}
	g := f.site.trial.Spec.Guest
	c := substrate.Config{
		Driver: f.site.Driver().(substrate.Driver), Host: h, Guest: spec, Dir: dir, Format: f.site.lab.wholeFormat(f.site.trial.Spec),
		Forget: true, BootLimit: bootLimit,
	}
	if f.substrate() {
		c.Format = guest.FormatMemoryFile
		c.Memory, c.VCPUs = int64(g.Substrate.Memory), g.VCPUs
		c.Guest.VCPUs = min(g.Substrate.VCPUs, g.VCPUs)
	}
	return substrate.Make(ctx, c, discard{})
}

func savedName(h host.Host) string { return "saved-" + h.Name() }

func (f *fleet) savedDisk(h host.Host) string {
	return filepath.Join(f.site.large, savedName(h)+".img")
}

// dock spawns the clones that will be activated on a host, where they are to stand spawned, and records what is docked there.
func (f *fleet) dock(ctx context.Context, first int, h host.Host, rec results.Recorder) error {
	count, sum := 0, int64(0)
	for n := first; n < f.spawned(); n += len(f.hosts) {
		d := &docked{n: n, rec: &late{}}
		var err error
		if d.clone, err = f.clone(ctx, n, h, d.rec); err != nil {
			return err
		}
		f.pool.put(h.Name(), d)
		private, _, err := privateMemory(d.clone.Instance, f.saved[h.Name()].Memory())
		if err != nil {
			return err
		}
		count, sum = count+1, sum+private
	}
	bytes, attrs := dockedMemory(f.saved[h.Name()].Bytes(), sum, count)
	attrs["host"] = h.Name()
	f.record(rec, results.SubstrateDocked, bytes, results.Bytes, attrs)
	return nil
}

// dockedMemory is what is docked on a host takes of its memory, all together: what was saved, once, and what is private to each of
// count clones.
func dockedMemory(saved, private int64, count int) (bytes float64, attrs map[string]string) {
	if count == 0 {
		return float64(saved), map[string]string{"docked": dockedSaved, "count": "1"}
	}
	return float64(saved + private), map[string]string{"docked": dockedSpawned, "count": strconv.Itoa(count)}
}

// spawned is how many clones stand spawned before the action: one for each guest, or, where jobs ask for guests, as many as there
// may be at once. The others are made when they are asked for.
func (f *fleet) spawned() int {
	s := f.site.trial.Spec
	if !f.substrate() || s.Guest.Substrate.Docked != dockedSpawned {
		return 0
	}
	if j := s.Action.Jobs; j != nil {
		return min(j.Cap, fleetSize(s))
	}
	return fleetSize(s)
}

// clone makes guest n of what was saved on h; it stands stopped.
func (f *fleet) clone(ctx context.Context, n int, h host.Host, rec results.Recorder) (*substrate.Clone, error) {
	spec, err := f.specOf(n, f.Name(n), 0)
	if err != nil {
		return nil, err
	}
	saved := f.saved[h.Name()]
	if saved.Disk() != "" {
		path := f.diskPath(n, h)
		size := f.site.lab.bootable(f.site.trial.Spec).template.Size
		if err := provision.OverlayOf(ctx, h, saved.Disk(), f.disks.Format(), path, size); err != nil {
			return nil, err
		}
		spec.Disk = diskAt(path, "qcow2", size, h.Name())
	}
	return saved.Clone(ctx, h, spec, rec)
}

// activate makes guest n, and tells it who it is.
func (f *fleet) activate(ctx context.Context, n int, h host.Host, memory int64, rec results.Recorder) (guest.Instance, error) {
	var clone *substrate.Clone
	if d := f.pool.take(h.Name(), n); d != nil {
		d.rec.open(rec)
		clone = d.clone
	} else if made, err := f.clone(ctx, n, h, rec); err != nil {
		return nil, err
	} else {
		clone = made
	}
	g := f.site.trial.Spec.Guest
	order := substrate.Order{Identity: new(f.Identity(n)), Memory: memory}
	order.Identity.Seed = identitySeed(f.site.trial.ID, n)
	if f.substrate() {
		order.VCPUs = g.VCPUs
	}
	if err := clone.Activate(ctx, order); err != nil {
		return nil, errors.Join(err, clone.Instance.Close())
	}
	spec := clone.Spec
	spec.VCPUs = max(spec.VCPUs, order.VCPUs) // those that were plugged in are there from the begin when it is made anew
	f.made(n, spec)
	return clone.Instance, nil
}

// record is the fleet's own.
func (f *fleet) record(rec results.Recorder, name string, value float64, unit results.Unit, attrs map[string]string) {
	rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: runner.Controller, Source: results.SourceRunner, Name: name, Value: value, Unit: unit, Attrs: attrs,
	})
}

// identitySeed tells the random numbers of clones apart.
func identitySeed(trial string, n int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %d", trial, n) // a hash takes anything
	return h.Sum64()
}

// machineID is that of a guest with systemd (machine-id(5)).
func machineID(trial string, n int) string {
	return fmt.Sprintf("%016x%016x", identitySeed(trial, n), identitySeed(trial, n+testbed.MaxGuests))
}
