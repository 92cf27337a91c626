// Package provision brings guests' disks to their hosts: by copies, shared blocks, overlays, and image servers.
package provision

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
	"virtscope/testbed/undo"
)

// The methods, as an experiment names them.
const (
	Present = "present" // the disk is a copy that was there before
	Copy    = "copy"    // a copy of the template, from the host itself or across the store's link
	Reflink = "reflink" // a copy that shares the template's blocks on the host
	Overlay = "overlay" // a qcow2 over the host's own template
	NBD     = "nbd"     // a qcow2 over the store's template, read across the link when it is touched
	Tree    = "tree"    // as NBD, through image servers that cache
)

// Where the template of Copy lies.
const (
	FromHost  = "host"
	FromStore = "store"
)

// DefaultPort is the store's port when Config.Port is 0. The port of a cache is higher by its level, from 1.
const DefaultPort = 10810

// A Template is the image that all disks begin with. Nothing writes to it.
type Template struct {
	Path   string // on this machine
	Format string // raw or qcow2
	Size   int64  // B, as a guest sees it
}

// A Store is the host of the first image server.
type Store struct {
	Host host.Host
	Addr string // IP address at which the hosts reach it
	Dir  string // an existing folder for the template; empty serves it where it is, which a host on this machine can
}

// A HostConfig is a host on which guests start.
type HostConfig struct {
	Host host.Host
	Addr string // IP address at which the other hosts, and itself, reach it; needed where it serves images
	Dir  string // an existing folder, its own, for templates and caches
}

// A Config says how disks come to hosts.
type Config struct {
	Method   string // one of the constants above
	From     string // of Copy: FromHost or FromStore; empty is FromStore
	Fanout   int    // of Tree: how many hosts, or image servers, ask one cache; at least 1, 0 is 4
	Prefetch bool   // of NBD and Tree: brings what SetPrefetch named to each cache at the first Provide. NBD has a cache on each host then
	Template Template
	Store    Store // of NBD, Tree and Copy from the store
	Hosts    []HostConfig
	Port     int              // the store's; 0 is DefaultPort
	Recorder results.Recorder // of what image servers sent and prefetched; used until Close
}

// A Disk is a guest's disk that is to be on a host.
type Disk struct {
	Guest string
	Host  host.Host
	Path  string
}

// A Provisioner brings disks to hosts. Its methods are safe for concurrent use, but Prepare comes first and Close last.
type Provisioner struct {
	c    Config
	plan []server // in order of their start: who is asked starts before who asks
	ask  []int    // by host: the server in plan that its guests ask

	undo   undo.Stack
	ctx    context.Context // ends with Close: for what runs beside Provide
	cancel context.CancelFunc
	beside sync.WaitGroup

	mu      sync.Mutex
	present map[string]Disk // what Prepare made, by guest
	extents []Extent
	known   bool // extents were set
	once    sync.Once
	failed  error // of the prefetch
}

