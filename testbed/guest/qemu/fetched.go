package qemu

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"

	"golang.org/x/sys/unix"
)

// fetchedPoll is how often it is looked whether more was read of the image behind the disk.
const fetchedPoll = 100 * time.Millisecond

// fetches reports whether the disk of a guest whose start is observed is an overlay over another image.
func fetches(s guest.Spec, host string, r role) (bool, error) {
	if !observed(s, r) || s.Disk == nil || diskFormat(s.Disk) != image.QCOW2 {
		return false, nil
	}
	// QEMU docs/interop/qcow2.rst: bytes 8 to 15 are where the backing file's name is, 0 without one.
	var header [16]byte
	f, err := os.Open(s.Disk.Paths[host])
	if err != nil {
		return false, fmt.Errorf("read the guest's disk: %w", err)
	}
	defer f.Close()
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return false, fmt.Errorf("read the guest's disk %s: %w", f.Name(), err)
	}
	return binary.BigEndian.Uint64(header[8:]) != 0, nil
}

// traceArguments let QEMU write down what it reads, each with the time.
func traceArguments(f files) []string {
	if f.trace == "" {
		return nil
	}
	return []string{"-msg", "timestamp=on", "-D", f.trace, "-trace", "bdrv_open_common", "-trace", "bdrv_co_preadv_part"}
}

// A fetchWatch records ImageFetched as it grows.
type fetchWatch struct {
	file  *os.File
	lines *bufio.Reader
	part  string // of a line that was not whole
	read  int64  // B of the file
	freed int64  // B of them that take no more room
	kept  bool   // the file system cannot free them
	trace readTrace
	told  int64
	rec   results.Recorder
	host  string
	stop  chan struct{}
	done  chan struct{}
	err   error // valid after done
}

// watchFetches makes the trace's file, which QEMU then writes. Close must be called.
func watchFetches(f files, s guest.Spec, rec results.Recorder) (*fetchWatch, error) {
	file, err := os.Create(f.trace)
	if err != nil {
		return nil, fmt.Errorf("watch what the guest's disk fetches: %w", err)
	}
	w := &fetchWatch{
		file: file, lines: bufio.NewReader(file), trace: readTrace{overlay: s.Disk.Paths[f.host]},
		rec: rec, host: f.host, stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w, nil
}

func (w *fetchWatch) run() {
	defer close(w.done)
	tick := time.NewTicker(fetchedPoll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-w.stop:
			w.look()
			return
		}
		w.look()
	}
}

// look reads what is new, and records the sum if it has grown: at the time of the last read, by QEMU's clock.
func (w *fetchWatch) look() {
	for w.err == nil {
		text, err := w.lines.ReadString('\n')
		w.read += int64(len(text))
		if w.part += text; err != nil {
			if !errors.Is(err, io.EOF) {
				w.err = fmt.Errorf("read what the guest's disk fetched: %w", err)
			}
			break
		}
		w.trace.take(strings.TrimSuffix(w.part, "\n"))
		w.part = ""
	}
	w.free()
	if w.trace.bytes == w.told {
		return
	}
	w.told = w.trace.bytes
	w.rec.Record(results.Record{
		Time: w.trace.at.UnixNano(), Host: w.host, Source: results.SourceQMP,
		Name: results.ImageFetched, Value: float64(w.told), Unit: results.Bytes,
	})
}

// freeStep is how much is read before it is freed, in B.
const freeStep = 1 << 20

// free gives back what the file took for what was read: QEMU writes to it for as long as the guest runs, some 100 B a read of any
// node. A file system without holes (EOPNOTSUPP) keeps it until the guest is closed.
func (w *fetchWatch) free() {
	n := w.read - w.freed
	if n < freeStep || w.kept {
		return
	}
	err := unix.Fallocate(int(w.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, w.freed, n)
	if w.kept = errors.Is(err, unix.EOPNOTSUPP); err != nil && !w.kept {
		w.err = errors.Join(w.err, fmt.Errorf("free what was read of the trace: %w", err))
	}
	w.freed = w.read
}

// close is called once, when QEMU has ended. It looks a last time.
func (w *fetchWatch) close() error {
	close(w.stop)
	<-w.done
	return errors.Join(w.err, w.file.Close())
}
