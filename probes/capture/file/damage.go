package file

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// A DamageError is a place where a capture contradicts itself. The frames before it were given and are good.
type DamageError struct {
	File   string
	Offset int64 // of the damaged record, from the begin of the capture, after decompression
	Packet int64 // number of the packet that would have come next, from 1
	What   string
	Packed bool // the file is compressed
}

// Error implements error.
func (e *DamageError) Error() string {
	of := ""
	if e.Packed {
		of = " of the uncompressed data"
	}
	remedy := fmt.Sprintf("capture again, or keep what is before it: editcap -r %s good.pcapng 1-%d", e.File, e.Packet-1)
	if e.Packet == 1 {
		remedy = "capture again: no packet is before it"
	}
	return fmt.Sprintf("read capture %s: damaged at byte %d%s, packet %d: %s: %s", e.File, e.Offset, of, e.Packet, e.What, remedy)
}

// damage is a DamageError at an offset.
func (f *File) damage(offset int64, format string, args ...any) error {
	return &DamageError{File: f.name, Offset: offset, Packet: f.frames + 1, What: fmt.Sprintf(format, args...), Packed: f.compressed}
}

// unreadable explains an error of the reader.
func (f *File) unreadable(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return fmt.Errorf("read capture %s: %w: more than %d MiB: decompress it with zstd -d --long=31", f.name, err, zstdWindow>>20)
	}
	remedy := "check the disk or what writes to the pipe"
	if f.compressed {
		remedy = "its compressed data is damaged: decompress it by hand and read what comes out"
	}
	return fmt.Errorf("read capture %s: at byte %d, after packet %d: %w: %s", f.name, f.in.offset()+int64(f.in.left()), f.frames, err, remedy)
}
