package checkpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// A DamagedError says that a file of a checkpoint does not hold what was written.
type DamagedError struct {
	ID     string
	File   string // its path
	Chunk  int64  // the first one that differs, from 0; -1: it is the file's size, or the file is missing
	Offset int64  // B: where that chunk begins, or the file ends
	Why    string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("checkpoint %s is damaged: %s: %s: restore another one, and remove this one with virtscope checkpoint remove", e.ID, e.File, e.Why)
}

// Verify reads a checkpoint back, with all those that its disk goes on from, and holds every file against its size and hashes.
// It returns how many B it read. What does not hold is a *DamagedError.
func (c *Catalogue) Verify(ctx context.Context, id string) (int64, error) {
	chain, err := c.Chain(id)
	if err != nil {
		return 0, err
	}
	var sum int64
	for i, m := range chain {
		for _, f := range m.Files {
			if i > 0 && f.Role != RoleDisk {
				continue // of an ancestor the disk alone is needed
			}
			n, err := c.verifyFile(ctx, m.ID, f)
			sum += n
			if err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}

// Chain returns a checkpoint, its parent, that one's and so on: the last has a full disk, or the first has none.
func (c *Catalogue) Chain(id string) ([]*Manifest, error) {
	if err := checkName("checkpoint", id); err != nil {
		return nil, err
	}
	var chain []*Manifest
	seen := map[string]bool{}
	for next := id; next != ""; {
		if seen[next] {
			return nil, fmt.Errorf("checkpoint %s: its chain comes back to %s: it is damaged: use another one", id, next)
		}
		seen[next] = true
		m, err := c.Get(next)
		if err != nil && next != id {
			return nil, fmt.Errorf("checkpoint %s: the disk goes on from %s: %w", id, next, err)
		}
		if err != nil {
			return nil, err
		}
		if _, has := m.Role(RoleDisk); !has && (m.Parent != "" || next != id) {
			return nil, fmt.Errorf("checkpoint %s: %s belongs to a chain of disks and has none: it is damaged: use another one", id, next)
		}
		chain, next = append(chain, m), m.Parent
	}
	return chain, nil
}

// verifyFile reads one file and returns how many B of it it read.
func (c *Catalogue) verifyFile(ctx context.Context, id string, f File) (int64, error) {
	path := c.Path(id, f.Name)
	damaged := func(chunk, offset int64, why string, args ...any) error {
		return &DamagedError{ID: id, File: path, Chunk: chunk, Offset: offset, Why: fmt.Sprintf(why, args...)}
	}
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, damaged(-1, 0, "the file is missing")
	}
	if err != nil {
		return 0, fmt.Errorf("verify checkpoint %s: %w", id, err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return 0, fmt.Errorf("verify checkpoint %s: %w", id, err)
	}
	if !info.Mode().IsRegular() {
		return 0, damaged(-1, 0, "it is no file")
	}
	if info.Size() != f.Size {
		return 0, damaged(-1, info.Size(), "it has %d B, %d B were written", info.Size(), f.Size)
	}
	whole := sha256.New()
	for n, want := range f.Chunks {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		offset := int64(n) * f.Chunk
		part := sha256.New()
		length := min(f.Chunk, f.Size-offset)
		if _, err := io.CopyN(io.MultiWriter(whole, part), in, length); err != nil {
			return offset, fmt.Errorf("verify checkpoint %s: read %s at %d: %w", id, path, offset, err)
		}
		if Sum(part.Sum(nil)) != want {
			return offset + length, damaged(int64(n), offset, "chunk %d, B %d to %d, does not hold what was written (SHA-256)", n, offset, offset+length-1)
		}
	}
	if Sum(whole.Sum(nil)) != f.Sum {
		return f.Size, damaged(-1, f.Size, "it does not hold what was written (SHA-256)")
	}
	return f.Size, nil
}
