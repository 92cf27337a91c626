package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// CopyDisk makes dst a copy of the image src, in place of what is there: it shares src's blocks where the file system can
// do that (reflink), and copies them where it cannot; what is sparse stays so. Writes to one never reach the other. The
// copy appears under its name only when it is whole and on its disk. Src must not change meanwhile.
func CopyDisk(ctx context.Context, src, dst string) error {
	err := replace(dst, func(temporary string) error { return copyInto(ctx, src, temporary) })
	if err != nil {
		return fmt.Errorf("copy disk %s to %s: %w", src, dst, err)
	}
	return nil
}

func copyInto(ctx context.Context, src, dst string) (err error) {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
		return out.Sync()
	}
	if err := out.Truncate(info.Size()); err != nil {
		return err
	}
	err = eachExtent(in, info.Size(), func(from, to int64) error { return copyExtent(ctx, out, in, from, to) })
	if err != nil {
		return err
	}
	return out.Sync()
}

// copyStep is how much is copied between two looks at the context.
const copyStep = 16 << 20

func copyExtent(ctx context.Context, out, in *os.File, from, to int64) error {
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(copyStep, to-from)
		if _, err := in.Seek(from, io.SeekStart); err != nil {
			return err
		}
		if _, err := out.Seek(from, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.CopyN(out, in, n); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// eachExtent calls f with every part of a file that holds data. A file system that does not tell holes has one part.
func eachExtent(file *os.File, size int64, f func(from, to int64) error) error {
	for at := int64(0); at < size; {
		from, err := file.Seek(at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // only holes are left
			return nil
		}
		if errors.Is(err, unix.EINVAL) {
			return f(at, size)
		}
		if err != nil {
			return err
		}
		to, err := file.Seek(from, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		to = min(to, size)
		if err := f(from, to); err != nil {
			return err
		}
		at = to
	}
	return nil
}
