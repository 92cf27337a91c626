package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// Where a checkpoint goes.
const (
	ToDisk   = "disk"   // of the host that the guest runs on
	ToMemory = "memory" // of that host
	ToOther  = "other"  // the other host's disk
)

// Options say how a guest is saved. The words are those of an experiment's save.
type Options struct {
	Mode        string // stop or live
	Format      string // one of guest's Format constants
	To          string // one of the constants above
	Compression string // none or zstd, of a stream; "" is none
	Disk        string // full or incremental; not read where the guest has none
	Load        string // eager or on-demand
	Keep        int    // checkpoints that are kept, at least 1
}

// A Place is a host with its catalogues. Both are folders of this machine, made if missing.
type Place struct {
	Host    host.Host
	Disk    string         // on the host's disk
	Memory  string         // on a file system in its memory; read where Options.To is memory
	Address netip.AddrPort // where the host takes what another sends, and serves what another asks for; port 0 is any
}

// Config of a vault.
type Config struct {
	Places []Place // the hosts: one, or two
	Driver guest.Driver
	// Spec is a guest for h, to compare with or to restore: names, sockets and the path of its disk are its own, whatever else
	// runs on h.
	Spec func(h host.Host) guest.Spec
	// Version of the hypervisor on a host, for the manifest; nil is not known.
	Version func(h host.Host) string
	Options Options
	Dir     string // an existing folder for sockets, short enough for a unix address
	Clock   string // the host whose clock stamps records; "" is controller
}

// A Vault saves a trial's guest and brings it back. Its methods are safe for concurrent use, and done one at a time but for
// Restore's wait for the guest.
//
// What the driver records of a save has no attribute checkpoint, since the vault's recorder is not the guest's: it belongs to the
// checkpoint between whose begin and end it falls. The runner adds the attribute.
type Vault struct {
	conf     Config
	restorer guest.Restorer
	socket   atomic.Int64 // counts those that were opened

	mu     sync.Mutex
	opened map[string]*Catalogue // by folder
	at     map[string]location   // by checkpoint
	base   base                  // what an increment may go on from
}

// A location is where a checkpoint lies.
type location struct {
	place Place
	c     *Catalogue
}

// A base is the last checkpoint of a guest with its disk.
type base struct {
	g  guest.Instance
	c  *Catalogue
	id string
}

// NewVault makes a vault. A driver that cannot restore is a *guest.NotSupportedError.
func NewVault(c Config) (*Vault, error) {
	restorer, ok := c.Driver.(guest.Restorer)
	if !ok {
		return nil, &guest.NotSupportedError{Feature: "to restore a guest", Where: "driver " + c.Driver.Name(), Remedy: "choose another driver"}
	}
	if c.Clock == "" {
		c.Clock = "controller"
	}
	if c.Version == nil {
		c.Version = func(host.Host) string { return "" }
	}
	if c.Options.Compression == "" {
		c.Options.Compression = CompressionNone
	}
	if c.Options.To == ToOther && len(c.Places) < 2 {
		return nil, errors.New("save to the other host: there is one host: set to: disk or give the testbed two")
	}
	return &Vault{conf: c, restorer: restorer, opened: map[string]*Catalogue{}, at: map[string]location{}}, nil
}

// place is that of a host.
func (v *Vault) place(h host.Host) (Place, error) {
	for _, p := range v.conf.Places {
		if p.Host.Name() == h.Name() {
			return p, nil
		}
	}
	return Place{}, fmt.Errorf("host %s has no catalogue of checkpoints", h.Name())
}

// target is where a guest on home is saved to.
func (v *Vault) target(home Place) (location, error) {
	p, dir := home, home.Disk
	switch v.conf.Options.To {
	case ToMemory:
		dir = home.Memory
	case ToOther:
		for _, other := range v.conf.Places {
			if other.Host.Name() != home.Host.Name() {
				p, dir = other, other.Disk
			}
		}
	}
	c, err := v.open(dir)
	return location{p, c}, err
}

