// Package experiments is the catalogue: one file per published experiment, and the JSON schema that editors use.
package experiments

import "embed"

// Catalogue holds the catalogue's files by name, such as quickstart.yaml, for where there is no source tree.
//
//go:embed *.yaml schema.json
var Catalogue embed.FS
