package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// Save makes the n-th checkpoint of g, and returns its id when it is on disk under its final name. Thawed, if not nil, is called
// when the driver has let the guest go on and written everything: what remains, such as to hash and to sync files, the guest does not
// wait for. Older checkpoints are pruned. It records CheckpointBegin,
// CheckpointWritten, CheckpointSynced (between the two, files that the hypervisor wrote are read for their hashes), CheckpointEnd and
// CheckpointPruned. After an error nothing is left of the checkpoint; one
// that has an id is kept and what failed is the pruning.
//
// An incremental disk goes on from the last checkpoint of the same instance; the first one of each instance, and the one after a
// failure, is full.
func (v *Vault) Save(ctx context.Context, g guest.Instance, n int, thawed func(), rec results.Recorder) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	saver, ok := g.(guest.Saver)
	if !ok {
		return "", &guest.NotSupportedError{Feature: "to save a guest", Where: "driver " + v.conf.Driver.Name(), Remedy: "choose another driver"}
	}
	home, err := v.place(g.Host())
	if err != nil {
		return "", err
	}
	to, err := v.target(home)
	if err != nil {
		return "", err
	}
	if thawed == nil {
		thawed = func() {}
	}
	spec := v.conf.Spec(g.Host())
	now := time.Now().UTC()
	s := &saving{
		v: v, g: g, saver: saver, home: home, to: to, spec: spec, thawed: thawed, rec: rec, created: now,
		id: fmt.Sprintf("%s-%s-%03d", spec.Name, now.Format("20060102T150405.000000"), n),
	}
	s.chooseBase()
	o := v.conf.Options
	v.record(rec, results.CheckpointBegin, s.id, map[string]string{
		"mode": o.Mode, "format": o.Format, "to": o.To, "compression": o.Compression, "disk": s.diskKind(), "n": strconv.Itoa(n),
	})
	err = s.run(ctx)
	v.base = base{}
	if err != nil {
		v.record(rec, results.CheckpointEnd, s.id, map[string]string{"error": err.Error()})
		return "", fmt.Errorf("save the guest: %w", err)
	}
	if spec.Disk != nil {
		v.base = base{g, to.c, s.id}
	}
	v.at[s.id] = to
	v.record(rec, results.CheckpointEnd, s.id, nil)
	return s.id, v.prune(to.c, rec)
}

// prune applies the retention.
func (v *Vault) prune(c *Catalogue, rec results.Recorder) error {
	removed, err := c.Prune(v.conf.Options.Keep)
	for _, id := range removed {
		delete(v.at, id)
		v.record(rec, results.CheckpointPruned, id, nil)
	}
	return err
}

// A saving is one checkpoint on its way.
type saving struct {
	v       *Vault
	g       guest.Instance
	saver   guest.Saver
	home    Place
	to      location
	spec    guest.Spec
	thawed  func()
	rec     results.Recorder
	created time.Time
	id      string
	parent  string    // "": the disk is full, or there is none
	written time.Time // when the last byte was in a file; to read files back for their hashes comes after it

	draft *Draft
	local *Draft // where the hypervisor writes files: draft, or what waits to be sent to the other host
}

// chooseBase finds the checkpoint that the disk can go on from.
func (s *saving) chooseBase() {
	b := s.v.base
	if s.v.conf.Options.Disk == "incremental" && b.id != "" && b.g == s.g && b.c == s.to.c {
		s.parent = b.id
	}
}

func (s *saving) diskKind() string {
	switch {
	case s.spec.Disk == nil:
		return "none"
	case s.parent != "":
		return "incremental"
	}
	return "full"
}

// The files of a checkpoint.
const (
	memoryFile = "memory"
	stateFile  = "state"
	diskFile   = "disk.qcow2"
)

func (s *saving) run(ctx context.Context) (err error) {
	if s.parent != "" {
		release, err := s.to.c.Hold(s.parent)
		if err != nil {
			return err
		}
		defer release()
	}
	if s.draft, err = s.to.c.Begin(); err != nil {
		return err
	}
	defer s.draft.Abort()
	s.local = s.draft
	if s.to.place.Host.Name() != s.home.Host.Name() {
		if s.local, err = s.v.staging(s.home); err != nil {
			return err
		}
		defer s.local.Abort()
	}
	if err := s.write(ctx); err != nil {
		return err
	}
	size, before, err := s.draft.Size()
	if err != nil {
		return err
	}
	s.v.recordAt(s.rec, s.written, results.CheckpointWritten, s.id, map[string]string{"bytes": bytesAttr(size), "raw": bytesAttr(before)})
	o := s.v.conf.Options
	err = s.draft.Commit(Manifest{
		ID: s.id, Guest: s.spec.Name, Created: s.created, Mode: o.Mode, Format: o.Format, Compression: o.Compression, Load: o.Load,
		Parent: s.parent, Spec: s.v.fingerprint(s.home.Host, s.spec),
	})
	if err != nil {
		return err
	}
	s.v.record(s.rec, results.CheckpointSynced, s.id, nil)
	return nil
}

