package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// Key tells treatments of different runs apart by their levels, whatever the order of the factors. A name alone, which leaves out what is
// clear within one run, does not: rate may be a workload's or a link's.
func (t Treatment) Key() string {
	if len(t.Levels) == 0 {
		return t.Name
	}
	var parts []string
	for _, l := range t.Levels {
		parts = append(parts, fmt.Sprintf("%q", []string{l.Factor, l.Value}))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
