package qemu

import (
	"os"
	"os/exec"
	"testing"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/image"
)

// TestConform runs the suite that every driver passes, on real guests.
func TestConform(t *testing.T) {
	if testing.Short() {
		t.Skip("needs minutes: real guests (leave out -short)")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: network namespaces and taps")
	}
	if _, err := exec.LookPath(DefaultBinary); err != nil {
		t.Skipf("needs QEMU: %v", err)
	}
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
	guesttest.Conform(t, func(t *testing.T) guesttest.Env {
		bed, s := guesttest.NewBed(t), guesttest.NewSpec(t)
		s.Memory, s.VCPUs, s.Accel = 192<<20, 1, accelAuto
		s.Kernel, s.Initrd = img.Kernel, img.Initrd
		s.Append = image.Append + " " + image.AddressParam + "=" + s.NIC.Address
		bad := s
		bad.Kernel = "/nowhere/vmlinuz"
		return guesttest.Env{Driver: New(), Bed: bed, Spec: s, Bad: bad, Options: migrateOptions(), Patience: 90 * time.Second}
	})
}

func migrateOptions() guest.MigrateOptions {
	return guest.MigrateOptions{Algorithm: "precopy", DowntimeLimit: 300 * time.Millisecond, MaxRounds: 30, Timeout: time.Minute}
}
