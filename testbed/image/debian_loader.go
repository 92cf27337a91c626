package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// loaderTools are what installing GRUB into an image runs.
var loaderTools = []tool{{"grub-mkimage", "grub-common"}, {"mkfs.fat", "dosfstools"}, {"mmd", "mtools"}, {"mcopy", "mtools"}}

// The platforms of GRUB, with the packages of their modules.
const (
	grubBIOS = "i386-pc"
	grubUEFI = "x86_64-efi"
)

var grubPackages = map[string]string{grubBIOS: "grub-pc-bin", grubUEFI: "grub-efi-amd64-bin"}

// grubFolder has a platform's modules.
func grubFolder(platform string) string { return filepath.Join("/usr/lib/grub", platform) }

// checkGRUB says which modules are missing.
func checkGRUB() error {
	for _, platform := range []string{grubBIOS, grubUEFI} {
		if _, err := os.Stat(filepath.Join(grubFolder(platform), "linux.mod")); err != nil {
			return fmt.Errorf("find GRUB's modules: %w: apt-get install %s", err, grubPackages[platform])
		}
	}
	return nil
}

// grubScript is what GRUB does, in the subset that it reads without its own shell. There is no menu to wait at.
func grubScript(release string) string {
	return fmt.Sprintf(`serial --unit=0 --speed=115200
terminal_output serial
echo virtscope: GRUB loads Linux %[1]s
search --no-floppy --fs-uuid --set=root %[2]s
linux /boot/vmlinuz-%[1]s %[3]s
initrd /boot/initrd.img-%[1]s
boot
`, release, rootUUID, DebianAppend)
}

// loader puts GRUB on the disk: for BIOS into the first sector and partition 14, for UEFI into partition 15. It is put there
// by hand, since grub-install wants a device.
func (b *debianBuild) loader(ctx context.Context, disk, release string) error {
	script := filepath.Join(b.dir, "grub.cfg")
	if err := os.WriteFile(script, []byte(grubScript(release)), 0o644); err != nil {
		return err
	}
	core, efi := filepath.Join(b.dir, "core.img"), filepath.Join(b.dir, "bootx64.efi")
	modules := []string{"part_gpt", "ext2", "linux", "search", "search_fs_uuid", "serial", "terminal", "echo", "boot"}
	for platform, out := range map[string]string{grubBIOS: core, grubUEFI: efi} {
		args := append([]string{"-O", platform, "-d", grubFolder(platform), "-p", "/boot/grub", "-c", script, "-o", out}, modules...)
		if platform == grubBIOS {
			args = append(args, "biosdisk")
		}
		if _, err := b.run(ctx, "grub-mkimage", args...); err != nil {
			return err
		}
	}
	esp, err := b.esp(ctx, efi)
	if err != nil {
		return err
	}
	boot, err := os.ReadFile(filepath.Join(grubFolder(grubBIOS), "boot.img"))
	if err != nil {
		return err
	}
	image, err := os.ReadFile(core)
	if err != nil {
		return err
	}
	if err := aimGRUB(boot, image); err != nil {
		return err
	}
	f, err := os.OpenFile(disk, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, bootErr := f.WriteAt(boot[:mbrCode], 0)
	return errors.Join(bootErr, writeSparse(f, image, biosAt*mib), writeSparse(f, esp, espAt*mib), f.Close())
}

// esp makes the EFI system partition, and returns its content.
func (b *debianBuild) esp(ctx context.Context, efi string) ([]byte, error) {
	path := filepath.Join(b.dir, "esp")
	if err := errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, espMiB*mib)); err != nil {
		return nil, err
	}
	for _, step := range [][]string{
		{"mkfs.fat", "-n", "ESP", "-i", "7c1b6b1a", path},
		{"mmd", "-i", path, "::/EFI", "::/EFI/BOOT"},
		{"mcopy", "-i", path, efi, "::/EFI/BOOT/BOOTX64.EFI"}, // where firmware looks on a disk that it does not know
	} {
		if _, err := b.run(ctx, step[0], step[1:]...); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(path)
}

// Offsets in GRUB's images for BIOS (grub/i386/pc/boot.h: GRUB_BOOT_MACHINE_KERNEL_SECTOR; diskboot.S: the last list of blocks).
const (
	mbrCode      = 440   // B of the first sector before the disk's signature and table
	kernelSector = 0x5c  // in boot.img, 8 B: where the core begins
	blockList    = 0x1f4 // in core.img, 8 B: where what follows its first sector is
)

// aimGRUB tells the first sector where the core is, and the core where the rest of itself is: behind its first sector.
func aimGRUB(boot, core []byte) error {
	if len(boot) != sector || len(core) < sector || len(core) > biosMiB*mib {
		return fmt.Errorf("GRUB's images have %d B and %d B: want %d B, and at most %d MiB", len(boot), len(core), sector, biosMiB)
	}
	const first = biosAt * mib / sector
	binary.LittleEndian.PutUint64(boot[kernelSector:], first)
	binary.LittleEndian.PutUint64(core[blockList:], first+1)
	return nil
}

// writeSparse writes data at an offset, but for blocks of zeroes, which the disk has there.
func writeSparse(f *os.File, data []byte, offset int64) error {
	zero := make([]byte, diskBlock)
	for at := 0; at < len(data); at += diskBlock {
		block := data[at:min(at+diskBlock, len(data))]
		if bytes.Equal(block, zero[:len(block)]) {
			continue
		}
		if _, err := f.WriteAt(block, offset+int64(at)); err != nil {
			return err
		}
	}
	return nil
}
