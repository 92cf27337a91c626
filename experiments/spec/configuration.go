package spec

import "fmt"

// Configuration tells guests apart that cannot start warm from one another's saved state: two experiments whose guests are booted
// alike, whatever is done to them later, have the same.
func (e *Experiment) Configuration() string {
	g := e.Guest
	disk := "none"
	if g.Disk != nil {
		disk = fmt.Sprintf("%+v", *g.Disk)
	}
	g.Disk, g.Check = nil, 0
	s := e.saving()
	file := s != nil && s.Format == "memory-file"
	return fmt.Sprintf("%+v disk %s redis %t memory-file %t", g, disk, e.Workload.Has("redis"), file)
}
