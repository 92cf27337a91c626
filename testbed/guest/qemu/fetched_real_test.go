package qemu

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
)

// What the firmware reads of the template through an overlay is counted, and what the overlay holds itself is not.
func TestFetchedFromTheTemplate(t *testing.T) {
	needReal(t)
	tool, err := exec.LookPath("qemu-img")
	if err != nil {
		t.Skipf("needs qemu-img: %v", err)
	}
	template := bootSector(t, "[    0.000000] Linux version\r\n")
	for name, change := range map[string]func(overlay string) []string{
		"template": nil,
		"own":      func(overlay string) []string { return []string{"-c", "write -P 0 0 64k", overlay} },
	} {
		t.Run(name, func(t *testing.T) {
			overlay := filepath.Join(t.TempDir(), "overlay")
			if out, err := exec.CommandContext(t.Context(), tool, "create", "-q", "-f", "qcow2", "-F", "raw", "-b", template, overlay).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if change != nil {
				if out, err := exec.CommandContext(t.Context(), "qemu-io", change(overlay)...).CombinedOutput(); err != nil {
					t.Skipf("needs qemu-io: %v: %s", err, out)
				}
			}
			s := realSpec(t)
			s.Disk = &guest.Disk{Size: 1 << 20, Format: "qcow2", Paths: map[string]string{"src": overlay}}
			s.Start = guest.Start{Boot: guest.BootFirmware, NoAgent: true, Observe: true}
			bed, log := guesttest.NewBed(t), new(guesttest.Log)
			i, err := New().Boot(t.Context(), bed.Source(), s, log)
			if err != nil {
				t.Fatal(err)
			}
			booted := func() bool { return len(log.Named(results.BootKernel)) > 0 }
			for end := time.Now().Add(patience); change == nil && !booted() && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
			}
			if change != nil {
				time.Sleep(2 * time.Second) // there is nothing to boot, and nothing says so
			}
			if err := i.Close(); err != nil {
				t.Fatal(err)
			}
			got := log.Named(results.ImageFetched)
			t.Logf("%+v", got)
			// QEMU looks for a partition table, and SeaBIOS reads the boot sector.
			if last := len(got) - 1; change == nil && (last < 0 || got[last].Value < 512 || got[last].Value > 64<<10 || got[last].Time > log.Named(results.BootKernel)[0].Time) {
				t.Errorf("%+v, kernel %+v", got, log.Named(results.BootKernel))
			}
			// The overlay's first cluster hides all that is read of the template but by QEMU itself, which asks the overlay.
			if change != nil && len(got) > 0 && got[len(got)-1].Value > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}
