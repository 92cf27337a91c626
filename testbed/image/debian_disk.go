package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The places on the disk, in MiB, numbered as Debian's own images for clouds are.
const (
	mib         = 1 << 20
	biosAt      = 1 // partition 14: GRUB's image for BIOS
	biosMiB     = 1
	espAt       = 2 // partition 15: the EFI system partition
	espMiB      = 14
	rootAt      = 16 // partition 1, up to the end
	gptTail     = 1  // for the second copy of the table
	diskTypeGPT = "label: gpt\nlabel-id: 7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F10\n"
)

// partitions is the script for sfdisk.
func partitions(size int64) string {
	rootMiB := size/mib - rootAt - gptTail
	return diskTypeGPT +
		fmt.Sprintf("1 : start=%dMiB, size=%dMiB, type=linux, uuid=7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F01, name=root\n", rootAt, rootMiB) +
		fmt.Sprintf("14 : start=%dMiB, size=%dMiB, type=21686148-6449-6E6F-744E-656564454649, uuid=7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F14, name=bios\n", biosAt, biosMiB) +
		fmt.Sprintf("15 : start=%dMiB, size=%dMiB, type=uefi, uuid=7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F15, name=esp\n", espAt, espMiB)
}

// rootUUID is of the root file system, the same on every disk: GRUB looks for it.
const rootUUID = "7c1b6b1a-4c0e-4b5f-9b3a-5d1e0c7a9f20"

// disk makes the image of the disk with the tree as its root file system.
func (b *debianBuild) disk(ctx context.Context, tree, path, release string) error {
	raw := filepath.Join(b.dir, "disk.raw")
	f, err := os.OpenFile(raw, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(b.o.Size), f.Close()); err != nil {
		return err
	}
	if err := b.feed(ctx, partitions(b.o.Size), "sfdisk", "--quiet", raw); err != nil {
		return err
	}
	// In a file mke2fs punches a hole first, so that its tables are zero and the guest need not write them at its first boot.
	rootMiB := b.o.Size/mib - rootAt - gptTail
	if _, err := b.run(ctx, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-U", rootUUID, "-L", "virtscope", "-E",
		"root_owner=0:0,offset="+strconv.Itoa(rootAt*mib), "-d", tree, raw, strconv.FormatInt(rootMiB*1024, 10)+"k"); err != nil {
		return err
	}
	if b.o.Loader {
		if err := b.loader(ctx, raw, release); err != nil {
			return fmt.Errorf("install the boot loader: %w", err)
		}
	}
	if b.o.Format == Raw {
		return os.Rename(raw, path)
	}
	_, err = b.run(ctx, qemuImg, "convert", "-q", "-f", Raw, "-O", QCOW2, raw, path)
	return err
}

// feed runs a tool that reads text.
func (b *debianBuild) feed(ctx context.Context, text, tool string, args ...string) error {
	cmd := exec.CommandContext(ctx, b.tools[tool], args...)
	cmd.Stdin = strings.NewReader(text)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", tool, errors.Join(context.Cause(ctx), err), strings.TrimSpace(string(said)))
	}
	return nil
}

// hashFiles is the SHA-256 over the content of files, which it brings to disk too.
func hashFiles(paths ...string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return "", fmt.Errorf("hash Debian disk: %w", err)
		}
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return "", fmt.Errorf("hash Debian disk: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
