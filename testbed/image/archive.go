package image

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cavaliergopher/cpio"
)

// A file is one regular file of the initramfs.
type file struct {
	name string // without a leading slash
	mode cpio.FileMode
	data []byte
}

// archive makes the initramfs: the files, the folders above them and the console's device node. Equal files
// make equal bytes: entries are sorted, and times, owners and inode numbers are fixed.
func archive(files []file) ([]byte, error) {
	var (
		buf   bytes.Buffer
		w     = cpio.NewWriter(&buf)
		inode int64
	)
	add := func(name string, mode cpio.FileMode, data []byte) error {
		inode++
		h := &cpio.Header{Name: name, Mode: mode, Size: int64(len(data)), Links: 1, Inode: inode, ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(h); err != nil {
			return fmt.Errorf("write %s to the initramfs: %w", name, err)
		}
		if _, err := w.Write(data); err != nil {
			return fmt.Errorf("write %s to the initramfs: %w", name, err)
		}
		return nil
	}
	const dev = "dev"
	for _, dir := range foldersOf(files, dev) {
		if err := add(dir, cpio.TypeDir|0o755, nil); err != nil {
			return nil, err
		}
	}
	// The kernel opens the console for init before init could mount devtmpfs.
	header := buf.Len()
	if err := add(dev+"/console", cpio.TypeChar|0o600, nil); err != nil {
		return nil, err
	}
	setDevice(buf.Bytes()[header:], 5, 1)
	files = slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.name, b.name) })
	for _, f := range files {
		if err := add(f.name, cpio.TypeReg|f.mode, f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("end the initramfs: %w", err)
	}
	return buf.Bytes(), nil
}

// setDevice sets the device numbers in a newc header, which package cpio cannot write (v1.0.1): c_rdevmajor
// and c_rdevminor are 8 hexadecimal digits each (cpio(5)).
func setDevice(header []byte, major, minor uint32) {
	const offset = 6 + 9*8
	copy(header[offset:], fmt.Sprintf("%08X%08X", major, minor))
}

// foldersOf lists the folders above the files, each after its parent, and more.
func foldersOf(files []file, more ...string) []string {
	dirs := slices.Clone(more)
	for _, f := range files {
		for dir := path.Dir(f.name); dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