// New checks the configuration; nothing is started and nothing made. What a host or a file system cannot do is a
// *guest.NotSupportedError, here or from Prepare.
func New(_ context.Context, c Config) (*Provisioner, error) {
	c, err := c.checked()
	if err != nil {
		return nil, fmt.Errorf("provision by %s: %w", c.Method, err)
	}
	p := &Provisioner{c: c, present: map[string]Disk{}}
	p.undo.Limit = 30 * time.Second
	p.plan, p.ask = planServers(c)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Format is the format of the disks that Provide brings.
func (p *Provisioner) Format() string {
	switch p.c.Method {
	case Overlay, NBD, Tree:
		return qcow2
	}
	return p.c.Template.Format
}

// Prepare makes whatever need not count as provisioning: the template at the hosts, image servers, and with Present the disks
// themselves. Other methods do not read the disks. It is called once. On an error nothing is left running, and Close removes the rest.
func (p *Provisioner) Prepare(ctx context.Context, disks []Disk) error {
	if err := p.prepare(ctx, disks); err != nil {
		return errors.Join(fmt.Errorf("prepare to provision by %s: %w", p.c.Method, err), p.Close(ctx))
	}
	return nil
}

func (p *Provisioner) prepare(ctx context.Context, disks []Disk) error {
	switch {
	case p.c.Method == Reflink:
		if err := p.checkReflink(ctx); err != nil {
			return err
		}
		return p.spread(ctx)
	case p.c.Method == Overlay || p.c.Method == Copy && p.c.From == FromHost:
		return p.spread(ctx)
	case p.c.Method == Present:
		return p.makePresent(ctx, disks)
	}
	return p.startServers(ctx)
}

// makePresent makes the disks of Present.
func (p *Provisioner) makePresent(ctx context.Context, disks []Disk) error {
	for _, d := range disks {
		if err := bring(ctx, d.Host, p.c.Template.Path, d.Path); err != nil {
			return fmt.Errorf("make the disk of %s: %w", d.Guest, err)
		}
		p.mu.Lock()
		p.present[d.Guest] = d
		p.mu.Unlock()
	}
	return nil
}

// spread brings the template to each host.
func (p *Provisioner) spread(ctx context.Context) error {
	for _, h := range p.c.Hosts {
		path := p.template(h)
		p.undo.Push("remove "+path, func(ctx context.Context) error { return remove(ctx, h.Host, path) })
		if err := bring(ctx, h.Host, p.c.Template.Path, path); err != nil {
			return fmt.Errorf("bring the template to %s: %w", h.Host.Name(), err)
		}
	}
	return nil
}

// template is the path of a host's own template.
func (p *Provisioner) template(h HostConfig) string {
	return filepath.Join(h.Dir, "template."+p.c.Template.Format)
}

// Provide brings the guest's disk to h, at path, where nothing may be. It records ProvisionBegin and ProvisionEnd. Cancelling
// ends it; on an error nothing is left at path. A copy is not forced to the host's disk: the guest begins with what the host's page cache holds, as
// after cp. The disk is the caller's to remove.
func (p *Provisioner) Provide(ctx context.Context, name string, h host.Host, path string, rec results.Recorder) error {
	if err := p.provide(ctx, name, h, path, rec); err != nil {
		return fmt.Errorf("provision the disk of %s on %s by %s: %w", name, h.Name(), p.c.Method, err)
	}
	return nil
}

func (p *Provisioner) provide(ctx context.Context, name string, h host.Host, path string, rec results.Recorder) error {
	i, err := p.hostIndex(h)
	if err != nil {
		return err
	}
	if err := p.beginPrefetch(); err != nil {
		return err
	}
	begin, attrs := time.Now(), map[string]string{"method": p.c.Method, "host": h.Name()}
	record(rec, h, begin, results.ProvisionBegin, attrs)
	if p.c.Method == Present {
		if err := p.checkPresent(name, h, path); err != nil {
			return err
		}
	} else if err := p.make(ctx, i, path); err != nil {
		return err
	}
	end := time.Now()
	size, err := allocated(ctx, h, path)
	if err != nil {
		return err
	}
	if p.c.Method == Present {
		size = 0 // it was there: nothing was moved
	}
	record(rec, h, end, results.ProvisionEnd, with(attrs, "bytes", size))
	return nil
}

func (p *Provisioner) checkPresent(name string, h host.Host, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.present[name]
	if !ok || d.Host.Name() != h.Name() || d.Path != path {
		return fmt.Errorf("no disk was prepared at %s: name it to Prepare", path)
	}
	return nil
}

func (p *Provisioner) hostIndex(h host.Host) (int, error) {
	for i, c := range p.c.Hosts {
		if c.Host.Name() == h.Name() {
			return i, nil
		}
	}
	return 0, errors.New("it is none of the hosts that were prepared")
}

// Close ends the image servers and the prefetch, and removes templates and caches from the hosts. Disks stay. It is idempotent.
// Guests whose disks read from an image server must have ended.
func (p *Provisioner) Close(ctx context.Context) error {
	p.cancel()
	p.beside.Wait()
	return p.undo.Run(ctx)
}
