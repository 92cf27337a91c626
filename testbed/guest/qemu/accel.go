package qemu

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"virtscope/testbed/guest"
)

// Accelerators.
const (
	accelAuto = "auto"
	accelKVM  = "kvm"
	accelTCG  = "tcg"
)

// An accelProbe finds out what a machine can do. Its fields are paths, so that tests can give it other machines.
type accelProbe struct {
	kvm     string // /dev/kvm
	cpuinfo string // /proc/cpuinfo
}

// choose returns the accelerator for what was asked (auto, kvm, tcg) and why.
//
// A /dev/kvm that opens is not enough: there are paravirtual KVM modules, on CPUs that show neither vmx nor svm,
// under which stock guest kernels hang. So KVM needs the device and the CPU flag.
func (p accelProbe) choose(asked, where string) (accel, why string, err error) {
	if asked == accelTCG {
		return accelTCG, "asked for", nil
	}
	missing := p.missing()
	switch {
	case missing == nil:
		return accelKVM, p.kvm + " opens and the CPU has hardware virtualisation", nil
	case asked == accelKVM:
		return "", "", &guest.NotSupportedError{Feature: "accel: kvm", Where: where, Remedy: "set accel: tcg", Err: missing}
	default:
		return accelTCG, "no KVM: " + missing.Error(), nil
	}
}

func (p accelProbe) missing() error {
	f, err := os.OpenFile(p.kvm, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_ = f.Close()
	flags, err := cpuFlags(p.cpuinfo)
	if err != nil {
		return err
	}
	if !slices.Contains(flags, "vmx") && !slices.Contains(flags, "svm") {
		return fmt.Errorf("%s opens, but the CPU shows neither vmx nor svm, and stock guests hang there", p.kvm)
	}
	return nil
}

func cpuFlags(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if name, flags, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "flags" {
			return strings.Fields(flags), nil
		}
	}
	return nil, fmt.Errorf("%s lists no CPU flags", path)
}
