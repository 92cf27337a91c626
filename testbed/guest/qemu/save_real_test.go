package qemu

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// keepStream takes one saved stream into a file. Wait says how much came.
func keepStream(t *testing.T, path string) (uri string, wait func() int64) {
	t.Helper()
	dir, err := os.MkdirTemp("", "vs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	take, err := takeIn(dir+"/s", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(take.close)
	return take.uri, func() int64 {
		n, err := take.wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// serveStream serves a file once.
func serveStream(t *testing.T, path string) (uri string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "vs")
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done; _ = os.RemoveAll(dir) })
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		_, _ = io.Copy(conn, f) // who reads may have seen enough
	}()
	return "unix:" + dir + "/s"
}

// A saveCase is a way to save and to bring back.
type saveCase struct {
	name    string
	save    guest.SaveOptions
	restore guest.RestoreOptions
	file    bool // the restored guest has a memory file of its own
}

var saveCases = []saveCase{
	{name: "stream", save: guest.SaveOptions{Format: guest.FormatStream}, file: true},
	{name: "live", save: guest.SaveOptions{Format: guest.FormatStream, Live: true}, file: true},
	{name: "mapped-ram", save: guest.SaveOptions{Format: guest.FormatMappedRAM}, file: true},
	{name: "memory-file", save: guest.SaveOptions{Format: guest.FormatMemoryFile}, file: true},
	{name: "memory-file-read", save: guest.SaveOptions{Format: guest.FormatMemoryFile}},
	{name: "from-private", save: guest.SaveOptions{Format: guest.FormatStream}, file: true},
	{name: "on-demand", save: guest.SaveOptions{Format: guest.FormatMemoryFile}, restore: guest.RestoreOptions{OnDemand: true}},
}

// sharedFolder is in memory where the machine has such a place.
func sharedFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "vs")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// A savedTrip is a trip of a guest that is saved into a folder and brought back from it.
type savedTrip struct {
	*trip
	dir string
}

func newSavedTrip(t *testing.T, change func(*guest.Spec)) *savedTrip {
	t.Helper()
	needReal(t)
	dir := sharedFolder(t)
	return &savedTrip{dir: dir, trip: newTrip(t, func(s *guest.Spec) {
		s.Memory, s.Start.MemoryFile = 256<<20, dir+"/guest"
		if change != nil {
			change(s)
		}
	})}
}

// in is the trip in a part of the test.
func (st *savedTrip) in(t *testing.T) *savedTrip {
	tr := *st.trip
	tr.T = t
	return &savedTrip{&tr, st.dir}
}

func (st *savedTrip) save(o guest.SaveOptions) (guest.Saved, error) {
	st.Helper()
	wait := func() int64 { return 0 }
	if o.Format == guest.FormatStream {
		o.Stream, wait = keepStream(st.T, st.dir+"/stream")
	} else {
		o.Memory, o.State = st.dir+"/memory", st.dir+"/state"
	}
	st.log.Clear()
	began := time.Now()
	saved, err := st.guest.(guest.Saver).Save(st.within(), o)
	if err != nil {
		return saved, err
	}
	took := time.Since(began)
	if n := wait(); o.Format == guest.FormatStream && (n < saved.MemoryBytes*9/10 || n > saved.MemoryBytes*11/10+1<<20) {
		st.Errorf("%d B came, QEMU says %d", n, saved.MemoryBytes)
	}
	st.Logf("saved in %s, stood still %s: %+v", took.Round(time.Millisecond), st.still(), saved)
	return saved, nil
}

// still is how long the guest stood still for a save.
func (st *savedTrip) still() time.Duration {
	stops, resumes := st.log.Named(results.VMStop), st.log.Named(results.VMResume)
	if len(stops) == 0 || len(resumes) == 0 {
		return -1
	}
	return time.Duration(resumes[len(resumes)-1].Time - stops[len(stops)-1].Time)
}

// restore brings the guest back, on a host.
func (st *savedTrip) restore(on host.Host, o guest.RestoreOptions) error {
	st.Helper()
	if o.Format == guest.FormatStream {
		o.Stream = serveStream(st.T, st.dir+"/stream")
	} else {
		o.Memory, o.State = st.dir+"/memory", st.dir+"/state"
	}
	st.log.Clear()
	began := time.Now()
	i, err := New().Restore(st.within(), on, st.spec, o, st.log)
	if err != nil {
		return err
	}
	took := time.Since(began)
	st.guest = i
	if _, err := st.agent().Hello(st.within()); err != nil {
		st.Fatal(err)
	}
	answered := time.Since(began)
	begin, end := st.log.Named(results.RestoreBegin), st.log.Named(results.RestoreEnd)
	if len(begin) != 1 || len(end) != 1 {
		st.Fatalf("records %v, %v", begin, end)
	}
	st.Logf("restored in %s, answered after %s; loaded in %s: %v", took.Round(time.Millisecond), answered.Round(time.Millisecond), time.Duration(end[0].Time-begin[0].Time), end[0].Attrs)
	return nil
}

// TestSaveAndRestore saves one guest that writes its memory in every format, and goes on from what was saved each time, on the
// other host: every restored guest is saved again.
func TestSaveAndRestore(t *testing.T) { testSaveAndRestore(t, nil) }

// TestSaveAndRestoreOld does so with QEMU 7.2, which has no mapped-ram.
func TestSaveAndRestoreOld(t *testing.T) {
	needReal(t)
	old := needOld(t)
	testSaveAndRestore(t, func(s *guest.Spec) { s.Binary = old })
}

func testSaveAndRestore(t *testing.T, change func(*guest.Spec)) {
	st := newSavedTrip(t, change)
	defer func() {
		if err := st.guest.Close(); err != nil {
			t.Error(err)
		}
	}()
	st.writes(4e6)
	path := st.spec.Start.MemoryFile
	for n, c := range saveCases {
		ok := t.Run(c.name, func(t *testing.T) {
			if c.save.Format == guest.FormatMappedRAM && change != nil {
				t.Skip("QEMU 7.2 has no mapped-ram")
			}
			if !c.file && change != nil {
				t.Skip("QEMU 7.2 does not map a file privately that it may only read (rom=off)")
			}
			part := st.in(t)
			defer func() { st.guest = part.guest }()
			if _, err := part.save(c.save); err != nil {
				t.Fatal(err)
			}
			to := part.destination()
			if err := part.guest.Close(); err != nil {
				t.Error(err)
			}
			part.spec.Start.MemoryFile = ""
			if c.file {
				part.spec.Start.MemoryFile = fmt.Sprintf("%s-%d", path, n)
			}
			c.restore.Format = c.save.Format
			if err := part.restore(to, c.restore); err != nil {
				t.Fatal(err)
			}
			part.intact()
			part.writes(4e6)
		})
		if !ok {
			return // the guest is not to be relied upon
		}
	}
}
