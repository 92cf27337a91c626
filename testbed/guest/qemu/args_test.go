package qemu

import (
	"slices"
	"strings"
	"testing"
	"virtscope/testbed/guest"
)

func testSpec() guest.Spec {
	return guest.Spec{
		Name: "guest", Memory: 256 << 20, VCPUs: 2, Kernel: "/k", Initrd: "/i", Append: "console=ttyS0 a=b,c",
		NIC: guest.NIC{Tap: "tap0", MAC: "52:54:00:00:00:01"}, Dir: "/run/x", LogDir: "/log",
	}
}

func value(t *testing.T, args []string, flag string) string {
	t.Helper()
	i := slices.Index(args, flag)
	if i < 0 || i+1 == len(args) {
		t.Fatalf("no %s in %q", flag, args)
	}
	return args[i+1]
}

func TestArguments(t *testing.T) {
	cases := []struct {
		name, accel string
		change      func(*guest.Spec)
		flag, want  string
	}{
		{"tcg", accelTCG, nil, "-accel", "tcg,thread=multi"},
		{"tcg cpu", accelTCG, nil, "-cpu", "max"},
		{"kvm", accelKVM, nil, "-accel", "kvm"},
		{"kvm cpu", accelKVM, nil, "-cpu", "host"},
		{"memory", accelTCG, nil, "-m", "size=262144k"},
		{"vcpus", accelTCG, nil, "-smp", "2"},
		{"machine", accelTCG, nil, "-machine", "q35"},
		{"own machine", accelTCG, func(s *guest.Spec) { s.Machine = "pc-q35-7.2" }, "-machine", "pc-q35-7.2"},
		{"append is one argument", accelTCG, nil, "-append", "console=ttyS0 a=b,c"},
		{"comma in a path", accelTCG, func(s *guest.Spec) { s.Dir = "/run/a,b" }, "-qmp", "unix:/run/a,,b/src-1.qmp,server=on,wait=off"},
		{"tap", accelTCG, nil, "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := testSpec()
			if c.change != nil {
				c.change(&s)
			}
			if got := value(t, arguments(s, c.accel, "src", filesFor(s, "src", 1), false), c.flag); got != c.want {
				t.Errorf("%s %q, want %q", c.flag, got, c.want)
			}
		})
	}
}

// Both ends must have the same devices in the same order, or the stream does not fit.
func TestBothEndsAreAlike(t *testing.T) {
	s := testSpec()
	src := arguments(s, accelTCG, "src", filesFor(s, "src", 1), false)
	dst := arguments(s, accelTCG, "dst", filesFor(s, "dst", 2), true)
	if got := dst[len(dst)-2:]; got[0] != "-incoming" || got[1] != "defer" {
		t.Errorf("the destination ends with %q", got)
	}
	for i, a := range src {
		if a != strings.ReplaceAll(dst[i], "dst-2", "src-1") {
			t.Errorf("argument %d: %q and %q", i, a, dst[i])
		}
	}
}
