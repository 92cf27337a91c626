package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// JournalSize is the journal's length in B: whoever follows a run reads it again when it has grown. It is 0 while there is none.
func (r *Run) JournalSize() (int64, error) {
	info, err := os.Stat(filepath.Join(r.Dir, journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// OutcomeIn reads the outcome of the attempt in that folder; ok is false if it has none.
func OutcomeIn(dir string) (o Outcome, ok bool, err error) {
	err = readJSON(filepath.Join(dir, outcomeFile), &o)
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	}
	return o, err == nil, err
}
