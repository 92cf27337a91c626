package checkpoint

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/guest/qemu"
	"virtscope/testbed/host"
	"virtscope/testbed/image"

	"github.com/vishvananda/netlink"
)

// arrived is how many B a host has received on its migration link.
func arrived(t *testing.T, h *host.Netns) (n uint64) {
	t.Helper()
	err := h.Do(func() error {
		link, err := netlink.LinkByName("mig0")
		if err == nil {
			n = link.Attrs().Statistics.RxBytes
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bedPlaces are the hosts of a testbed, with folders below dir.
func bedPlaces(bed *testbed.Testbed, dir string) []Place {
	place := func(h *host.Netns, name string) Place {
		return Place{
			Host: h, Disk: filepath.Join(dir, name, "disk"), Memory: filepath.Join(dir, name, "memory"),
			Address: netip.AddrPortFrom(bed.MigrationAddr(name), 4500),
		}
	}
	return []Place{place(bed.Source(), testbed.Source), place(bed.Destination(), testbed.Destination)}
}

// TestAcrossLink wants every byte that goes to the other host, or comes from it, to cross the link between them, and none of those
// that stay.
func TestAcrossLink(t *testing.T) {
	bed := guesttest.NewBed(t)
	const size = 5 << 20
	for _, c := range []struct {
		o         Options
		on        *host.Netns
		out, back bool // its bytes cross on the way out, or back
	}{
		{Options{Format: guest.FormatStream, To: ToDisk, Keep: 1}, bed.Source(), false, false},
		{Options{Format: guest.FormatStream, To: ToOther, Keep: 1}, bed.Destination(), true, false},
		{Options{Format: guest.FormatStream, To: ToOther, Keep: 1}, bed.Source(), true, true},
		{Options{Format: guest.FormatMappedRAM, To: ToOther, Keep: 1}, bed.Source(), true, true},
	} {
		driver := &fakeDriver{}
		s := guesttest.NewSpec(t)
		v, err := NewVault(Config{
			Places: bedPlaces(bed, t.TempDir()), Driver: driver, Spec: func(host.Host) guest.Spec { return s }, Options: c.o, Dir: s.Dir,
		})
		if err != nil {
			t.Fatal(err)
		}
		src, dst := arrived(t, bed.Source()), arrived(t, bed.Destination())
		g := &fakeGuest{h: bed.Source(), memory: randomBytes(size, 1), done: make(chan struct{})}
		id, err := v.Save(t.Context(), g, 1, nil, &log{})
		if err != nil {
			t.Fatal(err)
		}
		if n := arrived(t, bed.Destination()) - dst; (n >= size) != c.out || n > size*5/4 {
			t.Errorf("%+v: %d B came to the other host", c.o, n)
		}
		if _, err := v.Restore(t.Context(), id, c.on, &log{}); err != nil {
			t.Fatal(err)
		}
		if n := arrived(t, bed.Source()) - src; (n >= size) != c.back || n > size*5/4 {
			t.Errorf("%+v: %d B came back", c.o, n)
		}
		if len(driver.restored[0].memory) != size {
			t.Errorf("%d B were restored", len(driver.restored[0].memory))
		}
	}
}

// TestRealGuest saves a guest that writes its memory and its disk, fully and incrementally, ends it and brings it back on the other host,
// where everything that it wrote must be as it was; then it is saved and brought back once more.
func TestRealGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("needs minutes: real guests (leave out -short)")
	}
	if _, err := exec.LookPath(qemu.DefaultBinary); err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
	needs(t, qemuImg)
	driver := qemu.New()
	if _, ok := any(driver).(guest.Restorer); !ok {
		t.Skip("needs a driver that restores")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	bed, rec := guesttest.NewBed(t), &log{}
	spec := realSpec(t)
	large := t.TempDir()
	disk := func(n int) *guest.Disk {
		paths := map[string]string{}
		for _, h := range []string{testbed.Source, testbed.Destination} {
			paths[h] = filepath.Join(large, h+strconv.Itoa(n)+".img")
		}
		return &guest.Disk{Size: 64 << 20, Format: image.Raw, Paths: paths}
	}
	first := spec
	first.Disk = disk(0)
	if err := image.MakeDisk(ctx, first.Disk.Paths[testbed.Source], first.Disk.Size, 0.2, image.Raw, 1); err != nil {
		t.Fatal(err)
	}
	asked := 0
	v, err := NewVault(Config{
		Places: bedPlaces(bed, large), Driver: driver, Dir: spec.Dir,
		Spec: func(host.Host) guest.Spec {
			asked++
			s := spec
			s.Disk, s.Dir = disk(asked), filepath.Join(spec.Dir, strconv.Itoa(asked))
			if err := os.Mkdir(s.Dir, 0o700); err != nil {
				t.Error(err)
			}
			return s
		},
		Options: Options{Mode: "stop", Format: guest.FormatStream, To: ToOther, Compression: CompressionZstd, Disk: "incremental", Load: "eager", Keep: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := driver.Boot(ctx, bed.Source(), first, rec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	works(t, ctx, g)
	for _, on := range []*host.Netns{bed.Destination(), bed.Source()} {
		var id string
		for n := range 2 {
			time.Sleep(time.Second) // it writes meanwhile
			if id, err = v.Save(ctx, g, n+1, nil, rec); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		back, err := v.Restore(ctx, id, on, rec)
		if err != nil {
			t.Fatal(err)
		}
		g = back
		if _, err := g.(guest.Agented).Agent().Hello(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("restored %s on %s in %s", id, on.Name(), time.Since(begin).Round(time.Millisecond))
	}
	for _, r := range rec.list {
		if r.Name == results.CheckpointWritten || r.Name == results.CheckpointBegin {
			t.Log(r.Name, r.Attrs)
		}
	}
	intact(t, ctx, g)
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func realSpec(t *testing.T) guest.Spec {
	t.Helper()
	kernel, err := image.FindKernel("")
	if err != nil {
		t.Skipf("needs a guest kernel: %v", err)
	}
	init, err := image.FindInit(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Build(t.Context(), image.Options{Kernel: kernel, Init: init, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := guesttest.NewSpec(t)
	s.Memory, s.VCPUs, s.Accel = 256<<20, 1, "auto"
	s.Kernel, s.Initrd = img.Kernel, img.Initrd
	s.Append = image.Append + " " + image.AddressParam + "=" + s.NIC.Address
	return s
}

// works has the guest write its memory and its disk.
func works(t *testing.T, ctx context.Context, g guest.Instance) {
	t.Helper()
	a := g.(guest.Agented).Agent()
	if _, err := a.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.Reserve(ctx, agent.Memory{Bytes: 16 << 20, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	err := a.Start(ctx, agent.Workload{Kind: "mix", Seed: 2, Parts: []agent.Workload{
		{Kind: "dirty", Rate: 4e6, WorkingSet: 32 << 20, Pattern: "random", Seed: 3},
		{Kind: "disk", Rate: 2e6, Block: 64 << 10, Pattern: "random", Seed: 4},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// intact has the guest verify what it wrote.
func intact(t *testing.T, ctx context.Context, g guest.Instance) {
	t.Helper()
	a := g.(guest.Agented).Agent()
	if _, err := a.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	verdict, err := a.Verify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if verdict.Corrupt > 0 || verdict.DiskCorrupt > 0 || verdict.Verified < 48<<20 || verdict.DiskVerified == 0 {
		t.Errorf("got %+v", verdict)
	}
	t.Logf("%+v", verdict)
}
