package bundle

import (
	"path"
	"path/filepath"
)

// checkPaths refuses an index whose files cannot stand beside each other in a folder, or would stand outside of it. Write sorts them.
func checkPaths(files []File) error {
	folders := map[string]bool{}
	last := ""
	for _, f := range files {
		switch p := f.Path; {
		case !filepath.IsLocal(filepath.FromSlash(p)) || f.Size < 0:
			return damaged("its index has the path %q of %d B, which leads out of the folder or is none", p, f.Size)
		case p != path.Clean(p) || p == "." || p == indexName:
			return damaged("its index has the path %q, which is no file's", p)
		case p <= last:
			return damaged("its index has %q after %q: it is not sorted, or has a file twice", p, last)
		}
		last = f.Path
		for dir := path.Dir(f.Path); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	for _, f := range files {
		if folders[f.Path] {
			return damaged("its index has %q as a file and as a folder", f.Path)
		}
	}
	return nil
}
