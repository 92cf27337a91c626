package qemu

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

var _ guest.Restorer = (*Driver)(nil)

// Restore implements guest.Restorer. The guest's state is loaded while it stands still; then it is told to go on, unless it is to be paused,
// whatever it did when it was saved.
//
// Of format memory-file, on demand, the guest's memory is o.Memory, mapped privately. Eager, it is read first: into
// Start.MemoryFile, where the new guest has one (it can then be saved in this format again), else into private pages of the mapping.
//
// QEMU announces the guest on its network when it has loaded it, and what is announced while it stands still is sent when it goes on.
//
// The attr bytes of RestoreEnd is what was read until then: of a mapping, nothing. A load that takes longer than loadLimit, or does not end
// drainLimit after the last byte was given to QEMU, has failed.
func (d *Driver) Restore(ctx context.Context, h host.Host, s guest.Spec, o guest.RestoreOptions, rec results.Recorder) (guest.Instance, error) {
	if err := refuseRestore(o); err != nil {
		return nil, fmt.Errorf("restore on %s: %w", h.Name(), err)
	}
	accel, _, err := d.accel.choose(s.Accel, h.Name())
	if err != nil {
		return nil, err
	}
	if err := checkStart(s, h.Name()); err != nil {
		return nil, err
	}
	s.Append += kernelAppend(accel, tscKHz)
	r := role{incoming: true, restored: true}
	if o.Format == guest.FormatMemoryFile && (o.OnDemand || s.Start.MemoryFile == "") {
		r.privateMemory = o.Memory
	}
	if r.privateMemory != "" {
		if err := d.checkPrivate(ctx, h, s, o); err != nil {
			return nil, err
		}
	}
	if err := checkRestored(s, o, r); err != nil {
		return nil, &guest.OutcomeError{Reason: "the saved state is damaged", Err: err}
	}
	i := &instance{
		spec: s, accel: accel, rec: rec, done: make(chan struct{}),
		agent: agent.NewClient(guest.RestoredReporter(rec)),
	}
	vm, err := i.spawn(ctx, h, r)
	if err != nil {
		_ = i.agent.Close()
		return nil, err
	}
	i.agent.Use(h.Name())
	i.moveTo(vm)
	l := &loading{guest: i, vm: vm, options: o}
	if err := l.run(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("restore on %s: %w", h.Name(), err), i.Close())
	}
	return i, nil
}

func refuseRestore(o guest.RestoreOptions) error {
	switch {
	case o.Format == guest.FormatStream && !strings.HasPrefix(o.Stream, "unix:"):
		return fmt.Errorf("stream %q: want unix:PATH", o.Stream)
	case o.Format == guest.FormatMappedRAM && o.Memory == "":
		return errors.New("no file of memory is named")
	case o.Format == guest.FormatMemoryFile && (o.Memory == "" || o.State == ""):
		return errors.New("no files of memory and of devices' state are named")
	case o.Format != guest.FormatStream && o.Format != guest.FormatMappedRAM && o.Format != guest.FormatMemoryFile:
		return &guest.NotSupportedError{Feature: fmt.Sprintf("a checkpoint of format %q", o.Format), Where: "driver " + Name, Remedy: "use stream, mapped-ram or memory-file"}
	case o.OnDemand && o.Format != guest.FormatMemoryFile:
		return &guest.NotSupportedError{Feature: "a restore on demand of format " + o.Format, Where: "driver " + Name, Remedy: "use format memory-file, or load: eager"}
	}
	return nil
}

// checkRestored looks at what QEMU would take as it is: a file of the wrong size it would cut or lengthen. It removes a file that the
// new guest's memory must not begin with.
func checkRestored(s guest.Spec, o guest.RestoreOptions, r role) error {
	if o.Format != guest.FormatMemoryFile {
		return nil
	}
	info, err := os.Stat(o.Memory)
	if err != nil {
		return err
	}
	if info.Size() != s.Memory {
		return fmt.Errorf("%s has %d B, the guest's memory %d", o.Memory, info.Size(), s.Memory)
	}
	if r.privateMemory != "" {
		return nil
	}
	if there, err := os.Stat(s.Start.MemoryFile); err == nil && os.SameFile(info, there) {
		return fmt.Errorf("%s would be the memory of the guest: give it another Start.MemoryFile, or load it on demand", o.Memory)
	}
	if err := os.Remove(s.Start.MemoryFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// A loading is one Restore on its way, in a QEMU that waits.
type loading struct {
	guest   *instance
	vm      *machine
	options guest.RestoreOptions
}

func (l *loading) run(ctx context.Context) error {
	// A stopped guest's stream would leave it stopped, and a running one's not: the same is made of both.
	if err := l.vm.mon.Execute(ctx, "stop", nil, nil); err != nil {
		return err
	}
	if err := l.vm.configure(ctx, loadSettings(l.options)); err != nil {
		return err
	}
	load := "eager"
	if l.options.OnDemand {
		load = "on-demand"
	}
	l.note(results.RestoreBegin, time.Now().UnixNano(), map[string]string{"format": l.options.Format, "load": load})
	at, bytes, err := l.load(ctx)
	if err != nil {
		return err
	}
	l.note(results.RestoreEnd, at, bytesAttr(bytes))
	if err := trackDisk(ctx, l.vm, l.guest.spec); err != nil {
		return err
	}
	// Its hello was said before it was saved. It answers when it runs; the client's end ends the wait.
	go func() { _, _ = l.guest.agent.Do(context.Background(), agent.Request{Op: agent.OpHello}) }()
	if l.options.Paused {
		return nil
	}
	events := l.vm.mon.eventsFromNow(ctx)
	if err := l.vm.mon.Execute(ctx, "cont", nil, nil); err != nil {
		return err
	}
	return awaitEvent(ctx, events, eventResume)
}

func (l *loading) note(name string, at int64, attrs map[string]string) {
	l.guest.rec.Record(results.Record{Time: at, Host: l.vm.host.Name(), Source: results.SourceQMP, Name: name, Attrs: attrs})
}

// loadSettings are what is set on a QEMU that loads a saved guest.
func loadSettings(o guest.RestoreOptions) side {
	algorithm := guest.StopAndCopy
	if o.Format == guest.FormatMappedRAM {
		algorithm = guest.MappedRAM
	}
	to := settingsFor(guest.MigrateOptions{Algorithm: algorithm}, false).destination
	if o.Format == guest.FormatMemoryFile {
		to.capabilities[ignoreShared] = true
	}
	return to
}
