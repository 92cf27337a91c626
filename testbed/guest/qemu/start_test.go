package qemu

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// Each start that cannot be is refused before anything starts, with what to do.
func TestRefuseStart(t *testing.T) {
	disk := &guest.Disk{}
	for name, c := range map[string]struct {
		spec guest.Spec
		want string // part of the error; "" is none
	}{
		"nothing asked":    {guest.Spec{}, ""},
		"pvh":              {guest.Spec{Start: guest.Start{Boot: guest.BootPVH}}, ""},
		"firmware":         {guest.Spec{Disk: disk, Start: guest.Start{Boot: guest.BootFirmware, Firmware: "uefi"}}, ""},
		"no disk":          {guest.Spec{Start: guest.Start{Boot: guest.BootFirmware}}, "without a disk"},
		"boot":             {guest.Spec{Start: guest.Start{Boot: "net"}}, "use kernel, pvh or firmware"},
		"firmware's name":  {guest.Spec{Start: guest.Start{Firmware: "coreboot"}}, "use bios or uefi"},
		"uefi of microvm":  {guest.Spec{Machine: machineMicroVM, Disk: disk, Start: guest.Start{Boot: guest.BootFirmware, Firmware: "uefi"}}, "use machine q35"},
		"page size":        {guest.Spec{Start: guest.Start{HugePages: 4096}}, "use 2MiB or 1GiB"},
		"part of a page":   {guest.Spec{Memory: 3 << 20, Start: guest.Start{HugePages: 2 << 20}}, "multiple"},
		"fewer vcpus":      {guest.Spec{VCPUs: 4, Start: guest.Start{MaxVCPUs: 2}}, "at most 2 vCPUs"},
		"vcpus of microvm": {guest.Spec{VCPUs: 1, Machine: machineMicroVM, Start: guest.Start{MaxVCPUs: 2}}, "plugged in"},
	} {
		t.Run(name, func(t *testing.T) {
			err := refuseStart(c.spec)
			var unsupported *guest.NotSupportedError
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &unsupported) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// What is promised to others is not free.
func TestHugePages(t *testing.T) {
	dir := t.TempDir()
	pool := filepath.Join(dir, "hugepages-2048kB")
	if err := os.Mkdir(pool, 0o755); err != nil {
		t.Fatal(err)
	}
	set := func(name, text string) {
		if err := os.WriteFile(filepath.Join(pool, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := guest.Spec{Memory: 8 << 20, Start: guest.Start{HugePages: 2 << 20}}
	for _, c := range []struct{ free, promised, want string }{
		{"4\n", "0\n", ""},
		{"4\n", "1\n", "3 are free"},
		{"0\n", "0\n", "sysctl vm.nr_hugepages=4"},
		{"many\n", "0\n", "count huge pages"},
	} {
		set("free_hugepages", c.free)
		set("resv_hugepages", c.promised)
		if err := checkHugePages(dir, s, "src"); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q free, %q promised: %v", c.free, c.promised, err)
		}
	}
	s.Memory, s.Start.HugePages = 1<<30, 1<<30
	if err := checkHugePages(dir, s, "src"); err == nil || !strings.Contains(err.Error(), "no pages of that size") {
		t.Error(err)
	}
}

// QEMU looks at a kernel's file alone, so that it must be what was asked for.
func TestCheckKernel(t *testing.T) {
	write := func(content string) string {
		path := filepath.Join(t.TempDir(), "kernel")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		content string
		pvh     bool
		want    string
	}{
		{"MZ..bzImage", false, ""},
		{"MZ..bzImage", true, "not ELF"},
		{"\x7fELF", false, "set guest.boot: pvh"},
		{"\x7fELF", true, "read the guest's kernel"},
		{"x", false, "EOF"},
	} {
		if err := checkKernel(write(c.content), c.pvh); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q, pvh %v: %v", c.content, c.pvh, err)
		}
	}
	if err := checkKernel("/nowhere", false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func note(kind uint32, name, desc string) []byte {
	var b []byte
	for _, n := range []uint32{uint32(len(name)), uint32(len(desc)), kind} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, part := range []string{name, desc} {
		b = append(b, part...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func FuzzPVHNote(f *testing.F) {
	with := append(note(6, "Xen\x00", "linux\x00"), note(18, "Xen\x00", "12345678")...)
	if !pvhNote(with, binary.LittleEndian) || pvhNote(note(18, "GNU\x00", "1234"), binary.LittleEndian) || pvhNote(with[:30], binary.LittleEndian) {
		f.Error("a note is not found, or found where it is not")
	}
	f.Add(with)
	f.Fuzz(func(_ *testing.T, notes []byte) { pvhNote(notes, binary.LittleEndian) })
}

// The initramfs keeps its content, and all but one byte off the last page that it is laid in.
func TestPadInitrd(t *testing.T) {
	for _, size := range []int{1, 2, initrdPage - 1, initrdPage, initrdPage + 1, initrdPage + 2} {
		dir := t.TempDir()
		content := strings.Repeat("i", size)
		if err := os.WriteFile(dir+"/in", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := padInitrd(dir+"/in", dir+"/out"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(dir + "/out")
		if err != nil || len(got)%initrdPage != 1 || len(got) < size || len(got) >= size+initrdPage ||
			string(got[:size]) != content || strings.Trim(string(got[size:]), "\x00") != "" {
			t.Errorf("%d B become %d, %v", size, len(got), err)
		}
	}
	if err := padInitrd("/nowhere", t.TempDir()+"/out"); err == nil {
		t.Error("no initramfs is no error")
	}
}

// Guests that share their folders have files of their own.
func TestClaim(t *testing.T) {
	h, err := host.NewLocal("src")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	s := guest.Spec{Dir: t.TempDir(), LogDir: t.TempDir(), Start: guest.Start{MemoryFile: "/m"}}
	seen := map[string]bool{}
	for range 3 {
		i := &instance{spec: s}
		for _, r := range []role{{}, {incoming: true}} {
			f, err := i.claim(h, r)
			if err != nil || seen[f.qmp] || seen[f.transcript] {
				t.Errorf("%+v, %v", f, err)
			}
			seen[f.qmp], seen[f.transcript] = true, true
			if (f.memory == "/m") == r.incoming {
				t.Errorf("memory file %s of %+v", f.memory, r)
			}
		}
	}
}

// What QEMU 10.0.2 said of a PC with 1 of 3 vCPUs.
const recordedSlots = `[{"props": {"core-id": 2, "thread-id": 0, "socket-id": 0}, "vcpus-count": 1, "type": "max-x86_64-cpu"},
	{"props": {"core-id": 1, "thread-id": 0, "socket-id": 0}, "vcpus-count": 1, "type": "max-x86_64-cpu"},
	{"props": {"core-id": 0, "thread-id": 0, "socket-id": 0}, "vcpus-count": 1, "qom-path": "/machine/unattached/device[0]", "type": "max-x86_64-cpu"}]`

func TestEmptySlots(t *testing.T) {
	var all []hotpluggable
	if err := json.Unmarshal([]byte(recordedSlots), &all); err != nil {
		t.Fatal(err)
	}
	empty, there, err := emptySlots(all)
	if err != nil || there != 1 || len(empty) != 2 || empty[0].Props["core-id"] != 1.0 || *empty[0].Type != "max-x86_64-cpu" {
		t.Errorf("%+v, %d there, %v", empty, there, err)
	}
	if _, _, err := emptySlots([]hotpluggable{{}}); err == nil {
		t.Error("a slot that says nothing is no error")
	}
}

// The rate is said where the guest's counter is the host's.
func TestKernelAppend(t *testing.T) {
	for _, c := range []struct {
		accel string
		rate  int64
		want  string
	}{
		{accelKVM, 2596098, ""}, {accelTCG, 2596098, " tsc_early_khz=2596098"}, {accelTCG, 0, ""},
	} {
		if got := kernelAppend(c.accel, func() int64 { return c.rate }); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
