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
		{"dirty ring", accelKVM, func(s *guest.Spec) { s.DirtyRing = 4096 }, "-accel", "kvm,dirty-ring-size=4096"},
		{"no dirty ring", accelTCG, func(s *guest.Spec) { s.DirtyRing = 4096 }, "-accel", "tcg,thread=multi"},
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
			if got := value(t, arguments(s, c.accel, filesFor(s, "src", 1), role{}), c.flag); got != c.want {
				t.Errorf("%s %q, want %q", c.flag, got, c.want)
			}
		})
	}
}

// Both ends must have the same devices in the same order, or the stream does not fit.
func TestBothEndsAreAlike(t *testing.T) {
	s := testSpec()
	src := arguments(s, accelTCG, filesFor(s, "src", 1), role{})
	dst := arguments(s, accelTCG, filesFor(s, "dst", 2), role{incoming: true})
	if got := dst[len(dst)-2:]; got[0] != "-incoming" || got[1] != "defer" {
		t.Errorf("the destination ends with %q", got)
	}
	for i, a := range src {
		if a != strings.ReplaceAll(dst[i], "dst-2", "src-1") {
			t.Errorf("argument %d: %q and %q", i, a, dst[i])
		}
	}
}

// The workload's programs come after the guest's disk, so that the guest finds both under the same names.
func TestRootComesAfterTheDisk(t *testing.T) {
	s := testSpec()
	s.Root = "/images/a,b"
	s.Disk = &guest.Disk{Size: 1 << 20, Format: "raw", Paths: map[string]string{"src": "/d"}}
	args := arguments(s, accelTCG, filesFor(s, "src", 1), role{})
	at := func(what string) int {
		return slices.IndexFunc(args, func(a string) bool { return strings.Contains(a, what) })
	}
	if disk, root := at("serial=virtscope-disk"), at("serial=virtscope-root"); disk < 0 || root < disk {
		t.Errorf("disk %d, root %d: %q", disk, root, args)
	}
	if i := at("read-only=on"); i < 0 || !strings.Contains(args[i], "file.locking=off") || !strings.HasSuffix(args[i], "filename=/images/a,,b") {
		t.Errorf("root: %q", args)
	}
}

func TestDestinationBinary(t *testing.T) {
	for _, c := range []struct{ binary, destination, want string }{
		{"", "", DefaultBinary}, {"/old", "", "/old"}, {"", "/new", "/new"}, {"/old", "/new", "/new"},
	} {
		if got := destinationBinaryOf(guest.Spec{Binary: c.binary, DestinationBinary: c.destination}); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
