package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// ChunkSize is of how many B each hash is that says where a file was damaged.
const ChunkSize = 4 << 20

// A Sum is a SHA-256, written in hexadecimal digits.
type Sum [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sum) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(s)) {
		return fmt.Errorf("a SHA-256 of %d digits: want %d", len(text), hex.EncodedLen(len(s)))
	}
	_, err := hex.Decode(s[:], text)
	return err
}

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// A summer hashes what is written to it, as a whole and in chunks.
type summer struct {
	whole, chunk hash.Hash
	chunks       []Sum
	size         int64
}

func newSummer() *summer { return &summer{whole: sha256.New(), chunk: sha256.New()} }

// Write implements io.Writer. It has no error.
func (s *summer) Write(p []byte) (int, error) {
	n := len(p)
	_, _ = s.whole.Write(p) // a hash takes anything
	for len(p) > 0 {
		part := p[:min(int64(len(p)), ChunkSize-s.size%ChunkSize)]
		_, _ = s.chunk.Write(part)
		s.size += int64(len(part))
		p = p[len(part):]
		if s.size%ChunkSize == 0 {
			s.cut()
		}
	}
	return n, nil
}

func (s *summer) cut() {
	s.chunks = append(s.chunks, Sum(s.chunk.Sum(nil)))
	s.chunk.Reset()
}

// file fills in what was written. Nothing may be written afterwards.
func (s *summer) file(f File) File {
	if s.size%ChunkSize > 0 {
		s.cut()
	}
	f.Size, f.Sum, f.Chunk, f.Chunks = s.size, Sum(s.whole.Sum(nil)), ChunkSize, s.chunks
	return f
}
