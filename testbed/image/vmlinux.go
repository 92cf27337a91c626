package image

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Vmlinux returns the path of the uncompressed kernel (an ELF file) that is in the bzImage at path, for hypervisors that enter it by
// PVH. It is written to cacheDir, which is made if missing, and reused; it appears there only when it is whole and on disk. It is an
// error if the kernel has no PVH entry: it was built without CONFIG_PVH.
func Vmlinux(path, cacheDir string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("extract vmlinux: %w", err)
	}
	sum := sha256.Sum256(data)
	name := filepath.Join(cacheDir, "vmlinux-"+hex.EncodeToString(sum[:8]))
	info, err := os.Stat(name)
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("extract vmlinux of %s: %w", path, err)
	}
	kernel, err := extractVmlinux(data)
	if err != nil {
		return "", fmt.Errorf("extract vmlinux of %s: %w", path, err)
	}
	if err := checkPVH(kernel); err != nil {
		return "", fmt.Errorf("use vmlinux of %s: %w", path, err)
	}
	if err := keep(name, kernel); err != nil {
		return "", fmt.Errorf("keep vmlinux of %s: %w", path, err)
	}
	return name, nil
}

// extractVmlinux decompresses the payload of a bzImage.
func extractVmlinux(image []byte) ([]byte, error) {
	payload, err := payloadOf(image)
	if err != nil {
		return nil, err
	}
	kernel, err := decompressKernel(payload)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(kernel, []byte(elf.ELFMAG)) {
		return nil, errors.New("what the bzImage holds is no ELF file")
	}
	return kernel, nil
}

// checkPVH looks for the note that tells a hypervisor where to enter: XEN_ELFNOTE_PHYS32_ENTRY of xen/include/public/elfnote.h.
func checkPVH(kernel []byte) error {
	f, err := elf.NewFile(bytes.NewReader(kernel))
	if err != nil {
		return fmt.Errorf("read ELF file: %w", err)
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE || p.Filesz > maxNotes {
			continue
		}
		notes := make([]byte, p.Filesz)
		if _, err := p.ReadAt(notes, 0); err != nil {
			return fmt.Errorf("read notes of ELF file: %w", err)
		}
		if hasPVHNote(notes, f.ByteOrder.Uint32) {
			return nil
		}
	}
	return errors.New("it has no PVH entry: take a kernel that was built with CONFIG_PVH, or boot the bzImage")
}

const (
	maxNotes      = 1 << 20 // B
	pvhOwner      = "Xen\x00"
	pvhEntryNote  = 18
	noteAlignment = 4
)

// hasPVHNote walks notes: the lengths of owner and content and a type, 4 bytes each, then the two, padded (elf(5)).
func hasPVHNote(notes []byte, word func([]byte) uint32) bool {
	pad := func(n uint32) uint64 { return (uint64(n) + noteAlignment - 1) &^ (noteAlignment - 1) }
	for len(notes) >= 12 {
		owner, content, kind := word(notes), word(notes[4:]), word(notes[8:])
		size := 12 + pad(owner) + pad(content)
		if uint64(len(notes)) < 12+uint64(owner) {
			return false
		}
		if kind == pvhEntryNote && string(notes[12:12+owner]) == pvhOwner {
			return true
		}
		if uint64(len(notes)) < size {
			return false
		}
		notes = notes[size:]
	}
	return false
}
