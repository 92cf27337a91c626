package spec

import (
	"slices"
	"strings"
)

// A checker holds one treatment (or the experiment as a whole) and finds the place for what is wrong with it.
type checker struct {
	e        *Experiment
	root     *node            // the merged file
	levels   map[string]*node // the levels that were set, by path
	reported *decoder         // what was already reported, so that nothing is said twice
	problems Problems
}

// want reports a problem that the values at paths have together. Its place is the first of them that a level
// set, else the first that a file sets, else where the first one is missing. A problem that involves a value
// that was already reported is left out: it may be gone once that is mended.
func (c *checker) want(want string, paths ...string) {
	if slices.ContainsFunc(paths, c.isReported) {
		return
	}
	for _, p := range paths {
		if n := c.levels[p]; n != nil {
			c.at(n, p, n.String(), want)
			return
		}
	}
	for _, p := range paths {
		if n := c.root.find(p); n != nil {
			c.at(n, p, n.String(), want)
			return
		}
	}
	c.missing(want, paths[0])
}

// missing reports that path is not set, at the nearest group that is.
func (c *checker) missing(want, path string) {
	if c.isReported(path) || c.reported.bad["factors"] || c.reported.unknown[path] {
		return
	}
	group := path
	for {
		i := strings.LastIndexByte(group, '.')
		if i < 0 {
			break
		}
		group = group[:i]
		if c.reported.unknown[group] {
			return
		}
		if n := c.root.find(group); n != nil {
			c.at(n, path, "", want)
			return
		}
	}
	if !c.reported.unknown[""] {
		c.at(&node{file: c.root.file, line: 1, col: 1}, path, "", want)
	}
}

// set reports whether a level or a file sets path, so that its value is not the default.
func (c *checker) set(path string) bool {
	return c.levels[path] != nil || c.root.find(path) != nil
}

// isReported reports whether path or a group around it was already reported.
func (c *checker) isReported(path string) bool {
	for {
		if c.reported.bad[path] {
			return true
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

func (c *checker) at(n *node, path, value, want string) {
	c.problems = append(c.problems, Problem{n.file, n.line, n.col, path, value, want})
}
