package guesttest

import (
	"fmt"
	"net"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

const (
	reserved = 8 << 20 // B of memory that must survive
	port     = 49152
)

// options are those of a migration to a host.
func (s *suite) options(to string, port int) guest.MigrateOptions {
	o := s.Options
	o.Address, o.Port = s.Bed.MigrationAddr(to).String(), port
	return o
}

func (s *suite) migrator(i guest.Instance) guest.Migrator {
	s.Helper()
	m, ok := i.(guest.Migrator)
	if !ok {
		s.Skipf("%s does not migrate", s.Driver.Name())
	}
	return m
}

func (s *suite) migrate() {
	i, a := s.boot()
	m := s.migrator(i)
	s.must(a.Reserve(s.within(), agent.Memory{Bytes: reserved, Seed: 42}), "reserve memory")
	s.must(a.Start(s.within(), agent.Workload{Kind: "idle"}), "start the workload")
	s.echoes("before")

	s.run(i, m, s.Bed.Source(), s.Bed.Destination(), port)
	if s.Failed() {
		return
	}
	s.run(i, m, s.Bed.Destination(), s.Bed.Source(), port+1)
	if _, err := a.Stop(s.within()); err != nil {
		s.Errorf("stop the workload: %v", err)
	}
	s.verify(a)
	s.must(i.Close(), "close")
}

// run migrates once and checks what must be so afterwards.
func (s *suite) run(i guest.Instance, m guest.Migrator, from, to *host.Netns, port int) {
	s.Helper()
	s.log.Clear()
	ready, err := m.PrepareMigration(s.within(), to, s.options(to.Name(), port))
	s.must(err, "prepare migration")
	if i.Host().Name() != from.Name() {
		s.Errorf("prepared, the guest is on %s, want %s", i.Host().Name(), from.Name())
	}
	there := false
	for _, p := range i.Processes() {
		there = there || p.Host == to.Name()
	}
	if !there {
		s.Errorf("prepared, no process is listed on %s", to.Name())
	}
	s.must(ready.Run(s.within()), "migrate")
	if i.Host().Name() != to.Name() {
		s.Errorf("migrated, the guest is on %s, want %s", i.Host().Name(), to.Name())
	}
	select {
	case <-i.Done():
		s.Error("Done is closed by a migration")
	default:
	}
	s.echoes("after the migration to " + to.Name())
	a := i.(guest.Agented).Agent()
	if _, err := a.Hello(s.within()); err != nil {
		s.Errorf("the agent does not answer from %s: %v", to.Name(), err)
	}
	s.order(from.Name(), to.Name())
}

// order checks that what a migration records makes sense in time.
func (s *suite) order(from, to string) {
	s.Helper()
	stop, resume := s.log.last(results.VMStop, from), s.log.last(results.VMResume, to)
	if stop == nil || resume == nil {
		s.Errorf("no %s on %s or no %s on %s", results.VMStop, from, results.VMResume, to)
		return
	}
	if stop.Time > resume.Time {
		s.Errorf("the guest resumes %s before it stops", time.Duration(stop.Time-resume.Time))
	}
	at := map[string]int64{}
	for _, r := range s.log.Named(results.MigrationStatus) {
		if r.Host == from {
			at[r.Attrs["status"]] = r.Time
		}
	}
	for _, status := range []string{"setup", "active", "completed"} {
		if at[status] == 0 {
			s.Errorf("no %s %s on %s: %v", results.MigrationStatus, status, from, at)
			return
		}
	}
	if at["setup"] > at["active"] || at["active"] > stop.Time || stop.Time > at["completed"] {
		s.Errorf("out of order: %v, stop %d, resume %d", at, stop.Time, resume.Time)
	}
}

func (s *suite) verify(a *agent.Client) {
	s.Helper()
	v, err := a.Verify(s.within())
	s.must(err, "verify memory")
	if v.Corrupt != 0 || v.Verified < reserved {
		s.Errorf("memory: %+v, want %d B intact", v, reserved)
	}
	if len(s.log.Named(results.MemoryVerified)) == 0 {
		s.Errorf("no record %s", results.MemoryVerified)
	}
}

func (s *suite) portTakenThenClosedMidway() {
	i, a := s.boot()
	m := s.migrator(i)
	dst := s.Bed.Destination()

	var l net.Listener
	err := dst.Do(func() (err error) {
		l, err = (&net.ListenConfig{}).Listen(s.Context(), "tcp4", fmt.Sprintf("%s:%d", s.Bed.MigrationAddr(dst.Name()), port))
		return err
	})
	s.must(err, "take the port")
	defer func() { _ = l.Close() }()
	if _, err := m.PrepareMigration(s.within(), dst, s.options(dst.Name(), port)); err == nil {
		s.Fatal("a migration to a port that is taken is prepared")
	}
	left, err := s.Bed.Processes()
	s.must(err, "list processes")
	if n := len(left[dst.Name()]); n > 0 {
		s.Errorf("%d processes left on the destination", n)
	}
	if _, err := a.Hello(s.within()); err != nil || i.Host().Name() != s.Bed.Source().Name() {
		s.Errorf("the guest does not go on: on %s, %v", i.Host().Name(), err)
	}

	s.log.Clear()
	ready, err := m.PrepareMigration(s.within(), dst, s.options(dst.Name(), port+2))
	s.must(err, "prepare migration")
	ended := make(chan error, 1)
	go func() { ended <- ready.Run(s.Context()) }()
	s.await(results.MigrationStatus)
	s.must(i.Close(), "close in the middle of a migration")
	select {
	case err := <-ended:
		if err == nil {
			s.Log("the migration was over before the guest was closed")
		}
	case <-s.within().Done():
		s.Error("Run does not return when the guest is closed")
	}
}
