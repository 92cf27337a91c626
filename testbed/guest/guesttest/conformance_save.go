package guesttest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// saver skips a part for drivers that do not save guests.
func (s *suite) saver(i guest.Instance) (guest.Saver, guest.Restorer) {
	s.Helper()
	from, saves := i.(guest.Saver)
	to, restores := s.Driver.(guest.Restorer)
	if !saves || !restores {
		s.must(i.Close(), "close")
		s.Skipf("%s does not save guests", s.Driver.Name())
	}
	return from, to
}

// socket is the address of a stream, and its listener.
func (s *suite) socket() (uri string, l net.Listener) {
	s.Helper()
	dir, err := os.MkdirTemp("", "vs")
	s.must(err, "make a folder")
	l, err = (&net.ListenConfig{}).Listen(s.Context(), "unix", dir+"/s")
	s.must(err, "listen")
	s.Cleanup(func() {
		_ = l.Close()
		if err := os.RemoveAll(dir); err != nil {
			s.Error(err)
		}
	})
	return "unix:" + dir + "/s", l
}

// save saves the guest and returns the stream.
func (s *suite) save(from guest.Saver, stay bool) []byte {
	s.Helper()
	uri, l := s.socket()
	type taken struct {
		stream []byte
		err    error
	}
	all := make(chan taken, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			all <- taken{err: err}
			return
		}
		defer func() { _ = conn.Close() }()
		b, err := io.ReadAll(conn)
		all <- taken{b, err}
	}()
	s.log.Clear()
	saved, err := from.Save(s.within(), guest.SaveOptions{Format: guest.FormatStream, Stream: uri, StayStopped: stay})
	s.must(err, "save")
	t := <-all
	s.must(t.err, "take the stream")
	if saved.MemoryBytes != int64(len(t.stream)) {
		s.Errorf("%d B are said to be written, %d came", saved.MemoryBytes, len(t.stream))
	}
	at := s.ordered(stay, results.CheckpointFreeze, results.VMStop, results.CheckpointDump, results.CheckpointDumped, results.CheckpointThaw, results.VMResume)
	if got := at.Attrs["bytes"]; got != strconv.Itoa(len(t.stream)) {
		s.Errorf("record %s has bytes %q, %d came", results.CheckpointDumped, got, len(t.stream))
	}
	return t.stream
}

// ordered checks that each of these was recorded once, in this order, and returns the record CheckpointDumped. A guest that stays
// stopped has none of the last two.
func (s *suite) ordered(stay bool, names ...string) (dumped results.Record) {
	s.Helper()
	last := int64(0)
	for n, name := range names {
		all := s.log.Named(name)
		if stay && n >= len(names)-2 {
			if len(all) > 0 {
				s.Errorf("record %s of a guest that stays stopped", name)
			}
			continue
		}
		if len(all) != 1 {
			s.Fatalf("%d records %s, want 1", len(all), name)
		}
		// The driver's clock is the hypervisor's, but the latter's stamps have microseconds.
		if all[0].Time < last-int64(time.Microsecond) {
			s.Errorf("%s comes %s before %s", name, time.Duration(last-all[0].Time), names[n-1])
		}
		last = all[0].Time
		if name == results.CheckpointDumped {
			dumped = all[0]
		}
	}
	return dumped
}

// serve serves a stream to the first who connects.
func (s *suite) serve(stream []byte) (uri string) {
	s.Helper()
	uri, l := s.socket()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.Copy(conn, bytes.NewReader(stream)) // who reads may have seen enough
	}()
	return uri
}

// restore brings a guest back on h.
func (s *suite) restore(to guest.Restorer, h *host.Netns, stream []byte) (guest.Instance, *agent.Client) {
	s.Helper()
	s.log.Clear()
	i, err := to.Restore(s.within(), h, s.Spec, guest.RestoreOptions{Format: guest.FormatStream, Stream: s.serve(stream)}, s.log)
	s.must(err, "restore")
	s.Cleanup(func() { _ = i.Close() }) // closed by the test, unless it failed
	if i.Host().Name() != h.Name() {
		s.Errorf("restored, the guest is on %s, want %s", i.Host().Name(), h.Name())
	}
	for _, p := range i.Processes() {
		if p.Host != h.Name() || p.Role != "source" || syscall.Kill(p.PID, 0) != nil {
			s.Errorf("process %+v", p)
		}
	}
	a := i.(guest.Agented).Agent()
	if _, err := a.Hello(s.within()); err != nil {
		s.Fatalf("the agent does not answer after a restore: %v", err)
	}
	s.ordered(false, results.RestoreBegin, results.RestoreEnd, results.VMResume)
	s.echoes("after a restore on " + h.Name())
	return i, a
}

