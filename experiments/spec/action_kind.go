package spec

// The kinds of action, by the key that asks for them.
const (
	ActionMigrate    = "migrate"
	ActionBoot       = "boot"
	ActionCheckpoint = "checkpoint"
	ActionRecover    = "recover"
	ActionJobs       = "jobs"
)

// Kinds are the actions that a names; a valid experiment has one.
func (a Action) Kinds() (list []string) {
	for _, k := range []struct {
		kind  string
		asked bool
	}{
		{ActionMigrate, a.Migrate != nil},
		{ActionBoot, a.Boot != nil},
		{ActionCheckpoint, a.Checkpoint != nil},
		{ActionRecover, a.Recover != nil},
		{ActionJobs, a.Jobs != nil},
	} {
		if k.asked {
			list = append(list, k.kind)
		}
	}
	return list
}

// Kind is the action of a valid experiment; "" is none.
func (a Action) Kind() string {
	if list := a.Kinds(); len(list) > 0 {
		return list[0]
	}
	return ""
}

// Fleet reports whether the action starts its guests itself: there is none before it begins.
func (a Action) Fleet() bool { return a.Boot != nil || a.Jobs != nil }
