package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// A fakeDriver makes guests that are their memory, saved and restored over real sockets and files.
type fakeDriver struct {
	guest.Driver
	mu       sync.Mutex
	restored []*fakeGuest
	options  []guest.RestoreOptions
	refuse   error // of Restore, after it has read everything
}

func (d *fakeDriver) Name() string { return "fake" }

func (d *fakeDriver) Restore(ctx context.Context, h host.Host, s guest.Spec, o guest.RestoreOptions, _ results.Recorder) (guest.Instance, error) {
	g := &fakeGuest{h: h, done: make(chan struct{})}
	var err error
	switch o.Format {
	case guest.FormatStream:
		conn, dialErr := h.Dial(ctx, "unix", strings.TrimPrefix(o.Stream, "unix:"))
		if dialErr != nil {
			return nil, dialErr
		}
		g.memory, err = io.ReadAll(conn)
		_ = conn.Close()
	default:
		g.memory, err = os.ReadFile(o.Memory)
	}
	if err == nil && o.State != "" {
		g.state, err = os.ReadFile(o.State)
	}
	if err = errors.Join(err, d.refuse); err != nil {
		return nil, err
	}
	if s.Disk != nil {
		g.disk = s.Disk.Paths[h.Name()]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.restored, d.options = append(d.restored, g), append(d.options, o)
	return g, nil
}

// A fakeGuest is a guest's memory.
type fakeGuest struct {
	h             host.Host
	memory, state []byte
	disk          string              // path of a raw image
	writes        map[int64]byte      // since the last save: offset of a block, what fills it
	asked         []guest.SaveOptions // of each Save
	fail          error               // of Save, when half is written
	done          chan struct{}
	once          sync.Once
}

func (g *fakeGuest) Host() host.Host            { return g.h }
func (g *fakeGuest) Processes() []guest.Process { return nil }
func (g *fakeGuest) Done() <-chan struct{}      { return g.done }
func (g *fakeGuest) Close() error               { g.once.Do(func() { close(g.done) }); return nil }

func (g *fakeGuest) Save(ctx context.Context, o guest.SaveOptions) (saved guest.Saved, err error) {
	g.asked = append(g.asked, o)
	memory := g.memory
	if g.fail != nil {
		memory = memory[:len(memory)/2]
	}
	if o.Stream != "" {
		err = send2(ctx, g.h, o.Stream, memory)
	} else {
		err = os.WriteFile(o.Memory, memory, 0o600)
	}
	if o.State != "" {
		err = errors.Join(err, os.WriteFile(o.State, g.state, 0o600))
	}
	if o.Disk != "" {
		err = errors.Join(err, g.saveDisk(o))
	}
	return saved, errors.Join(err, g.fail)
}

func send2(ctx context.Context, h host.Host, stream string, memory []byte) error {
	network, address, _ := strings.Cut(stream, ":")
	var conn net.Conn
	conn, err := h.Dial(ctx, network, address)
	if err != nil {
		return err
	}
	_, err = conn.Write(memory)
	return errors.Join(err, conn.Close())
}

// saveDisk writes qcow2 with everything, or with what was written alone and no backing file, as a hypervisor does.
func (g *fakeGuest) saveDisk(o guest.SaveOptions) error {
	writes := g.writes
	g.writes = map[int64]byte{}
	if !o.Incremental {
		return exec.Command("qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", g.disk, o.Disk).Run()
	}
	if err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", o.Disk, strconv.Itoa(diskBytes)).Run(); err != nil {
		return err
	}
	args := []string{"-f", "qcow2"}
	for at, what := range writes {
		args = append(args, "-c", "write -P "+strconv.Itoa(int(what))+" "+strconv.FormatInt(at, 10)+" 64k")
	}
	out, err := exec.Command("qemu-io", append(args, o.Disk)...).CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
}

const diskBytes = 1 << 20

// write fills one block of 64 KiB of the disk.
func (g *fakeGuest) write(t *testing.T, at int64, what byte) {
	t.Helper()
	f, err := os.OpenFile(g.disk, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{what}, 64<<10), at); err != nil {
		t.Fatal(err)
	}
	if g.writes == nil {
		g.writes = map[int64]byte{}
	}
	g.writes[at] = what
}

// A log keeps records.
type log struct {
	mu   sync.Mutex
	list []results.Record
}

func (l *log) Record(r results.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)
}

// names are those of the records, in order.
func (l *log) names() (list []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.list {
		list = append(list, r.Name)
	}
	return list
}

// only returns the one record of a name.
func (l *log) only(t *testing.T, name string) results.Record {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, func(r results.Record) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no record %s", name)
	}
	return l.list[i]
}

// randomBytes are as incompressible as memory can be.
func randomBytes(n int, seed uint64) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

// A lab is two hosts with a vault.
type lab struct {
	vault  *Vault
	driver *fakeDriver
	src    host.Host
	dst    host.Host
	dir    string
	disk   bool
}

// newLab has both hosts in this machine's own network, on two loopback addresses.
func newLab(t *testing.T, o Options, disk bool) *lab {
	t.Helper()
	l := &lab{driver: &fakeDriver{}, dir: t.TempDir(), disk: disk}
	places := make([]Place, 2)
	for i, name := range []string{"src", "dst"} {
		h, err := host.NewLocal(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		places[i] = Place{
			Host: h, Disk: filepath.Join(l.dir, name, "disk"), Memory: filepath.Join(l.dir, name, "memory"),
			Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), 0),
		}
	}
	l.src, l.dst = places[0].Host, places[1].Host
	sockets, err := os.MkdirTemp("", "vs") // short enough for a unix address
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	if o.Keep == 0 {
		o.Keep = 2
	}
	l.vault, err = NewVault(Config{Places: places, Driver: l.driver, Spec: l.spec, Options: o, Dir: sockets})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) spec(h host.Host) guest.Spec {
	s := guest.Spec{Name: "guest", Memory: 1 << 20, VCPUs: 1, NIC: guest.NIC{MAC: "52:54:00:77:00:10"}}
	if l.disk {
		s.Disk = &guest.Disk{Size: diskBytes, Format: "raw", Paths: map[string]string{h.Name(): filepath.Join(l.dir, h.Name()+".img")}}
	}
	return s
}

func (l *lab) guest(memory []byte) *fakeGuest {
	return &fakeGuest{h: l.src, memory: memory, state: []byte("state"), done: make(chan struct{})}
}
