package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/provision"
)

// usesStore reports whether the trial needs the image server's host.
func usesStore(s *spec.Experiment) bool {
	switch p := s.Provision; p.Method {
	case provision.NBD, provision.Tree:
		return true
	case provision.Copy:
		return p.From == provision.FromStore
	default:
		return false
	}
}

// prepareDisks makes what does not count as bringing a guest's disk.
func (f *fleet) prepareDisks(ctx context.Context, rec results.Recorder) error {
	s := f.site
	t := s.lab.bootable(s.trial.Spec).template
	if t.Path == "" {
		return nil
	}
	p := s.trial.Spec.Provision
	c := provision.Config{
		Method: p.Method, From: p.From, Fanout: p.Fanout, Prefetch: p.Prefetch, Template: t, Recorder: rec,
	}
	for _, h := range f.hosts {
		dir := filepath.Join(s.large, "images-"+h.Name())
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make a folder for images: %w", err)
		}
		c.Hosts = append(c.Hosts, provision.HostConfig{Host: h, Addr: s.bed.LanAddr(h.Name()).String(), Dir: dir})
	}
	if h := s.bed.Store(); h != nil {
		c.Store = provision.Store{Host: h, Addr: s.bed.LanAddr(testbed.Store).String()}
	}
	disks, err := provision.New(ctx, c)
	if err != nil {
		return err
	}
	f.disks = disks
	var list []provision.Disk
	if s.trial.Spec.Guest.Start == "cold" {
		for n := range fleetSize(s.trial.Spec) {
			h := f.hosts[n%len(f.hosts)]
			list = append(list, provision.Disk{Guest: f.Name(n), Host: h, Path: f.diskPath(n, h)})
		}
	} else {
		for _, h := range f.hosts {
			list = append(list, provision.Disk{Guest: savedName(h), Host: h, Path: f.savedDisk(h)})
		}
	}
	if err := disks.Prepare(ctx, list); err != nil {
		return err
	}
	return f.learn(ctx)
}

// learn lets a guest boot once, in the run, to know what a first boot reads: that is what is prefetched.
func (f *fleet) learn(ctx context.Context) error {
	s := f.site
	if !s.trial.Spec.Provision.Prefetch {
		return nil
	}
	key := imageKey(s.trial.Spec)
	if extents, known := s.lab.touched[key]; known {
		return f.disks.SetPrefetch(extents)
	}
	path := filepath.Join(s.large, "learning.img")
	learnt, err := f.disks.ProvideLearning(ctx, f.hosts[0], path)
	if err != nil {
		return err
	}
	if err := f.bootOnce(ctx, path); err != nil {
		return fmt.Errorf("boot a guest to learn what it reads: %w", err)
	}
	extents, err := learnt(ctx)
	if err != nil {
		return err
	}
	s.lab.touched[key] = extents
	return f.disks.SetPrefetch(extents)
}

// bootOnce boots the first guest with a disk until it is ready, and ends it.
func (f *fleet) bootOnce(ctx context.Context, path string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	spec, err := f.specOf(0, "learning", 0)
	if err != nil {
		return err
	}
	h := f.hosts[0]
	spec.Disk = diskAt(path, f.disks.Format(), f.site.lab.bootable(f.site.trial.Spec).template.Size, h.Name())
	g, err := f.site.Driver().Boot(ctx, h, spec, discard{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	return f.Await(ctx, 0, discard{})
}
