package results

import (
	"fmt"
	"path/filepath"
	"strings"
)

// checkName is an error unless a name can be that of a folder: one that comes from elsewhere, such as a server, must not lead out of the runs.
func checkName(what, name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") || !filepath.IsLocal(name) {
		return fmt.Errorf("%s %q cannot be the name of a folder: want one without separators", what, name)
	}
	return nil
}

func checkPlan(plan []Trial) error {
	for _, t := range plan {
		if err := checkName("trial", t.ID); err != nil {
			return err
		}
	}
	return nil
}
