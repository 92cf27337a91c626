package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyStep is how much is copied between two looks at the context.
const copyStep = 8 << 20

// Put copies a file with its permissions. Whoever opens remote sees the old file or the whole new one. The
// copy is not synced to disk.
func (l *Local) Put(ctx context.Context, local, remote string) error {
	if err := copyFile(ctx, local, remote); err != nil {
		return fmt.Errorf("put %s on %s: %w", local, l.name, err)
	}
	return nil
}

// Get copies a file back, as Put does.
func (l *Local) Get(ctx context.Context, remote, local string) error {
	if err := copyFile(ctx, remote, local); err != nil {
		return fmt.Errorf("get %s from %s: %w", remote, l.name, err)
	}
	return nil
}

func copyFile(ctx context.Context, from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is %s, not a regular file", from, info.Mode().Type())
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if err := fill(ctx, tmp, src, info.Mode().Perm()); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}

func fill(ctx context.Context, dst, src *os.File, mode os.FileMode) error {
	if err := dst.Chmod(mode); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := io.CopyN(dst, src, copyStep)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