// kill ends a guest without warning.
func (s *suite) kill(i guest.Instance) {
	s.Helper()
	if k, ok := i.(guest.Killer); ok {
		s.must(k.Kill(), "kill")
		select {
		case <-i.Done():
		case <-s.within().Done():
			s.Error("Done is not closed when the guest is killed")
		}
	}
	s.must(i.Close(), "close a killed guest")
	s.nothingLeft()
}

// saveAndRestore saves a guest that works, kills it, and brings it back: twice from the same, on either host, and from a guest that was
// restored itself.
func (s *suite) saveAndRestore() {
	i, a := s.boot()
	from, to := s.saver(i)
	s.must(a.Reserve(s.within(), agent.Memory{Bytes: reserved, Seed: 42}), "reserve memory")
	workload := s.Workload
	workload.Kind = cmp.Or(workload.Kind, "idle")
	s.must(a.Start(s.within(), workload), "start the workload")
	s.save(from, false)
	if _, err := a.Hello(s.within()); err != nil {
		s.Fatalf("the agent does not answer after a save: %v", err)
	}
	s.echoes("after a save")
	stream := s.save(from, false)
	s.kill(i)

	for _, h := range []*host.Netns{s.Bed.Destination(), s.Bed.Source()} {
		i, a = s.restore(to, h, stream)
		if _, err := a.Stop(s.within()); err != nil {
			s.Errorf("stop the workload of a restored guest: %v", err)
		}
		s.verify(a)
		if h == s.Bed.Destination() {
			s.must(i.Close(), "close")
			s.nothingLeft()
		}
	}
	stream = s.save(i.(guest.Saver), true)
	s.must(i.Close(), "close a guest that stays stopped")
	i, a = s.restore(to, s.Bed.Destination(), stream)
	s.verify(a)
	if m, ok := i.(guest.Migrator); ok {
		s.run(i, m, s.Bed.Destination(), s.Bed.Source(), port+3)
		s.verify(a)
	}
	s.must(i.Close(), "close")
}

// restoreDamaged restores what cannot be restored: that is refused in time, and nothing is left.
func (s *suite) restoreDamaged(to guest.Restorer, stream []byte) {
	s.Helper()
	flipped := bytes.Clone(stream)
	flipped[0] ^= 1
	for name, damaged := range map[string][]byte{"empty": nil, "truncated": stream[:len(stream)/2], "without its end": stream[:len(stream)-1], "flipped": flipped} {
		began := time.Now()
		i, err := to.Restore(s.within(), s.Bed.Source(), s.Spec, guest.RestoreOptions{Format: guest.FormatStream, Stream: s.serve(damaged)}, s.log)
		if err == nil {
			_ = i.Close()
		}
		var outcome *guest.OutcomeError
		if !errors.As(err, &outcome) {
			s.Errorf("%s: error %v after %s, want an outcome", name, err, time.Since(began))
		}
		s.nothingLeft()
	}
	// Nobody says anything.
	uri, _ := s.socket()
	ctx, cancel := context.WithTimeout(s.Context(), 3*time.Second)
	defer cancel()
	if i, err := to.Restore(ctx, s.Bed.Source(), s.Spec, guest.RestoreOptions{Format: guest.FormatStream, Stream: uri}, s.log); err == nil {
		_ = i.Close()
		s.Error("a guest is restored from nothing")
	}
	s.nothingLeft()
}

// saveAndRestoreFail saves to one who stops reading, and to nobody: the guest runs on, and can be saved. Then that is damaged.
func (s *suite) saveAndRestoreFail() {
	i, a := s.boot()
	from, to := s.saver(i)
	s.must(a.Reserve(s.within(), agent.Memory{Bytes: reserved, Seed: 1}), "reserve memory")
	uri, l := s.socket()
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = io.CopyN(io.Discard, conn, 1000)
			_ = conn.Close()
		}
	}()
	for name, uri := range map[string]string{"a reader that closes": uri, "nobody": "unix:/nowhere/s"} {
		var outcome *guest.OutcomeError
		if _, err := from.Save(s.within(), guest.SaveOptions{Format: guest.FormatStream, Stream: uri}); !errors.As(err, &outcome) {
			s.Errorf("%s: error %v, want an outcome", name, err)
		}
		if _, err := a.Hello(s.within()); err != nil {
			s.Errorf("%s: the agent does not answer: %v", name, err)
		}
		s.echoes(name)
	}
	s.verify(a)
	stream := s.save(from, false)
	s.must(i.Close(), "close")
	s.restoreDamaged(to, stream)
}
