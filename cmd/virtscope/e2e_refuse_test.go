//go:build e2e

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefused asks for what the QEMU here cannot do: it is named, with what to do instead, before anything starts.
func TestRefused(t *testing.T) {
	tests := []struct {
		name, guest, migrate string
		want                 []string
	}{
		{"compress", "", "algorithm: compress", []string{"migration algorithm compress (capability compress) is not supported on src (QEMU ", "use multifd with compression, or a QEMU before 9.1"}},
		{"dirty-limit", "qemu: {dirty-ring: 4096}", "algorithm: dirty-limit", []string{"migration algorithm dirty-limit under tcg is not supported", "or use auto-converge"}},
		{"capability", "", "qemu: {capabilities: {x-nowhere: true}}", []string{"capability x-nowhere", "is not supported on src (QEMU ", "guest.qemu.binary"}},
		{"parameter", "", "qemu: {parameters: {x-nothing: 1}}", []string{"parameter x-nothing", "is not supported on dst (QEMU "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "dirty-limit" && onKVM(t) {
				t.Skip("needs a machine without KVM")
			}
			dir := experiment(t, "virtscope: 1\nname: refused\nextends: quickstart.yaml\nguest: {"+test.guest+"}\naction: {migrate: {"+test.migrate+"}}\n")
			_, stderr, err := virtscope(t, dir, "run", "e.yaml")
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitFailure {
				t.Errorf("%v, want exit code %d", err, exitFailure)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("want %q in: %s", want, stderr)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "runs")); err == nil {
				t.Error("a run was begun")
			}
		})
	}
}

// onKVM reports whether guests would run under KVM here.
func onKVM(t *testing.T) bool {
	t.Helper()
	stdout, _, _ := virtscope(t, t.TempDir(), "doctor") // whatever else is missing
	return strings.Contains(stdout, " with kvm: ")
}
