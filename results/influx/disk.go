package influx

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// A diskError is that the run's folder cannot be written to.
type diskError struct {
	doing  string
	err    error
	remedy string
}

func (e *diskError) Error() string {
	text := fmt.Sprintf("%s: %v", e.doing, e.err)
	if e.remedy != "" {
		text += ": " + e.remedy
	}
	return text
}

func (e *diskError) Unwrap() error { return e.err }

// DiskTrouble is what of an error of Ship says that the run's folder cannot be written to; nil if nothing does.
func DiskTrouble(err error) error {
	var d *diskError
	if !errors.As(err, &d) {
		return nil
	}
	return d
}

// onDisk is an error of writing into the folder, and what to do about it.
func onDisk(doing string, err error) error {
	e := &diskError{doing: doing, err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.remedy = "free some space, then go on with virtscope influx push"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		e.remedy = "how far it was shipped is written there: make the folder writable, or push a copy of it"
	default:
		return e
	}
	var path *fs.PathError
	if errors.As(err, &path) { // of a file with a name by chance, within one that the user knows
		e.err = path.Err
	}
	return e
}
