package image

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// CopySparse makes dst a copy of the file src, as CopyDisk does, but in place, and without waiting for the disk: dst is made anew, or
// emptied. What is left of it on an error is of no use.
func CopySparse(ctx context.Context, src, dst string) error {
	in, out, size, err := openPair(src, dst, os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("copy %s to %s: %w", src, dst, err)
	}
	defer in.Close()
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
		return out.Close()
	}
	err = out.Truncate(size)
	if err == nil {
		err = eachExtent(in, size, func(from, to int64) error { return copyExtent(ctx, out, in, from, to) })
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy %s to %s: %w", src, dst, err)
	}
	return nil
}

// FillSparse writes what the file src holds into dst, a file that is there and holds nothing yet, perhaps mapped by a process.
func FillSparse(ctx context.Context, src, dst string) error {
	in, out, size, err := openPair(src, dst, 0)
	if err != nil {
		return fmt.Errorf("copy %s into %s: %w", src, dst, err)
	}
	defer in.Close()
	info, err := out.Stat()
	if err == nil && info.Size() != size {
		err = fmt.Errorf("one has %d B, the other %d", size, info.Size())
	}
	if err == nil {
		err = eachExtent(in, size, func(from, to int64) error { return copyExtent(ctx, out, in, from, to) })
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy %s into %s: %w", src, dst, err)
	}
	return nil
}

func openPair(src, dst string, flags int) (in, out *os.File, size int64, err error) {
	if in, err = os.Open(src); err != nil {
		return nil, nil, 0, err
	}
	info, err := in.Stat()
	if err == nil {
		out, err = os.OpenFile(dst, os.O_WRONLY|flags, 0o644)
	}
	if err != nil {
		return nil, nil, 0, errors.Join(err, in.Close())
	}
	return in, out, info.Size(), nil
}
