package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrDiffers says that a folder does not hold what was packed.
var ErrDiffers = errors.New("the folder differs from the bundle")

// Against compares a folder with what a bundle of it holds. It returns one error for each file that was changed or cut off, is missing, or is extra; they are
// ErrDiffers. What else comes up, such as a file that cannot be read, is an error too.
func Against(index Index, dir string) []error {
	var problems []error
	differ := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%w: %w", ErrDiffers, fmt.Errorf(format, args...)))
	}
	packed := map[string]bool{}
	for _, f := range index.Files {
		packed[f.Path] = true
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			differ("%s is missing", f.Path)
			continue
		case err != nil:
			problems = append(problems, err)
			continue
		case !info.Mode().IsRegular():
			differ("%s is no regular file", f.Path)
			continue
		}
		have, err := describe(dir, f.Path)
		switch {
		case err != nil:
			problems = append(problems, err)
		case have.Size < f.Size:
			differ("%s has %d B of %d: it was cut off or changed", f.Path, have.Size, f.Size)
		case have != f:
			differ("%s was changed", f.Path)
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return skipShipping(dir, path, err)
		}
		rel, err := filepath.Rel(dir, path)
		if err == nil && !packed[filepath.ToSlash(rel)] {
			differ("%s is extra", filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		problems = append(problems, err)
	}
	return problems
}
