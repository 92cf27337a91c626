package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Source is a file that an experiment was read from.
type Source struct {
	Path   string `json:"path"`   // as it was given, or as extends leads to it
	SHA256 string `json:"sha256"` // of its bytes, in hexadecimal
}

// Sources are the files that e was read from, the one that was asked for first and then what it extends. There
// are none if e was not read from a file.
func (e *Experiment) Sources() []Source { return slices.Clone(e.sources) }

// Load reads an experiment and what it extends, and validates every treatment. The error is Problems if the
// files can be read but are not a valid experiment; otherwise it wraps the operating system's.
func Load(name string) (*Experiment, error) {
	return (&loader{read: readFile, relative: func(from, to string) string {
		if filepath.IsAbs(to) {
			return filepath.Clean(to)
		}
		return filepath.Join(filepath.Dir(from), to)
	}}).load(name)
}

// LoadFS is Load from a file system, such as the embedded catalogue.
func LoadFS(files fs.FS, name string) (*Experiment, error) {
	return (&loader{
		read:     func(name string) ([]byte, error) { return fs.ReadFile(files, name) },
		relative: func(from, to string) string { return path.Join(path.Dir(from), to) },
	}).load(name)
}

// Parse reads an experiment that extends nothing from its text. Name stands for the file in problems. The error
// is Problems.
func Parse(name string, data []byte) (*Experiment, error) {
	return (&loader{read: func(n string) ([]byte, error) {
		if n != name {
			return nil, errors.New("a text alone cannot refer to a file")
		}
		return data, nil
	}, relative: func(_, to string) string { return to + " " }}).load(name)
}

// readFile stops at more than a file may have, so that a device or a huge file is not read whole.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	return io.ReadAll(io.LimitReader(f, int64(maxTrace)+1))
}

const maxExtends = 8 // files; deeper inheritance is not readable

// A loader follows extends.
type loader struct {
	read     func(name string) ([]byte, error)
	relative func(from, to string) string

	sources  []Source
	problems Problems
	d        *decoder // of all files: what is bad
}

func (l *loader) load(name string) (*Experiment, error) {
	data, err := l.read(name)
	if err != nil {
		return nil, fmt.Errorf("read experiment: %w", err)
	}
	l.d = newDecoder()
	root := l.tree(name, data)
	if root == nil {
		return nil, l.problems.err()
	}
	root, conflicts := settle(root.without("extends"))
	l.problems = append(l.problems, conflicts...)
	l.d.problems = nil // of the merged tree: what is wrong in it was reported for its file
	e := l.d.decode(root)
	l.inline(e, root)
	e.sources, e.metricPlaces, e.stopPlace = l.sources, metricPlaces(root), stopPlace(root)
	if len(l.problems) == 0 {
		l.problems = l.d.problems
	}
	l.problems = append(l.problems, validate(e, root, l.d)...)
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	return e, nil
}

// tree is the file's mapping, laid over what it extends; nil if there is none.
func (l *loader) tree(name string, data []byte) *node {
	layer := len(l.sources)
	sum := sha256.Sum256(data)
	l.sources = append(l.sources, Source{Path: name, SHA256: hex.EncodeToString(sum[:])})
	root, problems := readTree(name, layer, data)
	l.problems = append(l.problems, problems...)
	if root == nil {
		return nil
	}
	l.d.problems = nil
	l.d.decode(root)
	l.problems = append(l.problems, l.d.problems...)
	if _, ok := root.get("virtscope"); !ok && !l.d.unknown[""] {
		l.problems = append(l.problems, Problem{name, 1, 1, "virtscope", "", "want virtscope: 1, the version of the language that this file is written in"})
	}
	extends := root.find("extends")
	if extends == nil || l.d.bad["extends"] {
		return root
	}
	if parent := l.parent(name, extends); parent != nil {
		return merge(parent, root, "")
	}
	return root
}

// parent is the tree of the file that extends names, or nil with a problem.
func (l *loader) parent(from string, extends *node) *node {
	fail := func(want string) *node {
		l.d.bad["extends"], l.d.unknown[""] = true, true // what is missing may be there
		l.problems = append(l.problems, Problem{extends.file, extends.line, extends.col, "extends", extends.String(), want})
		return nil
	}
	name := l.relative(from, extends.text)
	for i, s := range l.sources {
		if s.Path == name || filepath.Clean(s.Path) == name {
			var chain []string
			for _, s := range l.sources[i:] {
				chain = append(chain, s.Path)
			}
			return fail("want a file that does not extend this one in turn: " + strings.Join(append(chain, name), " → "))
		}
	}
	if len(l.sources) >= maxExtends {
		return fail(fmt.Sprintf("want at most %d files that extend one another", maxExtends))
	}
	data, err := l.read(name)
	if err != nil {
		return fail("want an experiment file, relative to this one: " + err.Error())
	}
	root := l.tree(name, data)
	if root == nil {
		l.d.unknown[""] = true
	}
	return root
}

// place is file:line.
func place(n *node) string { return fmt.Sprintf("%s:%d", n.file, n.line) }
