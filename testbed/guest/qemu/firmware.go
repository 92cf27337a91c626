package qemu

import (
	"os"
	"strings"
	"virtscope/testbed/guest"
)

// The values of Start.Firmware.
const (
	firmwareBIOS = "bios"
	firmwareUEFI = "uefi"
)

// uefiImages are where distributions put OVMF as one image, code and variables, that -bios takes. Its variables are gone
// with the guest, which finds its loader by the path that removable disks have (EFI/BOOT/BOOTX64.EFI).
var uefiImages = []string{
	"/usr/share/ovmf/OVMF.fd",         // Debian, Ubuntu
	"/usr/share/OVMF/OVMF.fd",         // Debian before 12
	"/usr/share/edk2/x64/OVMF.4m.fd",  // Arch
	"/usr/share/qemu/ovmf-x86_64.bin", // openSUSE
}

func uefi(s guest.Spec) bool {
	return s.Start.Boot == guest.BootFirmware && s.Start.Firmware == firmwareUEFI
}

func findUEFI(where string) (string, error) {
	for _, path := range uefiImages {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &guest.NotSupportedError{
		Feature: "guest.firmware: uefi", Where: where,
		Remedy: "install OVMF (apt-get install ovmf; none of " + strings.Join(uefiImages, ", ") + " is there), or set guest.firmware: bios",
	}
}
