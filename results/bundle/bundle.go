// Package bundle packs a run's folder into one file that tells when a byte of it was changed.
//
// A bundle is a tar compressed by zstd. Its first entry, bundle.json, lists every file with its size and SHA-256. After the compressed
// data stands a skippable frame (RFC 8878, section 3.1.2) with the SHA-256 of all bytes before it, so that tar and zstd read a bundle as any other
// file of theirs. Names are sorted, and owners, modes and times are fixed: the same folder gives the same bytes.
package bundle

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	// Format is the version of a bundle's layout.
	Format = 1
	// indexName is the entry that lists the others.
	indexName = "bundle.json"

	trailerMagic = 0x184D2A5E // one of the 16 of skippable frames
	trailerSize  = 8 + sha256.Size
)

// An Index is what a bundle holds.
type Index struct {
	Format    int    `json:"format"`
	Run       string `json:"run"`
	Virtscope string `json:"virtscope"` // version that packed it
	Files     []File `json:"files"`
}

// A File of a bundle.
type File struct {
	Path   string `json:"path"` // slash-separated, below the run's folder
	Size   int64  `json:"size"` // B
	SHA256 string `json:"sha256"`
}

// Write packs the folder of a run. Anything in it that is neither a folder nor a regular file is an error, as is a file that changes meanwhile.
func Write(w io.Writer, dir, run, version string) (Index, error) {
	index := Index{Format: Format, Run: run, Virtscope: version}
	paths, err := list(dir)
	if err != nil {
		return index, fmt.Errorf("bundle %s: %w", dir, err)
	}
	for _, p := range paths {
		f, err := describe(dir, p)
		if err != nil {
			return index, fmt.Errorf("bundle %s: %w", dir, err)
		}
		index.Files = append(index.Files, f)
	}
	sum := sha256.New()
	if err := writeTar(io.MultiWriter(w, sum), dir, index); err != nil {
		return index, fmt.Errorf("bundle %s: %w", dir, err)
	}
	trailer := binary.LittleEndian.AppendUint32(nil, trailerMagic)
	trailer = binary.LittleEndian.AppendUint32(trailer, sha256.Size)
	if _, err := w.Write(sum.Sum(trailer)); err != nil {
		return index, fmt.Errorf("bundle %s: %w", dir, err)
	}
	return index, nil
}

// list are the paths of the files below dir, sorted.
func list(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return skipShipping(dir, path, err)
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file: remove it, or put what it points to in its place", path)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if rel == indexName {
			return fmt.Errorf("%s has the name of a bundle's own index: remove it", path)
		}
		paths = append(paths, filepath.ToSlash(rel))
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

func describe(dir, path string) (File, error) {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return File{Path: path, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

func writeTar(w io.Writer, dir string, index Index) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) // the same bytes each time
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	text, err := json.MarshalIndent(index, "", " ")
	if err != nil {
		return err
	}
	if err := t.WriteHeader(header(indexName, int64(len(text)))); err != nil {
		return err
	}
	if _, err := t.Write(text); err != nil {
		return err
	}
	for _, f := range index.Files {
		if err := add(t, dir, f); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
}

func add(t *tar.Writer, dir string, f File) error {
	in, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	defer in.Close()
	if err := t.WriteHeader(header(f.Path, f.Size)); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(t, sum), io.LimitReader(in, f.Size))
	if err != nil {
		return err
	}
	if n != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s changed while it was packed: wait for the run's end", f.Path)
	}
	return nil
}
