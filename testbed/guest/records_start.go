package guest

import (
	"maps"
	"slices"
	"strconv"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

// recordBoot records the edges that the guest itself knows of. Each arrived with the message: "mono" says when it was at the latest,
// and "bound" by how much earlier it may have been.
func recordBoot(b *agent.Boot, record func(string, float64, results.Unit, map[string]string)) {
	for _, edge := range []struct {
		name  string
		mono  *int64
		bound int64
		text  string
	}{
		{results.BootKernelEnd, later(b.KernelEnd, b.LogBound), 2 * max(0, b.LogBound), b.Line},
		{results.BootInit, b.Init, 0, ""},
		{results.BootModules, b.Modules, 0, ""},
		{results.BootNetwork, b.Network, since(b.NetworkBegin, b.Network), ""},
	} {
		if edge.mono == nil {
			continue
		}
		attrs := map[string]string{"mono": strconv.FormatInt(*edge.mono, 10)}
		if edge.bound > 0 {
			attrs["bound"] = formatSeconds(edge.bound)
		}
		if edge.text != "" {
			attrs["text"] = edge.text
		}
		record(edge.name, 0, results.Event, attrs)
	}
}

// later is t moved by how much it may be off either way.
func later(t *int64, by int64) *int64 {
	if t == nil || by <= 0 {
		return t
	}
	return new(*t + by)
}

// since is the time from begin to t; 0 if one of them is not known.
func since(begin, t *int64) int64 {
	if begin == nil || t == nil {
		return 0
	}
	return max(0, *t-*begin)
}

// recordStart records what a guest says of its identity, its vCPUs and its systemd.
func recordStart(m *agent.Message, mono string, record func(string, float64, results.Unit, map[string]string)) {
	if id := m.Identity; id != nil && m.Given {
		record(results.GuestIdentified, 0, results.Event, map[string]string{
			"name": id.Name, "address": id.Address, "mac": id.MAC, "mono": mono,
		})
	}
	if m.VCPUs > 0 {
		record(results.GuestVCPUsGiven, float64(m.VCPUs), results.One, map[string]string{"asked": strconv.Itoa(m.Asked), "mono": mono})
	}
	if m.Units != nil {
		recordUnits(m.Units, record)
	}
}

func recordUnits(u *agent.Units, record func(string, float64, results.Unit, map[string]string)) {
	for _, stage := range slices.Sorted(maps.Keys(u.Stages)) {
		record(results.BootStage, seconds(u.Stages[stage]), results.Seconds, map[string]string{"stage": stage})
	}
	for _, unit := range u.Units {
		record(results.BootUnit, seconds(unit.Active), results.Seconds, map[string]string{
			"unit": unit.Name, "mono": strconv.FormatInt(unit.Active, 10), "activating": formatSeconds(unit.Activating),
		})
	}
}
