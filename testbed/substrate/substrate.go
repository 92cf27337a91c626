package substrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// A Driver boots what is saved, and restores it.
type Driver interface {
	guest.Driver
	guest.Restorer
}

// A Config says what is saved. The zero value of what a substrate alone needs is a warm start.
type Config struct {
	Driver Driver
	Host   host.Host
	// Guest is what is booted to be saved. Its Start.MemoryFile, Balloon and MaxVCPUs are set here.
	Guest guest.Spec
	// Dir is an existing empty folder for what is saved: on a tmpfs, for a substrate.
	Dir string
	// Format of what is saved: FormatMemoryFile for a substrate, or any other.
	Format string
	// Memory in B that the balloon leaves to the guest when it is saved; 0 is all.
	Memory int64
	// VCPUs that a clone may be given; 0 is those of Guest.
	VCPUs int
	// Forget gives up the guest's identity before it is saved: clones are told theirs.
	Forget bool
	// BootLimit bounds the boot, until the agent says hello.
	BootLimit time.Duration
}

// A Saved is a guest on disk or in memory, from which clones are made. It stays until its folder is removed.
type Saved struct {
	cfg    Config
	memory string
	state  string
	disk   string
	bytes  int64
	booted time.Duration
	took   time.Duration
}

// Make boots the guest, saves it and ends it. On an error nothing runs; the folder is the caller's.
func Make(ctx context.Context, cfg Config, rec results.Recorder) (s *Saved, err error) {
	begin := time.Now()
	s = &Saved{cfg: cfg, memory: filepath.Join(cfg.Dir, "memory"), state: filepath.Join(cfg.Dir, "state")}
	spec := cfg.Guest
	if cfg.Format == guest.FormatMemoryFile {
		spec.Start.MemoryFile = filepath.Join(cfg.Dir, "booted")
	}
	s.shape(&spec)
	g, err := cfg.Driver.Boot(ctx, cfg.Host, spec, rec)
	if err != nil {
		return nil, fmt.Errorf("boot the guest that is to be saved: %w", err)
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	if err := s.save(ctx, g, begin); err != nil {
		return nil, fmt.Errorf("save a guest to start others from: %w", err)
	}
	if err := g.Close(); err != nil {
		return nil, fmt.Errorf("end the guest that was saved: %w", err)
	}
	if spec.Start.MemoryFile != "" {
		if err := os.Remove(spec.Start.MemoryFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove the memory of the guest that was saved: %w", err)
		}
	}
	if d := spec.Disk; d != nil {
		s.disk = d.Paths[cfg.Host.Name()]
	}
	s.bytes, err = allocated(s.memory, s.state)
	s.took = time.Since(begin)
	return s, err
}

// shape gives a spec what it must have both when it is saved and when it is restored.
func (s *Saved) shape(spec *guest.Spec) {
	spec.Start.Balloon = spec.Start.Balloon || s.cfg.Memory > 0
	spec.VCPUs = s.cfg.Guest.VCPUs
	spec.Start.MaxVCPUs = max(s.cfg.VCPUs, s.cfg.Guest.VCPUs)
	spec.Memory = s.cfg.Guest.Memory
}

func (s *Saved) save(ctx context.Context, g guest.Instance, begin time.Time) error {
	a, err := agentOf(g)
	if err != nil {
		return err
	}
	hello, cancel := context.WithTimeout(ctx, s.cfg.BootLimit)
	defer cancel()
	if _, err := a.Hello(hello); err != nil {
		return err
	}
	s.booted = time.Since(begin)
	if s.cfg.Forget {
		if err := a.Forget(ctx); err != nil {
			return err
		}
	}
	if s.cfg.Memory > 0 {
		if err := setMemory(ctx, g, s.cfg.Memory); err != nil {
			return err
		}
	}
	saver, ok := g.(guest.Saver)
	if !ok {
		return unable(s.cfg.Driver, "saving a guest")
	}
	_, err = saver.Save(ctx, guest.SaveOptions{Format: s.cfg.Format, Memory: s.memory, State: s.state, StayStopped: true})
	return err
}

// Bytes is the memory that the saved guest takes, in B: the blocks that are allocated for it.
func (s *Saved) Bytes() int64 { return s.bytes }

// Memory is the path of the file that holds the saved guest's memory.
func (s *Saved) Memory() string { return s.memory }

// Booted is how long it was from the begin of the boot until the agent said hello.
func (s *Saved) Booted() time.Duration { return s.booted }

// Took is how long it was from the begin of the boot until it was saved.
func (s *Saved) Took() time.Duration { return s.took }

// Disk is the path of the saved guest's disk, as it was when it was saved: clones write to overlays of it. "" is none.
func (s *Saved) Disk() string { return s.disk }

func allocated(paths ...string) (sum int64, err error) {
	for _, p := range paths {
		var st unix.Stat_t
		err := unix.Stat(p, &st)
		if errors.Is(err, unix.ENOENT) {
			continue // not every format has every file
		}
		if err != nil {
			return 0, fmt.Errorf("measure %s: %w", p, err)
		}
		sum += st.Blocks * 512
	}
	return sum, nil
}

func agentOf(g guest.Instance) (*agent.Client, error) {
	agented, ok := g.(guest.Agented)
	if !ok {
		return nil, errors.New("the driver's guests have no agent, so nobody can tell them who they are: choose another driver")
	}
	return agented.Agent(), nil
}

func unable(d guest.Driver, feature string) error {
	return &guest.NotSupportedError{Feature: feature, Where: "driver " + d.Name(), Remedy: "choose another driver, or guest.start: cold"}
}

// setMemory asks the balloon, and wants it to follow as far as pages allow.
func setMemory(ctx context.Context, g guest.Instance, want int64) error {
	r, ok := g.(guest.Resizer)
	if !ok {
		return &guest.NotSupportedError{Feature: "a balloon", Where: "this driver", Remedy: "choose another driver, or guest.start: cold"}
	}
	limited, cancel := context.WithTimeout(ctx, resizeLimit)
	defer cancel()
	got, err := r.SetMemory(limited, want)
	if err != nil {
		return err
	}
	if off := max(got-want, want-got); off > slack {
		return &guest.OutcomeError{Reason: fmt.Sprintf("the balloon did not follow within %s: the guest has %d MiB, not %d MiB", resizeLimit, got>>20, want>>20)}
	}
	return nil
}

const (
	// resizeLimit bounds the balloon and vCPUs that are plugged in.
	resizeLimit = 30 * time.Second
	// slack is how far off the balloon may stay, in B: it moves in pages, and the kernel keeps some.
	slack = 4 << 20
)
