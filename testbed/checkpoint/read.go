package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// raw is what a file held before it was compressed with c. The caller closes it, which leaves in open.
func raw(in io.Reader, c string) (io.ReadCloser, error) {
	if c == CompressionNone {
		return io.NopCloser(in), nil
	}
	z, err := zstd.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return z.IOReadCloser(), nil
}

// A pair is read from one and closes both.
type pair struct {
	io.ReadCloser
	under io.Closer
}

// Close implements io.Closer.
func (p pair) Close() error { return errors.Join(p.ReadCloser.Close(), p.under.Close()) }

// Read opens a file of a checkpoint as it was before compression. It checks nothing: Verify does.
func (c *Catalogue) Read(id string, f File) (io.ReadCloser, error) {
	in, err := os.Open(c.Path(id, f.Name))
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", id, err)
	}
	out, err := raw(in, f.Compression)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read checkpoint %s: %w", id, err), in.Close())
	}
	return pair{out, in}, nil
}
