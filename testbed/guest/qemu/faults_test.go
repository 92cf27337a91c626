package qemu

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"

	"github.com/vishvananda/netlink"
)

// kinds lists the faults that were recorded.
func (tr *trip) kinds() []string {
	var all []string
	for _, r := range tr.log.Named(results.Fault) {
		all = append(all, r.Attrs["kind"])
	}
	return all
}

// stays wants the guest to run on at host, intact.
func (tr *trip) stays(host string) {
	tr.Helper()
	if got := tr.source().Name(); got != host {
		tr.Fatalf("the guest is on %s, want %s", got, host)
	}
	tr.intact()
}

// slow leaves time to do something in the middle.
func slow(algorithm string) guest.MigrateOptions {
	return guest.MigrateOptions{Algorithm: algorithm, MaxBandwidth: 15e6, Timeout: 2 * time.Minute}
}

// TestFaults does to one guest what it survives.
func TestFaults(t *testing.T) {
	whole := newTrip(t, nil)
	part := func(name string, f func(tr *trip)) {
		t.Run(name, func(t *testing.T) {
			if whole.Failed() {
				t.Skip("what came before failed")
			}
			tr := *whole
			tr.T = t
			tr.writes(4e6)
			f(&tr)
			if tr.source().Name() == testbed.Source {
				tr.intact()
			}
		})
	}
	for _, algorithm := range []string{guest.PreCopy, guest.StopAndCopy, guest.Multifd} {
		part("cancel "+algorithm, func(tr *trip) {
			o := slow(algorithm)
			o.CancelAfter = time.Second
			if err := tr.move(o); err != nil {
				tr.Fatal(err)
			}
			if got := tr.kinds(); len(got) == 0 || got[0] != "cancel" {
				tr.Errorf("faults %q", got)
			}
			if got := tr.statuses(testbed.Source); got[len(got)-1] != "cancelled" {
				tr.Errorf("the source said %q", got)
			}
		})
		part("kill "+algorithm, func(tr *trip) {
			o := slow(algorithm)
			o.KillDestinationAfter = time.Second
			if err := tr.move(o); err != nil {
				tr.Fatal(err)
			}
			if got := tr.source().Name(); got != testbed.Source {
				tr.Fatalf("the guest is on %s", got)
			}
			if got := tr.kinds(); len(got) == 0 || got[0] != "kill-destination" {
				tr.Errorf("faults %q", got)
			}
		})
	}
	outcome := func(tr *trip, o guest.MigrateOptions, want string) {
		tr.Helper()
		var failed *guest.OutcomeError
		if err := tr.move(o); !errors.As(err, &failed) || !strings.Contains(err.Error(), want) {
			tr.Errorf("error %v, want an outcome with %q", err, want)
		}
	}
	part("timeout", func(tr *trip) {
		o := slow(guest.PreCopy)
		o.Timeout = 500 * time.Millisecond
		outcome(tr, o, "timed out after 500ms")
	})
	part("timeout of stop-and-copy", func(tr *trip) {
		o := slow(guest.StopAndCopy)
		o.Timeout = 500 * time.Millisecond
		outcome(tr, o, "timed out after 500ms")
	})
	part("file that cannot be written", func(tr *trip) {
		outcome(tr, guest.MigrateOptions{Algorithm: guest.MappedRAM, File: "/nowhere/memory"}, "/nowhere/memory")
	})
	part("kill mapped-ram", func(tr *trip) {
		o := guest.MigrateOptions{Algorithm: guest.MappedRAM, MaxBandwidth: 40e6}
		o.File, o.KillDestinationAfter = filepath.Join(tr.spec.Dir, "memory"), 500*time.Millisecond
		if err := tr.move(o); err != nil {
			tr.Fatal(err)
		}
		if got := tr.kinds(); !slices.Equal(got, []string{"kill-destination", "continue"}) {
			tr.Errorf("faults %q", got)
		}
	})
	part("background-snapshot", func(tr *trip) {
		o := guest.MigrateOptions{Algorithm: guest.BackgroundSnapshot, File: filepath.Join(tr.spec.Dir, "snapshot")}
		if err := tr.move(o); err != nil {
			tr.Fatal(err)
		}
		if stops, resumes := len(tr.log.Named(results.VMStop)), len(tr.log.Named(results.VMResume)); stops != 1 || resumes != 1 {
			tr.Errorf("%d stops, %d resumes at the source", stops, resumes)
		}
		tr.intact()
		tr.restore(o.File)
	})
}

