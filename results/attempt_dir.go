package results

import (
	"os"
	"path/filepath"
)

// AttemptDir is the folder of an attempt at a trial, also after it was set aside for a later one, and whether it was.
func (r *Run) AttemptDir(id string, number int) (dir string, setAside bool) {
	dir = aside(r.TrialDir(id), number)
	if exists(dir) {
		return dir, true
	}
	return r.TrialDir(id), false
}

// AttemptOver reports whether nothing more is written to an attempt: it has an outcome, or a later attempt took its place.
func (r *Run) AttemptOver(id string, number int) bool {
	dir, setAside := r.AttemptDir(id, number)
	if setAside {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, outcomeFile))
	return err == nil
}
