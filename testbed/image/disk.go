package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Formats of a disk's image.
const (
	Raw   = "raw"
	QCOW2 = "qcow2"
)

const (
	sector    = 512     // B: a disk's size is a multiple of it
	diskBlock = 4 << 10 // B: data begins and ends at a multiple of it
)

// MakeDisk makes the image of a disk of size B, a multiple of 512, at path, in place of what is there. The first filled
// share of it (0 to 1, rounded up to 4 KiB) holds random data, the same for the same size, filled and seed; the rest was
// never written and reads as zeroes. The image appears under its name only when it is whole and on its disk. When ctx is
// done, nothing is left.
//
// QCOW2 needs qemu-img.
func MakeDisk(ctx context.Context, path string, size int64, filled float64, format string, seed uint64) error {
	if err := checkDisk(size, filled, format); err != nil {
		return fmt.Errorf("make disk %s: %w", path, err)
	}
	err := replace(path, func(temporary string) error {
		if format == Raw {
			return writeRaw(ctx, temporary, size, filled, seed)
		}
		return makeQCOW2(ctx, temporary, size, filled, seed)
	})
	if err != nil {
		return fmt.Errorf("make disk %s: %w", path, err)
	}
	return nil
}

func checkDisk(size int64, filled float64, format string) error {
	switch {
	case size <= 0 || size%sector != 0:
		return fmt.Errorf("size %d B: it must be a multiple of %d above 0", size, sector)
	case !(filled >= 0 && filled <= 1):
		return fmt.Errorf("filled %v: it must be between 0 and 1", filled)
	case format != Raw && format != QCOW2:
		return fmt.Errorf("format %q: use %s or %s", format, Raw, QCOW2)
	}
	return nil
}

// filledBytes is how much of a disk holds data.
func filledBytes(size int64, filled float64) int64 {
	n := int64(math.Ceil(filled * float64(size)))
	n = (n + diskBlock - 1) / diskBlock * diskBlock
	return min(n, size)
}

// writeRaw writes a raw image.
func writeRaw(ctx context.Context, path string, size int64, filled float64, seed uint64) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(size); err != nil {
		return err
	}
	source, chunk := diskSource(seed), make([]byte, 1<<20)
	for left := filledBytes(size, filled); left > 0; left -= int64(len(chunk)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk = chunk[:min(int64(len(chunk)), left)]
		if _, err := io.ReadFull(source, chunk); err != nil {
			return err
		}
		if _, err := f.Write(chunk); err != nil {
			return fmt.Errorf("%w: free space", err)
		}
	}
	return f.Sync()
}

// diskSource is the data of disks of a seed.
func diskSource(seed uint64) io.Reader {
	key := [32]byte([]byte("virtscope disk, first generation"))
	for i := range 8 {
		key[i] ^= byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// replace lets write fill an empty file beside path, and then puts it in path's place. What write leaves must be on the
// disk. On an error nothing has changed.
func replace(path string, write func(temporary string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".disk-*")
	if err != nil {
		return err
	}
	name := f.Name()
	err = errors.Join(f.Chmod(0o644), f.Close())
	if err == nil {
		err = write(name)
	}
	if err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return syncDir(dir)
}
