package qemu

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"
)

// oldBinary is a QEMU 7.2, where the tests' dependencies put it.
const oldBinary = "../../../.cache/qemu-7.2/usr/bin/qemu-system-x86_64"

// patience is for a machine that does much else.
const patience = 3 * time.Minute

// needReal skips a test that cannot have real guests here.
func needReal(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs minutes: real guests (leave out -short)")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: network namespaces and taps")
	}
	if _, err := exec.LookPath(DefaultBinary); err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
	if _, err := image.FindKernel(""); err != nil {
		t.Skipf("needs a guest kernel: %v", err)
	}
}

// needOld returns the path of QEMU 7.2.
func needOld(t *testing.T) string {
	t.Helper()
	old, err := filepath.Abs(oldBinary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err != nil {
		t.Skipf("needs QEMU 7.2 (make deps-test): %v", err)
	}
	return old
}

var builtImage = sync.OnceValues(func() (image.Image, error) {
	kernel, err := image.FindKernel("")
	if err != nil {
		return image.Image{}, err
	}
	init, err := image.FindInit(os.Args[0])
	if err != nil {
		return image.Image{}, err
	}
	if imageDir, err = os.MkdirTemp("", "virtscope-image"); err != nil {
		return image.Image{}, err
	}
	return image.Build(context.Background(), image.Options{Kernel: kernel, Init: init, CacheDir: imageDir})
})

// imageDir holds the image for as long as the tests run; empty if none was built.
var imageDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if imageDir != "" {
		_ = os.RemoveAll(imageDir)
	}
	os.Exit(code)
}

func realSpec(t *testing.T) guest.Spec {
	t.Helper()
	img, err := builtImage()
	if err != nil {
		t.Fatal(err)
	}
	s := guesttest.NewSpec(t)
	s.Memory, s.VCPUs, s.Accel = 160<<20, 1, accelAuto
	s.Kernel, s.Initrd = img.Kernel, img.Initrd
	s.Append = image.Append + " " + image.AddressParam + "=" + s.NIC.Address
	return s
}

// A trip is a guest that is moved from host to host.
type trip struct {
	*testing.T
	bed   *testbed.Testbed
	spec  guest.Spec
	log   *guesttest.Log
	guest guest.Instance
	port  *int
}

func newTrip(t *testing.T, change func(*guest.Spec)) *trip {
	t.Helper()
	needReal(t)
	tr := &trip{T: t, bed: guesttest.NewBed(t), spec: realSpec(t), log: new(guesttest.Log), port: new(int)}
	if change != nil {
		change(&tr.spec)
	}
	i, err := New().Boot(tr.within(), tr.bed.Source(), tr.spec, tr.log)
	if err != nil {
		t.Fatal(err)
	}
	tr.guest = i
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		tr.keep()
	})
	if _, err := tr.agent().Hello(tr.within()); err != nil {
		t.Fatal(err)
	}
	return tr
}

// keep copies the transcripts to where the test's caller wants them.
func (tr *trip) keep() {
	dir := os.Getenv("VIRTSCOPE_KEEP")
	if dir == "" {
		return
	}
	paths, _ := filepath.Glob(tr.spec.LogDir + "/*")
	for _, p := range paths {
		raw, _ := os.ReadFile(p)
		_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(tr.Name(), "/", "-")+"-"+filepath.Base(p)), raw, 0o600)
	}
}

func (tr *trip) within() context.Context {
	ctx, cancel := context.WithTimeout(tr.Context(), patience)
	tr.Cleanup(cancel)
	return ctx
}

func (tr *trip) agent() *agent.Client { return tr.guest.(guest.Agented).Agent() }

func (tr *trip) source() host.Host { return tr.guest.Host() }

func (tr *trip) destination() host.Host {
	if tr.source().Name() == testbed.Source {
		return tr.bed.Destination()
	}
	return tr.bed.Source()
}

// writes starts a workload that writes memory.
func (tr *trip) writes(rate float64) {
	tr.Helper()
	w := agent.Workload{Kind: "dirty", Rate: rate, WorkingSet: 16 << 20, Pattern: "random", Seed: 1}
	if err := tr.agent().Start(tr.within(), w); err != nil {
		tr.Fatalf("start the workload: %v", err)
	}
}

// verify stops the workload and verifies all that it wrote.
func (tr *trip) verify() agent.Verdict {
	tr.Helper()
	if _, err := tr.agent().Stop(tr.within()); err != nil {
		tr.Fatalf("stop the workload: %v", err)
	}
	v, err := tr.agent().Verify(tr.within())
	if err != nil {
		tr.Fatalf("verify: %v", err)
	}
	return v
}

// intact verifies and wants no page wrong.
func (tr *trip) intact() {
	tr.Helper()
	if v := tr.verify(); v.Corrupt != 0 || v.Verified < 16<<20 {
		tr.Fatalf("memory: %+v", v)
	}
}

func (tr *trip) options(o guest.MigrateOptions) guest.MigrateOptions {
	*tr.port++
	o.Address, o.Port = tr.bed.MigrationAddr(tr.destination().Name()).String(), 14200+*tr.port
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.DowntimeLimit == 0 {
		o.DowntimeLimit = 300 * time.Millisecond
	}
	if o.MaxRounds == 0 {
		o.MaxRounds = 1000
	}
	return o
}

// move migrates once, from where the guest is.
func (tr *trip) move(o guest.MigrateOptions) error {
	tr.Helper()
	tr.log.Clear()
	m, err := tr.guest.(guest.Migrator).PrepareMigration(tr.within(), tr.destination(), tr.options(o))
	if err != nil {
		tr.Fatalf("prepare: %v", err)
	}
	return m.Run(tr.within())
}

// statuses lists what a host said of the migration, in order.
func (tr *trip) statuses(host string) []string {
	var all []string
	for _, r := range tr.log.Named(results.MigrationStatus) {
		if r.Host == host {
			all = append(all, r.Attrs["status"])
		}
	}
	return all
}

// outage is from the source's last stop to the destination's first resume; 0 if there is none.
func (tr *trip) outage(from, to string) time.Duration {
	tr.Helper()
	var stop, resume int64
	for _, r := range tr.log.Named(results.VMStop) {
		if r.Host == from {
			stop = r.Time
		}
	}
	for _, r := range tr.log.Named(results.VMResume) {
		if r.Host == to && resume == 0 {
			resume = r.Time
		}
	}
	if stop == 0 || resume < stop {
		tr.Errorf("stop %d on %s, resume %d on %s", stop, from, resume, to)
		return 0
	}
	return time.Duration(resume - stop)
}

// last is the last value of a counter, or -1.
func (tr *trip) last(name string) float64 {
	all := tr.log.Named(name)
	if len(all) == 0 {
		return -1
	}
	return all[len(all)-1].Value
}