// open opens each catalogue once. The caller holds mu.
func (v *Vault) open(dir string) (*Catalogue, error) {
	if c := v.opened[dir]; c != nil {
		return c, nil
	}
	if dir == "" {
		return nil, fmt.Errorf("save a guest to %s: its host has no folder for that", v.conf.Options.To)
	}
	c, err := Open(dir)
	if err == nil {
		v.opened[dir] = c
	}
	return c, err
}

// find is where a checkpoint lies.
func (v *Vault) find(id string) (location, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.at[id]
	if !ok {
		return at, fmt.Errorf("find checkpoint %q: this trial has made none of that name, or it was pruned", id)
	}
	return at, nil
}

// fingerprint is what a guest on h is like.
func (v *Vault) fingerprint(h host.Host, s guest.Spec) Fingerprint {
	f := Fingerprint{
		Driver: v.conf.Driver.Name(), Version: v.conf.Version(h), Machine: s.Machine, Memory: s.Memory, VCPUs: s.VCPUs,
	}
	add := func(format string, args ...any) { f.Devices = append(f.Devices, fmt.Sprintf(format, args...)) }
	if s.NIC.MAC != "" {
		add("nic %s", s.NIC.MAC)
	}
	if s.Disk != nil {
		add("disk %d", s.Disk.Size)
	}
	if s.Root != "" {
		add("root")
	}
	if s.Start.Balloon {
		add("balloon")
	}
	if s.Start.MaxVCPUs > s.VCPUs {
		add("max vcpus %d", s.Start.MaxVCPUs)
	}
	if s.Start.Seed != "" {
		add("seed")
	}
	return f
}

func (v *Vault) record(rec results.Recorder, name, id string, attrs map[string]string) {
	v.recordAt(rec, time.Now(), name, id, attrs)
}

func (v *Vault) recordAt(rec results.Recorder, at time.Time, name, id string, attrs map[string]string) {
	if attrs == nil {
		attrs = map[string]string{}
	}
	attrs[results.AttrCheckpoint] = id
	rec.Record(results.Record{Time: at.UnixNano(), Host: v.conf.Clock, Source: results.SourceRunner, Name: name, Attrs: attrs})
}

func bytesAttr(n int64) string { return strconv.FormatInt(n, 10) }

// Verify reads a checkpoint back and holds it against its hashes, with those that its disk goes on from. It records
// CheckpointVerified. One that is damaged is an *guest.OutcomeError.
func (v *Vault) Verify(ctx context.Context, id string, rec results.Recorder) error {
	at, err := v.find(id)
	if err != nil {
		return err
	}
	release, err := at.c.Hold(id)
	if err != nil {
		return err
	}
	defer release()
	return v.verify(ctx, at, id, rec)
}

func (v *Vault) verify(ctx context.Context, at location, id string, rec results.Recorder) error {
	n, err := at.c.Verify(ctx, id)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("verify checkpoint %s: %w", id, context.Cause(ctx))
	}
	if err != nil {
		return &guest.OutcomeError{Reason: "a checkpoint does not hold what was written", Err: err}
	}
	rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: v.conf.Clock, Source: results.SourceRunner, Name: results.CheckpointVerified,
		Value: float64(n), Unit: results.Bytes, Attrs: map[string]string{results.AttrCheckpoint: id},
	})
	return nil
}

// HostDied forgets what a host held in its memory, as its end does. It waits for a Save that is under way.
func (v *Vault) HostDied(h host.Host) error {
	if v.conf.Options.To != ToMemory {
		return nil // and whoever kills the host need not wait
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := v.place(h)
	if err != nil || v.opened[p.Memory] == nil {
		return err
	}
	c := v.opened[p.Memory]
	var errs []error
	for id, at := range v.at {
		if at.c == c {
			delete(v.at, id)
			errs = append(errs, c.remove(id))
		}
	}
	return errors.Join(errs...)
}
