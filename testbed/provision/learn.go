package provision

import (
	"context"
	"fmt"
	"virtscope/testbed/host"
)

// learningPort is above the ports of all caches' levels.
const learningPort = 40

// ProvideLearning makes a disk at path, over a cache that is its own, for a guest that boots once on h and then ends: what it reads
// of the template stays in that cache. Learnt, which is called when the guest has ended, lists it, rounded to clusters of 64 KiB, and removes the cache. It
// needs a method with image servers, and h among its hosts.
func (p *Provisioner) ProvideLearning(ctx context.Context, h host.Host, path string) (learnt func(context.Context) ([]Extent, error), err error) {
	i, err := p.hostIndex(h)
	if err == nil && len(p.plan) == 0 {
		err = fmt.Errorf("method %s has no image server", p.c.Method)
	}
	if err == nil {
		err = checkAddr(p.c.Hosts[i].Addr)
	}
	if err != nil {
		return nil, fmt.Errorf("learn what a first boot reads on %s: %w", h.Name(), err)
	}
	at := p.c.Hosts[i]
	s := server{host: h, addr: at.Addr, port: p.c.Port + learningPort, dir: at.Dir, level: learningPort, parent: 0}
	if err := p.makeCache(ctx, s); err != nil {
		return nil, err
	}
	process, err := serve(ctx, s, cacheArguments(s, p.plan[0]))
	if err != nil {
		return nil, fmt.Errorf("start image server on %s: %w", h.Name(), err)
	}
	p.undo.Push("stop image server on "+h.Name(), process.Stop)
	err = made(ctx, h, path, func() error { return p.overlay(ctx, h, s.url(), raw, path) })
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]Extent, error) {
		if err := process.Stop(ctx); err != nil { // it writes what it knows to its file
			return nil, err
		}
		extents, err := Learn(ctx, h, s.cache())
		if err != nil {
			return nil, err
		}
		return extents, remove(ctx, h, s.cache())
	}, nil
}
