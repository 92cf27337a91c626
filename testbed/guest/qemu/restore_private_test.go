package qemu

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
)

func TestMapsPrivately(t *testing.T) {
	for version, want := range map[string]bool{
		"7.2.22 (Debian 1:7.2+dfsg-7)": false, "8.1.5": false, "8.2.0": true, "9.0.0": true, "10.0.2 (Debian)": true, "of my own": true,
	} {
		if got := mapsPrivately(version); got != want {
			t.Errorf("%s: %t", version, got)
		}
	}
}

// An old QEMU is refused before it is started, by its own version.
func TestOldQEMUIsNotAskedToMapPrivately(t *testing.T) {
	needReal(t)
	s := realSpec(t)
	s.Binary = needOld(t)
	memory := filepath.Join(t.TempDir(), "memory")
	if err := os.WriteFile(memory, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(memory, s.Memory); err != nil {
		t.Fatal(err)
	}
	log := new(guesttest.Log)
	for _, onDemand := range []bool{false, true} {
		_, err := New().Restore(t.Context(), guesttest.NewBed(t).Source(), s, guest.RestoreOptions{Format: guest.FormatMemoryFile, Memory: memory, State: memory, OnDemand: onDemand}, log)
		var missing *guest.NotSupportedError
		if !errors.As(err, &missing) || !strings.Contains(missing.Where, "7.2") || !strings.Contains(missing.Remedy, "8.2") {
			t.Errorf("on demand %t: %v", onDemand, err)
		}
	}
	if n := len(log.Named(results.BootSpawn)); n != 0 {
		t.Errorf("%d were started", n)
	}
}
