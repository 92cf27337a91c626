package image

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxModule bounds a decompressed module, in B: the largest in a distribution's kernel has a few MiB.
const maxModule = 64 << 20

// readModule reads the module file and decompresses it as its name says.
func readModule(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := decompressor(path.Ext(file), f)
	if err != nil {
		return nil, fmt.Errorf("decompress %s: %w", file, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxModule+1))
	if err != nil {
		return nil, fmt.Errorf("decompress %s: %w", file, err)
	}
	if len(data) > maxModule {
		return nil, fmt.Errorf("decompress %s: more than %d B", file, maxModule)
	}
	return data, nil
}

func decompressor(ext string, r io.Reader) (io.Reader, error) {
	switch ext {
	case ".ko":
		return r, nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return xz.NewReader(r)
	case ".zst":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("no reader for %q: want .ko, .ko.gz, .ko.xz or .ko.zst", ext)
}
