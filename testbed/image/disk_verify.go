package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// A DiskDifference is what a comparison of two disks found.
type DiskDifference struct {
	Compared int64 // B: the disks' size
	Differs  int64 // B: of sectors of 512 B that are not alike
	First    int64 // B: where the first of them begins; -1 if there is none
}

// VerifyDisks compares the content of two disks of one format, however it is stored, without changing them. What is in use
// by a hypervisor must be quiet, and flushed. Disks of different size are an error.
//
// After a migration that copied the disk, the source's image is the disk at the switch-over, and the destination's is that
// disk with what the guest wrote since: they may differ by as much as it wrote, and no more.
//
// QCOW2 needs qemu-img, and room beside both images for all of their content.
func VerifyDisks(ctx context.Context, source, destination, format string) (_ DiskDifference, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("compare disks %s and %s: %w", source, destination, err)
		}
	}()
	if format == QCOW2 {
		for _, path := range []*string{&source, &destination} {
			raw, remove, err := unpack(ctx, *path)
			if err != nil {
				return DiskDifference{}, err
			}
			defer remove()
			*path = raw
		}
	}
	return compareRaw(ctx, source, destination)
}

// unpack makes a raw copy beside a qcow2 image that may be in use.
func unpack(ctx context.Context, path string) (raw string, remove func(), err error) {
	if raw, err = scratch(path); err != nil {
		return "", nil, err
	}
	// -U: the hypervisor holds a lock on it.
	if err := runImg(ctx, "convert", "-q", "-U", "-f", QCOW2, "-O", Raw, path, raw); err != nil {
		return "", nil, errors.Join(err, os.Remove(raw))
	}
	return raw, func() { _ = os.Remove(raw) }, nil
}

func compareRaw(ctx context.Context, a, b string) (DiskDifference, error) {
	d := DiskDifference{First: -1}
	var files [2]*os.File
	for i, path := range []string{a, b} {
		f, err := os.Open(path)
		if err != nil {
			return d, err
		}
		defer f.Close()
		files[i] = f
		size, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return d, err
		}
		if i == 1 && size != d.Compared {
			return d, fmt.Errorf("one has %d B, the other %d", d.Compared, size)
		}
		d.Compared = size
	}
	left, right := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < d.Compared; at += int64(len(left)) {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		n := min(int64(len(left)), d.Compared-at)
		for i, chunk := range [][]byte{left[:n], right[:n]} {
			if _, err := files[i].ReadAt(chunk, at); err != nil {
				return d, err
			}
		}
		d.add(at, left[:n], right[:n])
	}
	return d, nil
}

// add compares what lies at one place of both.
func (d *DiskDifference) add(at int64, a, b []byte) {
	if bytes.Equal(a, b) {
		return
	}
	for i := 0; i < len(a); i += sector {
		end := min(i+sector, len(a))
		if bytes.Equal(a[i:end], b[i:end]) {
			continue
		}
		if d.First < 0 {
			d.First = at + int64(i)
		}
		d.Differs += int64(end - i)
	}
}
