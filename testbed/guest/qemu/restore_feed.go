package qemu

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

// A feed gives QEMU a stream: QEMU listens, as does who serves it.
type feed struct {
	from io.ReadCloser
	to   net.Conn      // nil until QEMU listens
	done chan struct{} // closed when it has ended
	n    int64         // B that QEMU was given; once done
	err  error         // of reading; once done
}

func (f *feed) run() {
	defer close(f.done)
	r := &reader{from: f.from}
	f.n, _ = io.Copy(f.to, r) // what QEMU does not take, it has its reasons for
	f.err = r.err
	_ = f.to.Close() // it sees the end
}

// end ends it and returns how much was given, in B.
func (f *feed) end() int64 {
	_ = f.from.Close()
	if f.to == nil {
		return 0
	}
	_ = f.to.Close()
	<-f.done
	return f.n
}

// A reader keeps its error.
type reader struct {
	from io.Reader
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrClosed) { // end closes it
		r.err = fmt.Errorf("read the saved guest: %w", err)
	}
	return n, err
}
