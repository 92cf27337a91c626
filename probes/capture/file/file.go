// Package file reads captured frames from pcap and pcapng files and streams, plain or compressed, and merges those of
// several.
package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
)

// maxFrame is the longest frame that is believed, in bytes: a longer one is damage. Linux makes super-frames of up to
// 256 KiB.
const maxFrame = 16 << 20

// An Interface is where frames of a file passed.
type Interface struct {
	Name        string // empty in pcap, and where a pcapng file does not say
	Description string
	Link        packet.Link
	LinkType    uint32 // as the file says (tcpdump.org/linktypes.html), for when Link is Unsupported
	Snap        int    // B, the most that was captured of a frame; 0 is no limit, or not known
}

// A File is a capture that was kept, or that comes through a pipe. It is a capture.Source: it belongs to one goroutine.
type File struct {
	name       string
	compressed bool
	in         feed
	format     format
	closers    []func() error // the last first

	interfaces []Interface
	drops      []drops // of each interface
	frames     int64
	untimed    int64
	truncated  bool
	partial    int64 // B of the record that is not whole
	err        error // sticky: what Next returns
}

// drops is what an interface lost.
type drops struct {
	counted int64 // as its statistics say
	between int64 // as its packets say
	known   bool  // there are statistics
}

// A format finds the next frame in what File.in gives.
type format interface {
	next() (capture.Frame, error)
}

// Open opens a file, a FIFO or a device. Its format and compression (gzip, zstd, xz) are found from its content. The
// caller closes it.
func Open(path string) (*File, error) {
	raw, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	f, err := New(raw, path)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	f.closers = append([]func() error{raw.Close}, f.closers...)
	return f, nil
}

// New reads a capture from r, which stays the caller's to close. Name is what errors call it. New waits for the head of
// the capture, and Next gives each frame as soon as it has arrived.
func New(r io.Reader, name string) (*File, error) {
	f := &File{name: name, in: feed{r: r, buf: make([]byte, bufferSize)}}
	if err := f.decompress(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.begin(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Next implements capture.Source. A last record that is not whole ends the capture like any other end: see Truncated.
// A file that is damaged before its end gives a *DamageError after the frames before it.
func (f *File) Next() (capture.Frame, error) {
	if f.err != nil {
		return capture.Frame{}, f.err
	}
	frame, err := f.format.next()
	if err != nil {
		f.err = err
		return capture.Frame{}, err
	}
	f.frames++
	return frame, nil
}

// Stats implements capture.Source. Dropped is what the file says; see CountsDrops.
func (f *File) Stats() (capture.Stats, error) {
	s := capture.Stats{Frames: f.frames}
	for _, d := range f.drops {
		if d.known {
			s.Dropped += d.counted
			continue
		}
		s.Dropped += d.between
	}
	return s, nil
}

// CountsDrops reports whether the file says of each interface how many frames were dropped. If it is false, as it is for
// pcap always, Stats.Dropped is what is known of, and how many more there were is not known.
func (f *File) CountsDrops() bool {
	return len(f.drops) > 0 && !slices.ContainsFunc(f.drops, func(d drops) bool { return !d.known })
}

// Interfaces are those that the file has named so far, by Frame.Interface. There may be more when more was read.
func (f *File) Interfaces() []Interface { return slices.Clone(f.interfaces) }

// Truncated reports whether the file ended within a record, as it does when its writer was killed, and how many bytes of
// that record there are. It is known once Next has returned io.EOF.
func (f *File) Truncated() (bytes int64, ok bool) { return f.partial, f.truncated }

// Untimed is how many of the frames that were given have the time capture.NoTime.
func (f *File) Untimed() int64 { return f.untimed }

// Close implements capture.Source. Data of frames is invalid after it.
func (f *File) Close() error {
	var errs []error
	for _, c := range slices.Backward(f.closers) {
		errs = append(errs, c())
	}
	f.closers = nil
	if f.err == nil {
		f.err = os.ErrClosed
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close capture %s: %w", f.name, err)
	}
	return nil
}

// end says why no whole record could be read: the file's end, or an error.
func (f *File) end() error {
	if err := f.in.broken(); err != nil {
		return f.unreadable(err)
	}
	f.partial = int64(f.in.left())
	f.truncated = f.partial > 0 || errors.Is(f.in.err, io.ErrUnexpectedEOF)
	return io.EOF
}

// add adds an interface and returns its number.
func (f *File) add(i Interface) int {
	f.interfaces = append(f.interfaces, i)
	f.drops = append(f.drops, drops{})
	return len(f.interfaces) - 1
}
