package results

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Outcome reads how the last attempt at a trial ended; ok is false when it has not ended, or never began.
func (r *Run) Outcome(id string) (o Outcome, ok bool, err error) {
	err = readJSON(filepath.Join(r.TrialDir(id), outcomeFile), &o)
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	}
	return o, err == nil, err
}

// Records reads the raw records of a trial's last attempt, in the order in which they came. A file that a kill
// cut off gives what is readable, and the error. Records may share their Attrs: do not change them.
func (r *Run) Records(id string) ([]Record, error) {
	f, err := os.Open(filepath.Join(r.TrialDir(id), recordsFile))
	if err != nil {
		return nil, fmt.Errorf("read records of %s: %w", id, err)
	}
	defer f.Close()
	records, err := ReadRecords(f)
	if err != nil {
		return records, fmt.Errorf("read records of %s: the file is damaged or cut off after %d records, and nothing is derived from a part: %w", id, len(records), err)
	}
	return records, nil
}

// ReadRecords reads a gzip stream of one JSON record a line. Records may share their Attrs: do not change them.
func ReadRecords(in io.Reader) ([]Record, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(in, 256<<10))
	if err != nil {
		return nil, err
	}
	return decodeRecords(z)
}
