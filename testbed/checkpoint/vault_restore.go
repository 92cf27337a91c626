package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// Restore makes a guest on h from a checkpoint, which it reads back and verifies first, with those that its disk goes on from. It
// records CheckpointVerified, or CheckpointRefused: a checkpoint that is damaged, or of another guest, is an *guest.OutcomeError
// before anything is started. What lies on the other host comes across the link. The disk is made anew at the spec's path, in place
// of what is there; nothing is ever written to the checkpoint, which is held as long as the guest may read from it. The guest's disk and
// its memory file are removed when it has ended: each recovery makes others.
func (v *Vault) Restore(ctx context.Context, id string, h host.Host, rec results.Recorder) (guest.Instance, error) {
	at, err := v.find(id)
	if err != nil {
		return nil, err
	}
	here, err := v.place(h)
	if err != nil {
		return nil, err
	}
	r := &restoring{v: v, at: at, here: here, spec: v.conf.Spec(h), rec: rec}
	if err := r.accept(ctx, id); err != nil {
		r.release()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("restore checkpoint %s: %w", id, err)
		}
		v.record(rec, results.CheckpointRefused, id, map[string]string{"error": err.Error()})
		return nil, &guest.OutcomeError{Reason: "refuse to restore checkpoint " + id, Err: err}
	}
	g, err := r.run(ctx)
	if err != nil {
		r.release()
		r.discard()
		return nil, fmt.Errorf("restore checkpoint %s on %s: %w", id, h.Name(), err)
	}
	if !r.lasting {
		r.release()
	}
	go func() {
		<-g.Done()
		r.release()
		r.discard()
	}()
	return g, nil
}

// discard removes what was made for the guest alone. What cannot be removed goes with its folder.
func (r *restoring) discard() {
	if d := r.spec.Disk; d != nil {
		_ = os.Remove(d.Paths[r.here.Host.Name()])
	}
	if file := r.spec.Start.MemoryFile; file != "" {
		_ = os.Remove(file)
	}
}

// A restoring is one guest on its way back.
type restoring struct {
	v       *Vault
	at      location
	here    Place
	spec    guest.Spec
	rec     results.Recorder
	chain   []*Manifest
	undo    []func()
	lasting bool // the guest reads from files of the checkpoint as long as it runs
	fetched *Draft
}

func (r *restoring) release() {
	for _, f := range r.undo {
		f()
	}
	r.undo = nil
}

// accept reads the checkpoint back. Its error is why it is refused, or ctx's.
func (r *restoring) accept(ctx context.Context, id string) error {
	hold, err := r.at.c.Hold(id)
	if err != nil {
		return err
	}
	r.undo = append(r.undo, hold)
	chain, err := r.at.c.Chain(id)
	if err != nil {
		return err
	}
	for _, m := range chain[1:] {
		hold, err := r.at.c.Hold(m.ID)
		if err != nil {
			return err
		}
		r.undo = append(r.undo, hold)
	}
	if err := chain[0].Spec.fits(r.v.fingerprint(r.here.Host, r.spec)); err != nil {
		return err
	}
	r.chain = chain
	return r.v.verify(ctx, r.at, id, r.rec)
}

// fits says why a guest that was saved with f cannot be one like g; nil if it can. Whether another version of the hypervisor
// reads its state, the hypervisor must judge.
func (f Fingerprint) fits(g Fingerprint) error {
	var differs []string
	compare := func(what string, saved, now any) {
		if fmt.Sprint(saved) != fmt.Sprint(now) {
			differs = append(differs, fmt.Sprintf("%s %v, now %v", what, saved, now))
		}
	}
	compare("driver", f.Driver, g.Driver)
	compare("machine type", f.Machine, g.Machine)
	compare("memory", f.Memory, g.Memory)
	compare("vcpus", f.VCPUs, g.VCPUs)
	compare("devices", strings.Join(f.Devices, ", "), strings.Join(g.Devices, ", "))
	if len(differs) == 0 {
		return nil
	}
	return fmt.Errorf("it was saved from another guest (%s): restore it with the experiment that saved it", strings.Join(differs, "; "))
}

