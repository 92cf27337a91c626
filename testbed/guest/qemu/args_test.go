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

// What nobody asked for anything new of is started as it always was.
func TestDefaultArguments(t *testing.T) {
	s := testSpec()
	want := strings.Fields("-name guest,debug-threads=on -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m size=262144k " +
		"-nodefaults -no-user-config -display none -no-reboot -kernel /k -initrd /i -append CMDLINE " +
		"-qmp unix:/run/x/src-1.qmp,server=on,wait=off -chardev file,id=console,path=/log/console-src-1.log -serial chardev:console " +
		"-netdev tap,id=net0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=net0,romfile=,mac=52:54:00:00:00:01 " +
		"-device virtio-serial-pci -chardev socket,id=agent,path=/run/x/src-1.agent,server=on,wait=off " +
		"-device virtserialport,chardev=agent,name=virtscope.agent.0")
	want[slices.Index(want, "CMDLINE")] = s.Append
	if got := arguments(s, accelTCG, filesFor(s, "src", 1), role{}); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Each thing that is asked for of a start, and nothing else, adds to the command line.
func TestStartArguments(t *testing.T) {
	disk := &guest.Disk{Format: "raw", Paths: map[string]string{"src": "/d"}}
	cases := []struct {
		name   string
		change func(*guest.Spec)
		role   role
		has    []string // arguments, whole
		lacks  []string // parts of arguments
	}{
		{
			"microvm", func(s *guest.Spec) { s.Machine, s.Disk, s.Root = "microvm", disk, "/r" },
			role{},
			[]string{
				"microvm,pic=off", "virtio-mmio.force-legacy=false", "virtio-serial-device", "virtio-net-device,netdev=net0,mac=52:54:00:00:00:01",
				"virtio-blk-device,id=disk0-device,drive=disk0,serial=virtscope-disk", "virtio-blk-device,drive=root0,serial=virtscope-root",
			},
			[]string{"pci", "romfile"},
		},
		{
			"firmware", func(s *guest.Spec) { s.Start.Boot, s.Disk = guest.BootFirmware, disk },
			role{},
			[]string{"virtio-blk-pci,id=disk0-device,drive=disk0,serial=virtscope-disk,bootindex=0"},
			[]string{"-kernel", "-initrd", "-append", "-bios"},
		},
		{"uefi", func(s *guest.Spec) { s.Start.Boot, s.Start.Firmware, s.Disk = guest.BootFirmware, "uefi", disk }, role{}, []string{"-bios", "/uefi"}, []string{"-kernel"}},
		{"no initrd", func(s *guest.Spec) { s.Initrd = "" }, role{}, []string{"-kernel"}, []string{"-initrd"}},
		{
			"prealloc", func(s *guest.Spec) { s.Start.Prealloc = true },
			role{},
			[]string{"q35,memory-backend=pc.ram", "memory-backend-ram,id=pc.ram,size=268435456,prealloc=on"},
			nil,
		},
		{
			"huge pages", func(s *guest.Spec) { s.Start.HugePages = 2 << 20 },
			role{},
			[]string{"memory-backend-memfd,id=pc.ram,size=268435456,share=off,hugetlb=on,hugetlbsize=2097152"},
			[]string{"prealloc"},
		},
		{
			"memory file", func(s *guest.Spec) { s.Start.MemoryFile = "/m,1" },
			role{},
			[]string{"q35,memory-backend=pc.ram", "memory-backend-file,id=pc.ram,size=268435456,share=on,mem-path=/m,,1"},
			nil,
		},
		{
			"memory file on a microvm", func(s *guest.Spec) { s.Start.MemoryFile, s.Machine = "/m", "microvm" },
			role{},
			[]string{"microvm,pic=off,memory-backend=microvm.ram"},
			nil,
		},
		{
			"private memory", func(s *guest.Spec) { s.Start.MemoryFile, s.Start.Prealloc = "/m", true },
			role{incoming: true, restored: true, privateMemory: "/saved"},
			[]string{"memory-backend-file,id=pc.ram,size=268435456,share=off,readonly=on,rom=off,mem-path=/saved"},
			[]string{"prealloc", "/m"},
		},
		{"seed", func(s *guest.Spec) { s.Start.Seed = "/seed" }, role{}, []string{"virtio-blk-pci,drive=seed0,serial=virtscope-seed,romfile="}, nil},
		{"balloon", func(s *guest.Spec) { s.Start.Balloon = true }, role{}, []string{"virtio-balloon-pci,id=balloon0"}, nil},
		{"vcpus", func(s *guest.Spec) { s.Start.MaxVCPUs = 4 }, role{}, []string{"2,maxcpus=4"}, nil},
		{"no more vcpus", func(s *guest.Spec) { s.Start.MaxVCPUs = 2 }, role{}, []string{"2"}, []string{"maxcpus"}},
		{
			"observed", func(s *guest.Spec) { s.Start.Observe = true },
			role{},
			[]string{"socket,id=console,path=/run/x/src-1.serial", "isa-debugcon,iobase=0x402,chardev=firmware"},
			[]string{"console-src-1.log"},
		},
		{
			"observed destination", func(s *guest.Spec) { s.Start.Observe = true },
			role{incoming: true},
			[]string{"file,id=console,path=/log/console-src-1.log"},
			[]string{"debugcon"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := testSpec()
			c.change(&s)
			f := filesFor(s, "src", 1)
			f.uefi = "/uefi"
			args := arguments(s, accelTCG, f, c.role)
			for _, want := range c.has {
				if !slices.Contains(args, want) {
					t.Errorf("no %q in %q", want, args)
				}
			}
			for _, part := range c.lacks {
				if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, part) }) {
					t.Errorf("%q in %q", part, args)
				}
			}
		})
	}
}
