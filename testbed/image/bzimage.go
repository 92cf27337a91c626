package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Offsets in a bzImage, from the Linux kernel's Documentation/arch/x86/boot.rst.
const (
	bootFlagOffset      = 0x1fe // u16
	bootMagicOffset     = 0x202 // "HdrS"
	kernelVersionOffset = 0x20e // u16: offset of a string, less 0x200
	setupSectsOffset    = 0x1f1 // u8: sectors of the setup code after the first; 0 means 4

	bootFlag = 0xaa55
)

var errNoBzImage = errors.New("not a bzImage: name a kernel such as /boot/vmlinuz-*, not a vmlinux, an EFI zboot image or an initrd")

// readRelease returns the release (uname -r) that the bzImage at path says of itself.
func readRelease(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	// The setup code holds the string. It is at most 256 sectors long.
	head, err := io.ReadAll(io.LimitReader(f, 257*512))
	if err != nil {
		return "", err
	}
	return releaseOf(head)
}

// releaseOf reads the release from the beginning of a bzImage.
func releaseOf(head []byte) (string, error) {
	if len(head) < kernelVersionOffset+2 ||
		binary.LittleEndian.Uint16(head[bootFlagOffset:]) != bootFlag ||
		!bytes.HasPrefix(head[bootMagicOffset:], []byte("HdrS")) {
		return "", errNoBzImage
	}
	sectors := int(head[setupSectsOffset])
	if sectors == 0 {
		sectors = 4
	}
	setup := head[:min(len(head), (1+sectors)*512)]
	pointer := int(binary.LittleEndian.Uint16(head[kernelVersionOffset:]))
	begin := pointer + 0x200
	if pointer == 0 || begin >= len(setup) {
		return "", errors.New("the bzImage does not say its version")
	}
	text, _, ended := bytes.Cut(setup[begin:], []byte{0})
	if !ended {
		return "", errors.New("the bzImage is cut off within its version")
	}
	release, _, _ := strings.Cut(string(text), " ")
	// The release becomes a folder's name.
	valid := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(".-_+~", r)
	}
	if release == "" || release[0] == '.' || strings.ContainsFunc(release, func(r rune) bool { return !valid(r) }) {
		return "", fmt.Errorf("the bzImage says an impossible version, %q", release)
	}
	return release, nil
}
