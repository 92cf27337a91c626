package bundle

import (
	"io/fs"
	"path/filepath"
)

// shippingDir says to which servers a run was shipped, and how far. That is not of the run: it changes whenever it is shipped.
const shippingDir = "influx"

// skipShipping leaves that folder out of a walk over dir; else it returns err.
func skipShipping(dir, path string, err error) error {
	if err == nil && path == filepath.Join(dir, shippingDir) {
		return fs.SkipDir
	}
	return err
}
