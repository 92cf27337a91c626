package results

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// tailPoll is how often a file is looked at that did not grow.
const tailPoll = 100 * time.Millisecond

// maxLine bounds a line of records: a longer one is damage.
const maxLine = 16 << 20

// A Tail reads the records of an attempt from its file, also while they are written. It keeps no record.
type Tail struct {
	// Over reports whether nothing more will be written: what a file lacks then is lost. Nil asks whether the attempt's outcome stands beside it.
	Over func() bool

	dir string
}

// NewTail reads the attempt whose folder is dir. That folder may be renamed meanwhile, since a file that is open stays open.
func NewTail(dir string) *Tail { return &Tail{dir: dir} }

// Each calls yield with the attempt's records in the order in which they came, at most limit at a time, and no later than when no more can be read
// for now. It returns nil after the last one, yield's error, that of ctx, or what is wrong with the file, after all that could be read of it.
// Records may share their Attrs: do not change them, and do not keep the slice.
func (t *Tail) Each(ctx context.Context, limit int, yield func([]Record) error) error {
	f, err := os.Open(filepath.Join(t.dir, recordsFile))
	if err != nil {
		return fmt.Errorf("follow records: %w", err)
	}
	defer f.Close()
	e := &eachTail{limit: limit, yield: yield, scanner: newScanner()}
	over := t.Over
	if over == nil {
		over = func() bool { return t.ended() }
	}
	err = e.read(&growing{ctx: ctx, f: f, over: over, idle: e.give})
	if err == nil || ctx.Err() != nil || e.refused != nil {
		return errors.Join(e.refused, ctx.Err())
	}
	return fmt.Errorf("follow records in %s: the file is damaged or cut off after %d records: %w", t.dir, e.count, err)
}

func (t *Tail) ended() bool {
	_, err := os.Stat(filepath.Join(t.dir, outcomeFile))
	return err == nil || errors.Is(err, fs.ErrNotExist) && !exists(t.dir)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// An eachTail gathers records and gives them away.
type eachTail struct {
	limit   int
	yield   func([]Record) error
	scanner *scanner
	batch   []Record
	count   int
	refused error // by yield
}

func (e *eachTail) give() error {
	if len(e.batch) == 0 || e.refused != nil {
		return e.refused
	}
	e.refused = e.yield(e.batch)
	e.batch = e.batch[:0]
	return e.refused
}

func (e *eachTail) read(in io.Reader) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(in, 64<<10))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		var r Record
		if !e.scanner.scan(lines.Bytes(), &r) {
			r = Record{} // a scan that gave up may have filled in some
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				return errors.Join(fmt.Errorf("record %d: %w", e.count+1, err), e.give())
			}
		}
		e.batch = append(e.batch, r)
		e.count++
		if len(e.batch) < e.limit {
			continue
		}
		if err := e.give(); err != nil {
			return err
		}
	}
	return errors.Join(lines.Err(), e.give())
}

// growing reads a file that may grow: at its end it waits until it does, or is over.
type growing struct {
	ctx  context.Context //nolint:containedctx // an io.Reader has no other way
	f    *os.File
	over func() bool
	idle func() error // before it waits
}

func (g *growing) Read(p []byte) (int, error) {
	for waited := false; ; waited = true {
		// Asked before the read: what is written before it is over is then read for sure.
		over := g.over()
		n, err := g.f.Read(p)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if over {
			return 0, io.EOF
		}
		if !waited {
			if err := g.idle(); err != nil {
				return 0, err
			}
		}
		select {
		case <-g.ctx.Done():
			return 0, g.ctx.Err()
		case <-time.After(tailPoll):
		}
	}
}
