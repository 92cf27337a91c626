package qemu

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// checkKernel makes sure that QEMU will enter the kernel as it was asked to: it looks at the file alone, and enters an ELF
// file by its PVH entry whatever was asked.
func checkKernel(path string, pvh bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the guest's kernel: %w", err)
	}
	defer f.Close()
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil {
		return fmt.Errorf("read the guest's kernel %s: %w", path, err)
	}
	isELF := string(magic[:]) == elf.ELFMAG
	switch {
	case isELF && !pvh:
		return fmt.Errorf("read the guest's kernel: %s is uncompressed (ELF): name a bzImage, or set guest.boot: pvh", path)
	case !isELF && pvh:
		return fmt.Errorf("read the guest's kernel: %s is not ELF: guest.boot: pvh needs an uncompressed vmlinux; set guest.boot: kernel for a bzImage", path)
	case !pvh:
		return nil
	}
	found, err := hasPVHEntry(f)
	if err == nil && !found {
		err = errors.New("it has no PVH entry: take a kernel with CONFIG_PVH=y, or set guest.boot: kernel")
	}
	if err != nil {
		return fmt.Errorf("read the guest's kernel %s: %w", path, err)
	}
	return nil
}

// XEN_ELFNOTE_PHYS32_ENTRY of Xen's public elfnote.h is where a PVH start enters the kernel.
const noteName, noteEntry = "Xen\x00", 18

func hasPVHEntry(r io.ReaderAt) (bool, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return false, err
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		const most = 1 << 20
		notes, err := io.ReadAll(io.LimitReader(p.Open(), most))
		if err != nil {
			return false, err
		}
		if pvhNote(notes, f.ByteOrder) {
			return true, nil
		}
	}
	return false, nil
}

// pvhNote looks through notes: name's size, description's size, type, and both, each padded to 4 B.
func pvhNote(notes []byte, order binary.ByteOrder) bool {
	pad := func(n uint32) uint64 { return (uint64(n) + 3) &^ 3 }
	for len(notes) >= 12 {
		name, desc, kind := order.Uint32(notes), order.Uint32(notes[4:]), order.Uint32(notes[8:])
		size := pad(name) + pad(desc)
		notes = notes[12:]
		if size > uint64(len(notes)) {
			return false
		}
		if kind == noteEntry && bytes.HasPrefix(notes, []byte(noteName)) {
			return true
		}
		notes = notes[size:]
	}
	return false
}
