package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
	"virtscope/testbed/substrate"
)

// A warmStart is a guest that was booted once in the run, and from which trials begin.
type warmStart struct {
	saved *substrate.Saved

	mu    sync.Mutex
	times []time.Duration // of restores, until the agent answered
}

// warmKey tells guests apart that cannot begin from one state.
func warmKey(s *spec.Experiment) string {
	disk := ""
	if s.Guest.Disk != nil {
		disk = fmt.Sprintf("%+v", *s.Guest.Disk)
	}
	return fmt.Sprintf("%s %+v %d %d %s %v %s %v %s", imageKey(s), fingerprintKey(s), s.Guest.Memory, s.Guest.VCPUs, s.Guest.HugePages,
		s.Guest.Prealloc, disk, s.Workload.Parts(), liveFormat(s))
}

// liveFormat is set where the guest's memory must be a file, which is a device of its own.
func liveFormat(s *spec.Experiment) string {
	if keepsMemoryFile(s) {
		return guest.FormatMemoryFile
	}
	return ""
}

// wholeFormat is how a guest is saved for a warm start: in a file that is read whole where the hypervisor can, else as a memory
// file that is mapped.
func (l *lab) wholeFormat(s *spec.Experiment) string {
	if keepsMemoryFile(s) || !atLeast(l.found[fingerprintKey(s)].Version, mappedRAMSince, 0) {
		return guest.FormatMemoryFile
	}
	return guest.FormatMappedRAM
}

// mappedRAMSince is the first QEMU that has the capability.
const mappedRAMSince = 9

// startWarm restores the trial's guest from the state that all trials of its configuration begin with.
func (s *site) startWarm(ctx context.Context, rec results.Recorder) (guest.Instance, error) {
	w, err := s.warm(ctx)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	spec := s.guest()
	if err := s.warmDisk(ctx, w, spec.Disk); err != nil {
		return nil, err
	}
	c, err := w.saved.Clone(ctx, s.Source(), spec, rec)
	if err != nil {
		return nil, err
	}
	if err := s.goOn(ctx, c); err != nil {
		return nil, errors.Join(err, c.Instance.Close())
	}
	w.mu.Lock()
	w.times = append(w.times, time.Since(begin))
	w.mu.Unlock()
	return c.Instance, nil
}

// goOn lets the guest run and waits for its agent: as long as that takes, the guest is not there.
func (s *site) goOn(ctx context.Context, c *substrate.Clone) error {
	if err := c.Activate(ctx, substrate.Order{}); err != nil {
		return err
	}
	agented, ok := c.Instance.(guest.Agented)
	if !ok {
		return errors.New("the driver's guests have no agent")
	}
	_, err := agented.Agent().Hello(ctx)
	return err
}

// warmDisk gives the guest the disk that it was saved with, where it wrote to it when it booted.
func (s *site) warmDisk(ctx context.Context, w *warmStart, d *guest.Disk) error {
	if d == nil || w.saved.Disk() == "" || s.trial.Spec.Guest.Image == imageBuiltin {
		return nil // nothing was written to it
	}
	path := d.Paths[s.Source().Name()]
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("put the saved guest's disk in place: %w", err)
	}
	return image.CopyDisk(ctx, w.saved.Disk(), path)
}

// warm is the saved guest of the trial's configuration, which is made by the first trial that needs it.
func (s *site) warm(ctx context.Context) (*warmStart, error) {
	key := warmKey(s.trial.Spec)
	if w, ok := s.lab.warmed[key]; ok {
		return w, nil
	}
	name := fmt.Sprintf("warm-%d", len(s.lab.warmed)+1)
	dir := filepath.Join(s.lab.large, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for a saved guest: %w", err)
	}
	spec := s.guest()
	var err error
	if spec.Dir, spec.LogDir, err = s.folders(name); err != nil {
		return nil, err
	}
	if spec.Disk != nil {
		path := filepath.Join(dir, "disk.img")
		if err := image.CopyDisk(ctx, spec.Disk.Paths[s.Source().Name()], path); err != nil {
			return nil, err
		}
		spec.Disk = diskAt(path, spec.Disk.Format, spec.Disk.Size, bothEnds...)
	}
	saved, err := substrate.Make(ctx, substrate.Config{
		Driver: s.Driver().(substrate.Driver), Host: s.Source(), Guest: spec, Dir: dir, Format: s.lab.wholeFormat(s.trial.Spec), BootLimit: bootLimit,
	}, discard{})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a warm start: %w", err), os.RemoveAll(dir))
	}
	w := &warmStart{saved: saved}
	s.lab.warmed[key] = w
	return w, nil
}

// warmSpeedUp says what the warm starts of a run saved; "" without any.
func (l *lab) warmSpeedUp() string {
	var text string
	for _, w := range l.warmed {
		if len(w.times) == 0 {
			continue
		}
		slices.Sort(w.times)
		median := w.times[len(w.times)/2]
		text += fmt.Sprintf("warm start: booted and saved once in %s; %d trials began by a restore of %s (median) instead of that boot of %s: %.1f times faster\n",
			short(w.saved.Took()), len(w.times), short(median), short(w.saved.Booted()), w.saved.Booted().Seconds()/median.Seconds())
	}
	return text
}

func short(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }
