package file

import (
	"errors"
	"io"
)

// bufferSize holds many frames and stays in a core's cache, where a larger one does not.
const bufferSize = 1 << 18

// A feed is a window on a stream. What is in it is used in place; only a record that straddles its end is moved.
type feed struct {
	r    io.Reader
	buf  []byte
	at   int // the next byte that was not used
	end  int // behind the last that was read
	base int64
	err  error // why no more can be read
}

// offset is where the next byte lies in the stream.
func (f *feed) offset() int64 { return f.base + int64(f.at) }

// left is how many bytes were read and not used.
func (f *feed) left() int { return f.end - f.at }

// need makes the next n bytes available from buf[at] on. It reads no more often than that takes, so that what came
// through a pipe is seen at once. It is false if the stream ends before, or on an error: ended tells which.
func (f *feed) need(n int) bool {
	return f.end-f.at >= n || f.fill(n)
}

func (f *feed) fill(n int) bool {
	if f.err != nil {
		return false
	}
	from := f.buf
	if n > len(f.buf) {
		f.buf = make([]byte, (n+bufferSize-1)/bufferSize*bufferSize)
	}
	copy(f.buf, from[f.at:f.end])
	f.base += int64(f.at)
	f.at, f.end = 0, f.end-f.at
	for empty := 0; f.end < n; {
		got, err := f.r.Read(f.buf[f.end:])
		f.end += got
		if err != nil {
			f.err = err
			break
		}
		if empty++; got > 0 {
			empty = 0
		}
		if empty > 100 {
			f.err = io.ErrNoProgress
			break
		}
	}
	return f.end >= n
}

// ended reports whether the stream is at its end; a compressed one may end in its middle.
func (f *feed) ended() bool {
	return errors.Is(f.err, io.EOF) || errors.Is(f.err, io.ErrUnexpectedEOF)
}

// broken is why the stream cannot be read on, or nil.
func (f *feed) broken() error {
	if f.ended() {
		return nil
	}
	return f.err
}