// run starts the guest. Everything was verified.
func (r *restoring) run(ctx context.Context) (guest.Instance, error) {
	if err := r.disk(ctx); err != nil {
		return nil, err
	}
	m := r.chain[0]
	o := guest.RestoreOptions{Format: m.Format, OnDemand: m.Load == "on-demand"}
	memory, ok := m.Role(RoleMemory)
	if !ok {
		return nil, errors.New("the checkpoint has no memory")
	}
	if m.Format == guest.FormatStream {
		return r.feed(ctx, o, memory)
	}
	r.lasting = m.Format == guest.FormatMemoryFile // which may be mapped; the other was read when Restore returns
	var err error
	if o.Memory, err = r.file(ctx, m.ID, memory); err != nil {
		return nil, err
	}
	if state, ok := m.Role(RoleState); ok {
		if o.State, err = r.file(ctx, m.ID, state); err != nil {
			return nil, err
		}
	}
	return r.v.restorer.Restore(ctx, r.here.Host, r.spec, o, r.rec)
}

// away reports whether the checkpoint lies on the other host.
func (r *restoring) away() bool { return r.at.place.Host.Name() != r.here.Host.Name() }

// file is the path of one of the checkpoint's files on this host, which is fetched where it lies on the other.
func (r *restoring) file(ctx context.Context, id string, f File) (string, error) {
	if !r.away() {
		return r.at.c.Path(id, f.Name), nil
	}
	if r.fetched == nil {
		r.v.mu.Lock()
		d, err := r.v.staging(r.here)
		r.v.mu.Unlock()
		if err != nil {
			return "", err
		}
		r.fetched = d
		r.undo = append(r.undo, d.Abort)
	}
	path := r.fetched.Path(id + "-" + f.Name)
	in, err := os.Open(r.at.c.Path(id, f.Name))
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	n, err := r.v.cross(ctx, in, r.at.place, r.here, out)
	if err := errors.Join(err, out.Close()); err != nil {
		return "", fmt.Errorf("fetch %s: %w", f.Name, err)
	}
	if n != f.Size {
		return "", fmt.Errorf("fetch %s: %d B of %d arrived", f.Name, n, f.Size)
	}
	return path, nil
}

// feed serves the saved stream while the guest is made from it.
func (r *restoring) feed(ctx context.Context, o guest.RestoreOptions, f File) (guest.Instance, error) {
	socket, err := r.v.listen(r.here, r.here)
	if err != nil {
		return nil, err
	}
	defer func() { _ = socket.Close() }()
	o.Stream = socket.Stream()
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	var wait sync.WaitGroup
	var fed error
	wait.Go(func() { fed = r.serve(feeding, socket, f) })
	g, err := r.v.restorer.Restore(ctx, r.here.Host, r.spec, o, r.rec)
	// A hypervisor that has what it needs may leave the rest unread.
	stop()
	wait.Wait()
	if err != nil {
		return nil, errors.Join(err, fed)
	}
	return g, nil
}

// serve serves the stream as it was before compression. Compressed, it crosses the link.
func (r *restoring) serve(ctx context.Context, socket *Socket, f File) error {
	stored, err := os.Open(r.at.c.Path(r.chain[0].ID, f.Name))
	if err != nil {
		return err
	}
	defer stored.Close()
	var from io.Reader = stored
	if r.away() {
		here, there := io.Pipe()
		defer func() { _ = here.Close() }()
		go func() {
			_, err := r.v.cross(ctx, stored, r.at.place, r.here, there)
			there.CloseWithError(err) // nil is the end
		}()
		from = here
	}
	stream, err := raw(from, f.Compression)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	_, err = socket.Serve(ctx, stream)
	return err
}
