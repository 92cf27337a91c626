package spec

import "testing"

// TestConfiguration: what a boot depends on, and nothing else, tells guests apart.
func TestConfiguration(t *testing.T) {
	of := func(change func(*Experiment)) string {
		e := Default()
		e.Action.Checkpoint = new(DefaultCheckpoint())
		e.Guest.Disk = new(DefaultDisk())
		change(e)
		return e.Configuration()
	}
	same := of(func(*Experiment) {})
	for what, change := range map[string]func(*Experiment){
		"memory":      func(e *Experiment) { e.Guest.Memory++ },
		"binary":      func(e *Experiment) { e.Guest.QEMU.Binary = "other" },
		"disk":        func(e *Experiment) { e.Guest.Disk.Size++ },
		"no disk":     func(e *Experiment) { e.Guest.Disk = nil },
		"redis":       func(e *Experiment) { e.Workload.Kind = "redis" },
		"memory-file": func(e *Experiment) { e.Action.Checkpoint.Save.Format = "memory-file" },
	} {
		if of(change) == same {
			t.Errorf("%s makes no difference", what)
		}
	}
	for what, change := range map[string]func(*Experiment){
		"check":    func(e *Experiment) { e.Guest.Check++ },
		"workload": func(e *Experiment) { e.Workload.Kind, e.Workload.Rate = "dirty", 1e6 },
		"action":   func(e *Experiment) { e.Action = Action{Migrate: new(DefaultMigrate())} },
		"link":     func(e *Experiment) { e.Testbed.Link.Rate = 1e6 },
	} {
		if of(change) != same {
			t.Errorf("%s makes a difference", what)
		}
	}
}
