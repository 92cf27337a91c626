package qemu

import (
	"os"
	"path/filepath"
	"testing"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// The facts name the QEMU of each end, where they differ.
func TestFingerprintOfBothEnds(t *testing.T) {
	h, err := host.NewLocal("src")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	binary := func(version string) string {
		path := filepath.Join(t.TempDir(), "qemu")
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho QEMU emulator version "+version+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := guest.Spec{Accel: accelTCG, Binary: binary("10.0.2")}
	facts := func() map[string]string {
		c, err := New().Fingerprint(t.Context(), h, s)
		if err != nil || c.Version != "10.0.2" {
			t.Fatalf("version %q, %v", c.Version, err)
		}
		all := map[string]string{}
		for _, f := range c.Facts {
			all[f.Name] = f.Value
		}
		return all
	}
	if got := facts(); got["qemu.version"] != "10.0.2" || got[DestinationVersionFact] != "" {
		t.Errorf("one binary: %q", got)
	}
	s.DestinationBinary = binary("7.2.22")
	if got := facts(); got["qemu.version"] != "10.0.2" || got[DestinationVersionFact] != "7.2.22" || got[AdviceFact] != "" || got[DestinationAdviceFact] == "" {
		t.Errorf("two binaries: %q", got)
	}
	s.DestinationBinary = "/nowhere/qemu"
	if _, err := New().Fingerprint(t.Context(), h, s); err == nil {
		t.Error("a destination's binary that is not there is no error")
	}
}
