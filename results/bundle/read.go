package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	mostIndex  = 64 << 20  // B of bundle.json
	mostWindow = 128 << 20 // B that a decoder may hold
	mostAfter  = 1 << 20   // B of padding after the last file
)

// ErrDamaged says that a bundle is not as it was written.
var ErrDamaged = errors.New("the bundle is damaged")

// Verify reads a bundle to its end. It returns what it holds, as far as that could be read, and one error for each file that is not as it was written; they
// are ErrDamaged.
func Verify(in io.ReadSeeker) (Index, []error) {
	return read(in, nil, func(File, io.Reader) error { return nil })
}

// ErrTooLarge says that a bundle holds more than it may.
var ErrTooLarge = errors.New("the bundle is too large")

// Most is how many bytes a bundle of this size may unpack to, unless a user allows more: records are compressed before they are packed, so that a run
// hardly shrinks, and what grows a hundredfold is there to fill a disk.
func Most(packed int64) int64 {
	if packed > (math.MaxInt64-1<<30)/100 {
		return math.MaxInt64
	}
	return 1<<30 + 100*packed
}

// Extract verifies a bundle and writes its files into dir, which must not exist. Of a damaged one nothing is left there. It is ErrTooLarge, before
// anything is written, if the files are larger than most B together.
func Extract(in io.ReadSeeker, dir string, most int64) (Index, error) {
	if _, err := os.Lstat(dir); err == nil {
		return Index{}, fmt.Errorf("extract to %s: it exists: name another folder", dir)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".unbundle-")
	if err != nil {
		return Index{}, fmt.Errorf("extract bundle: %w", err)
	}
	index, problems := read(in, func(index Index) error {
		left := most
		for _, f := range index.Files {
			if f.Size > left {
				return fmt.Errorf("%w: its files have more than %d B together", ErrTooLarge, most)
			}
			left -= f.Size
		}
		return nil
	}, func(f File, r io.Reader) error { return put(tmp, f, r) })
	if len(problems) == 0 {
		if err := os.Chmod(tmp, 0o755); err != nil { //nolint:gosec // a run's folder is for reading
			problems = append(problems, err)
		} else if err := os.Rename(tmp, dir); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		problems = append(problems, os.RemoveAll(tmp))
	}
	return index, errors.Join(problems...)
}

func put(dir string, f File, r io.Reader) error {
	path := filepath.Join(dir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Close())
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// read gives each file to take, which need not read it, and says what is wrong. With allow, the files are to be kept: it stops at what is wrong with the
// whole, or at allow's error, before the first of them.
func read(in io.ReadSeeker, allow func(Index) error, take func(File, io.Reader) error) (index Index, problems []error) {
	if err := checkTrailer(in); err != nil {
		problems = append(problems, err)
		if allow != nil {
			return index, problems
		}
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return index, append(problems, err)
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(mostWindow), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return index, append(problems, damaged("it is no zstd stream: %w", err))
	}
	defer z.Close()
	t := tar.NewReader(z)
	if index, err = readIndex(t); err != nil {
		return index, append(problems, err)
	}
	if allow != nil {
		if err := allow(index); err != nil {
			return index, append(problems, err)
		}
	}
	for _, f := range index.Files {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			problems = append(problems, damaged("%s is missing", f.Path))
			continue
		case err != nil:
			return index, append(problems, damaged("from %s on it cannot be read: %w", f.Path, err))
		case h.Typeflag != tar.TypeReg || h.Name != f.Path || h.Size != f.Size:
			return index, append(problems, damaged("%q of %d B stands where the index has %s of %d B", h.Name, h.Size, f.Path, f.Size))
		}
		err, fatal := readFile(t, f, take)
		if err != nil {
			problems = append(problems, err)
		}
		if fatal {
			return index, problems
		}
	}
	if h, err := t.Next(); err == nil {
		problems = append(problems, damaged("%q is not in the index", h.Name))
	} else if !errors.Is(err, io.EOF) {
		problems = append(problems, damaged("after the last file: %w", err))
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(z, mostAfter+1)); err != nil { // the checksum of the stream is at its end
		problems = append(problems, damaged("after the last file: %w", err))
	} else if n > mostAfter {
		problems = append(problems, damaged("more than %d B stand after the last file", mostAfter))
	}
	return index, problems
}

// readFile gives one file to take; fatal says that nothing after it can be read.
func readFile(t *tar.Reader, f File, take func(File, io.Reader) error) (err error, fatal bool) { //nolint:revive // the error is the answer, not the end
	sum := sha256.New()
	r := io.TeeReader(t, sum)
	if err := take(f, r); err != nil {
		return err, true
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return damaged("%s cannot be read: %w", f.Path, err), true
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return damaged("%s is not as it was written: its SHA-256 differs", f.Path), false
	}
	return nil, false
}

func readIndex(t *tar.Reader) (Index, error) {
	var index Index
	h, err := t.Next()
	switch {
	case err != nil:
		return index, damaged("its index cannot be read: %w", err)
	case h.Name != indexName || h.Typeflag != tar.TypeReg:
		return index, damaged("it begins with %q, not with %s: it is no bundle of virtscope", h.Name, indexName)
	case h.Size > mostIndex:
		return index, damaged("its index of %d B is larger than %d", h.Size, mostIndex)
	}
	var text bytes.Buffer
	if _, err := io.Copy(&text, t); err != nil {
		return index, damaged("its index cannot be read: %w", err)
	}
	if err := json.Unmarshal(text.Bytes(), &index); err != nil {
		return index, damaged("its index: %w", err)
	}
	if index.Format != Format {
		return index, fmt.Errorf("read bundle: format %d, want %d: use the virtscope that packed it (%s)", index.Format, Format, index.Virtscope)
	}
	return index, checkPaths(index.Files)
}

// checkTrailer compares the SHA-256 at the end with all bytes before it.
func checkTrailer(in io.ReadSeeker) error {
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size < trailerSize {
		return damaged("it has %d B: it is cut off, or no bundle", size)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(sum, in, size-trailerSize); err != nil {
		return err
	}
	trailer := make([]byte, trailerSize)
	if _, err := io.ReadFull(in, trailer); err != nil {
		return err
	}
	want := binary.LittleEndian.AppendUint32(nil, trailerMagic)
	want = binary.LittleEndian.AppendUint32(want, sha256.Size)
	switch {
	case !bytes.HasPrefix(trailer, want):
		return damaged("its last %d B are no trailer: it is cut off, or something was added", trailerSize)
	case !bytes.Equal(trailer[8:], sum.Sum(nil)):
		return damaged("its SHA-256 differs from the one at its end")
	}
	return nil
}
