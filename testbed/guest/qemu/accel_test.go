package qemu

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/testbed/guest"
)

func TestChooseAccelerator(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	device := file("kvm", "")
	intel := file("intel", "processor\t: 0\nflags\t\t: fpu vmx sse\n")
	amd := file("amd", "flags\t\t: fpu svm sse\n")
	plain := file("plain", "flags\t\t: fpu vmx_like sse hypervisor\n")
	none := filepath.Join(dir, "none")

	cases := []struct {
		name, asked, kvm, cpuinfo string
		accel, why                string
		unsupported               bool
	}{
		{"tcg asked", "tcg", device, intel, "tcg", "asked for", false},
		{"intel", "auto", device, intel, "kvm", "hardware virtualisation", false},
		{"amd", "auto", device, amd, "kvm", "hardware virtualisation", false},
		{"no device", "auto", none, intel, "tcg", "no such file", false},
		{"device without flags is a trap", "auto", device, plain, "tcg", "stock guests hang", false},
		{"no cpuinfo", "auto", device, none, "tcg", "no such file", false},
		{"kvm asked, trap", "kvm", device, plain, "", "", true},
		{"kvm asked, no device", "kvm", none, intel, "", "", true},
		{"kvm asked", "kvm", device, amd, "kvm", "hardware virtualisation", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			accel, why, err := accelProbe{kvm: c.kvm, cpuinfo: c.cpuinfo}.choose(c.asked, "src")
			var missing *guest.NotSupportedError
			if got := errors.As(err, &missing); got != c.unsupported {
				t.Fatalf("error %v", err)
			}
			if c.unsupported && !strings.Contains(err.Error(), "accel: tcg") {
				t.Errorf("no remedy in %q", err)
			}
			if accel != c.accel || !strings.Contains(why, c.why) {
				t.Errorf("got %q because %q", accel, why)
			}
		})
	}
}
