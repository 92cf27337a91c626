package qemu

import (
	"slices"
	"testing"
	"virtscope/testbed/guest"
)

// TestSaveAndRestoreMicroVM saves a microvm in two formats and goes on from each.
func TestSaveAndRestoreMicroVM(t *testing.T) {
	needReal(t)
	if img, _ := builtImage(); !slices.Contains(img.Modules, "virtio_mmio") {
		t.Skip("needs an initramfs with virtio_mmio")
	}
	st := newSavedTrip(t, func(s *guest.Spec) { s.Machine = machineMicroVM })
	defer func() {
		if err := st.guest.Close(); err != nil {
			t.Error(err)
		}
	}()
	st.writes(4e6)
	for _, o := range []guest.SaveOptions{{Format: guest.FormatStream}, {Format: guest.FormatMemoryFile}} {
		if _, err := st.save(o); err != nil {
			t.Fatal(err)
		}
		to := st.destination()
		if err := st.guest.Close(); err != nil {
			t.Error(err)
		}
		st.spec.Start.MemoryFile += "+"
		if err := st.restore(to, guest.RestoreOptions{Format: o.Format}); err != nil {
			t.Fatal(err)
		}
		st.intact()
		st.writes(4e6)
	}
}