// write has the hypervisor write, takes what comes, and calls thawed in between.
func (s *saving) write(ctx context.Context) error {
	o := s.v.conf.Options
	ask := guest.SaveOptions{Format: o.Format, Live: o.Mode == "live"}
	files := map[string]string{} // role by name
	if s.spec.Disk != nil {
		ask.Disk, ask.Incremental = s.local.Path(diskFile), s.parent != ""
		files[diskFile] = RoleDisk
	}
	var stream *incoming
	switch o.Format {
	case guest.FormatStream:
		var err error
		if stream, err = s.listen(ctx); err != nil {
			return err
		}
		defer stream.end()
		ask.Stream = stream.socket.Stream()
	case guest.FormatMemoryFile:
		ask.State = s.local.Path(stateFile)
		files[stateFile] = RoleState
		fallthrough
	default:
		ask.Memory = s.local.Path(memoryFile)
		files[memoryFile] = RoleMemory
	}
	if _, err := s.saver.Save(ctx, ask); err != nil {
		return err
	}
	s.thawed()
	if stream != nil {
		if err := stream.take(); err != nil {
			return err
		}
	}
	s.written = time.Now()
	for _, name := range []string{memoryFile, stateFile, diskFile} {
		if role := files[name]; role != "" {
			if err := s.collect(ctx, name, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect takes in what the hypervisor wrote to a file, across the link where it goes to the other host.
func (s *saving) collect(ctx context.Context, name, role string) error {
	if s.local == s.draft {
		return s.draft.Adopt(name, role)
	}
	in, err := os.Open(s.local.Path(name))
	if err != nil {
		return fmt.Errorf("send the checkpoint's %s: %w", role, err)
	}
	defer in.Close()
	w, err := s.draft.Create(name, role, CompressionNone)
	if err != nil {
		return err
	}
	_, err = s.v.cross(ctx, in, s.home, s.to.place, w)
	f, closeErr := w.Close()
	if err := errors.Join(err, closeErr); err != nil {
		return fmt.Errorf("send the checkpoint's %s: %w", role, err)
	}
	if info, err := in.Stat(); err != nil || info.Size() != f.Size {
		return fmt.Errorf("send the checkpoint's %s: %d B arrived of %s: %w", role, f.Size, in.Name(), errors.Join(err, io.ErrUnexpectedEOF))
	}
	s.draft.Add(f)
	s.written = time.Now()
	return os.Remove(in.Name())
}

// An incoming is a stream that is being received.
type incoming struct {
	socket *Socket
	writer *Writer
	cancel context.CancelFunc
	ended  chan error
}

// listen makes ready to receive the stream.
func (s *saving) listen(ctx context.Context) (*incoming, error) {
	socket, err := s.v.listen(s.home, s.to.place)
	if err != nil {
		return nil, err
	}
	w, err := s.draft.Create(memoryFile, RoleMemory, s.v.conf.Options.Compression)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	in := &incoming{socket: socket, writer: w, cancel: cancel, ended: make(chan error, 1)}
	go func() {
		_, err := socket.Receive(ctx, w)
		f, closeErr := w.Close()
		if err == nil && closeErr == nil {
			s.draft.Add(f) // nobody else uses the draft until take has returned
		}
		in.ended <- errors.Join(err, closeErr)
		close(in.ended)
	}()
	return in, nil
}

// take waits until all of it was received.
func (in *incoming) take() error { return <-in.ended }

// end ends it, and waits until it has.
func (in *incoming) end() {
	in.cancel()
	_ = in.socket.Close()
	for range in.ended { //nolint:revive // until it is closed
	}
}

// listen opens a socket for what comes from one place to another: in the other's network, or where both are one, a path.
func (v *Vault) listen(from, to Place) (*Socket, error) {
	if from.Host.Name() == to.Host.Name() {
		path := filepath.Join(v.conf.Dir, "cp"+strconv.FormatInt(v.socket.Add(1), 10))
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		return ListenUnix(path)
	}
	in, ok := to.Host.(host.Doer)
	if !ok || !to.Address.IsValid() {
		return nil, &guest.NotSupportedError{Feature: "to send a checkpoint", Where: "host " + to.Host.Name(), Remedy: "save to disk"}
	}
	return ListenTCP(in, to.Address)
}

// staging is a folder on a host's disk for files that wait.
func (v *Vault) staging(p Place) (*Draft, error) {
	c, err := v.open(p.Disk)
	if err != nil {
		return nil, err
	}
	return c.Begin()
}
