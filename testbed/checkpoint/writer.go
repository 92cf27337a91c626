package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// A Writer writes one file of a draft: it compresses if it was asked to, and hashes what goes to the file.
type Writer struct {
	disk *os.File
	sum  *summer
	zstd *zstd.Encoder // nil is no compression
	to   io.Writer     // where raw bytes go
	file File
	raw  int64
	done bool
}

func newWriter(f *os.File, file File) (*Writer, error) {
	w := &Writer{disk: f, sum: newSummer(), file: file}
	w.to = io.MultiWriter(f, w.sum)
	if file.Compression != CompressionZstd {
		return w, nil
	}
	// The fastest level: at lower ones the compressor, not the disk, is what a stopped guest waits for.
	z, err := zstd.NewWriter(w.to, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("compress %s: %w", file.Name, err), f.Close())
	}
	w.zstd, w.to = z, z
	return w, nil
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.raw += int64(n)
	return n, err
}

// Close ends the file, which need not be on disk yet, and says what was written. A second Close has an error.
func (w *Writer) Close() (File, error) {
	if w.done {
		return File{}, os.ErrClosed
	}
	w.done = true
	var err error
	if w.zstd != nil {
		err = w.zstd.Close()
	}
	if err := errors.Join(err, w.disk.Close()); err != nil {
		return File{}, fmt.Errorf("write %s: %w", w.disk.Name(), err)
	}
	f := w.sum.file(w.file)
	f.Raw = w.raw
	return f, nil
}