// restore makes the guest that a snapshot holds, in place of the one that runs, and verifies its memory.
func (tr *trip) restore(file string) {
	tr.Helper()
	i := tr.guest.(*instance)
	dst := tr.bed.Destination()
	if err := i.drop(dst); err != nil {
		tr.Fatal(err)
	}
	vm, err := i.spawn(tr.within(), dst, role{incoming: true})
	if err != nil {
		tr.Fatal(err)
	}
	events := vm.mon.eventsFromNow(tr.within())
	if err := vm.mon.Execute(tr.within(), "migrate-incoming", map[string]string{"uri": "file:" + file}, nil); err != nil {
		tr.Fatal(err)
	}
	for e := range events {
		if e.Event == eventResume {
			break
		}
	}
	i.moveTo(vm)
	i.agent.Use(dst.Name())
	tr.intact()
}

// A guest in post-copy is where it was resumed, and is lost with either end.
func TestKillInPostCopy(t *testing.T) {
	tr := newTrip(t, nil)
	tr.writes(4e6)
	o := slow(guest.PostCopy)
	o.PostCopyBandwidth, o.KillDestinationAfter = 5e6, 2*time.Second
	var failed *guest.OutcomeError
	err := tr.move(o)
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "the guest is lost") {
		t.Errorf("error %v", err)
	}
	if got := tr.source().Name(); got != testbed.Destination {
		t.Errorf("the guest is on %s", got)
	}
	select {
	case <-tr.guest.Done():
	case <-tr.within().Done():
		t.Error("Done is open")
	}
}

// A post-copy cannot be cancelled, nor when it takes too long.
func TestPostCopyTooLong(t *testing.T) {
	tr := newTrip(t, nil)
	tr.writes(1e6)
	o := slow(guest.PostCopy)
	o.PostCopyBandwidth, o.CancelAfter, o.Timeout = 2e6, time.Second, 3*time.Second
	var failed *guest.OutcomeError
	err := tr.move(o)
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "post-copy, which cannot be cancelled") {
		t.Errorf("error %v", err)
	}
	if got := tr.source().Name(); got != testbed.Destination {
		t.Errorf("the guest is on %s", got)
	}
}

// TestRecovery cuts the migration's link in post-copy, and mends it.
func TestRecovery(t *testing.T) {
	tr := newTrip(t, nil)
	tr.writes(4e6)
	o := slow(guest.PostCopy)
	o.PostCopyBandwidth, o.PostCopyRecovery = 15e6, time.Second
	cut := make(chan error, 1)
	go func() {
		time.Sleep(2 * time.Second)
		err := tr.link(false)
		time.Sleep(2 * time.Second)
		cut <- errors.Join(err, tr.link(true))
	}()
	if err := tr.move(o); err != nil {
		t.Error(err)
	}
	if err := <-cut; err != nil {
		t.Fatal(err)
	}
	if got := tr.kinds(); !slices.Contains(got, "pause") || !slices.Contains(got, "recover") {
		t.Errorf("faults %q", got)
	}
	t.Logf("%q, the source said %q", tr.kinds(), tr.statuses(testbed.Source))
	if !t.Failed() {
		tr.stays(testbed.Destination)
	}
}

// link cuts or mends the destination's end of the migration link.
func (tr *trip) link(up bool) error {
	dst := tr.bed.Destination()
	return dst.Do(func() error {
		addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
		if err != nil {
			return err
		}
		for _, a := range addrs {
			if a.IP.String() != tr.bed.MigrationAddr(dst.Name()).String() {
				continue
			}
			l, err := netlink.LinkByIndex(a.LinkIndex)
			if err != nil {
				return err
			}
			if up {
				return netlink.LinkSetUp(l)
			}
			return netlink.LinkSetDown(l)
		}
		return errors.New("no such link")
	})
}
