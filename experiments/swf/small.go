package swf

import (
	_ "embed"
	"strings"
)

//go:embed small.swf
var small string

// Small is a trace of 64 jobs that suits a machine with two cores: run times of 0.5 to 6 s, 16 to 64 MiB of memory, about 50 s from
// the first submit to the last. It is synthetic, as its header says.
func Small() ([]Job, error) { return Parse(strings.NewReader(small)) }
