package qemu

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
)

// bootSector is a disk whose first sector writes text to the first serial port and halts.
func bootSector(t *testing.T, text string) string {
	t.Helper()
	code := []byte{
		0xfa,       // cli
		0x31, 0xc0, // xor ax, ax
		0x8e, 0xd8, // mov ds, ax
		0xbe, 0x1a, 0x7c, // mov si, 0x7c00+26
		0xba, 0xf8, 0x03, // mov dx, 0x3f8
		0xac,       // lodsb
		0x84, 0xc0, // test al, al
		0x74, 0x03, // jz +3
		0xee,       // out dx, al
		0xeb, 0xf8, // jmp to lodsb
		0xf4,       // hlt
		0xeb, 0xfd, // jmp to hlt
	}
	disk := make([]byte, 1<<20)
	copy(disk, code)
	copy(disk[26:], text)
	disk[510], disk[511] = 0x55, 0xaa
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, disk, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A disk is booted by the firmware on both machines, with a seed beside it; what its loader writes is not the kernel's.
func TestFirmwareBootsTheDisk(t *testing.T) {
	needReal(t)
	for _, c := range []struct{ machine, firmware string }{{"q35", ""}, {machineMicroVM, firmwareBIOS}, {"q35", firmwareUEFI}} {
		t.Run(c.machine+" "+c.firmware, func(t *testing.T) {
			disk := bootSector(t, "loader\r\n[    0.000000] Linux version\r\n")
			s := realSpec(t)
			s.Kernel, s.Initrd, s.Append, s.Machine = "", "", "", c.machine
			s.Disk = &guest.Disk{Size: 1 << 20, Format: "raw", Paths: map[string]string{"src": disk}}
			s.Start = guest.Start{Boot: guest.BootFirmware, Firmware: c.firmware, NoAgent: true, Observe: true, Seed: disk}
			if _, err := findUEFI("src"); c.firmware == firmwareUEFI && err != nil {
				t.Skip(err)
			}
			bed, log := guesttest.NewBed(t), new(guesttest.Log)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			i, err := New().Boot(ctx, bed.Source(), s, log)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := i.Close(); err != nil {
					t.Error(err)
				}
			}()
			if c.firmware == firmwareUEFI {
				uefiSpeaks(ctx, t, log)
				return
			}
			for len(log.Named(results.BootKernel)) == 0 && ctx.Err() == nil {
				time.Sleep(10 * time.Millisecond)
			}
			inOrder(t, log, results.BootSpawn, results.BootFirmware, results.BootFirmwareEnd, results.BootKernel)
			if r := log.Named(results.BootFirmwareEnd); len(r) != 1 || r[0].Attrs["text"] != "Booting from 0000:7c00" {
				t.Errorf("%+v", r)
			}
			if r := log.Named(results.BootKernel); len(r) != 1 || !strings.Contains(r[0].Attrs["text"], "Linux version") {
				t.Errorf("%+v", r)
			}
			if r := log.Named(results.BootConsole); len(r) != 2 || r[0].Attrs["text"] != "loader" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// OVMF has no loader to start here; what it writes to the console is neither its own log nor the kernel's.
func uefiSpeaks(ctx context.Context, t *testing.T, log *guesttest.Log) {
	t.Helper()
	for len(log.Named(results.BootConsole)) == 0 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if r := log.Named(results.BootConsole); len(r) == 0 {
		t.Errorf("%v", ctx.Err())
	}
	if r := log.Named(results.BootKernel); len(r) > 0 {
		t.Errorf("%+v", r)
	}
	t.Logf("firmware's log: %+v", log.Named(results.BootFirmware))
	t.Logf("console: %+v", log.Named(results.BootConsole))
}
