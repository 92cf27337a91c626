package guest

import (
	"maps"
	"slices"
	"strconv"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

// recordBoot records the edges that the guest itself knows of. Each arrived with the message: "mono" says when it was.
func recordBoot(b *agent.Boot, record func(string, float64, results.Unit, map[string]string)) {
	for _, edge := range []struct {
		name string
		mono *int64
		text string
	}{
		{results.BootKernelEnd, b.KernelEnd, b.Line},
		{results.BootInit, b.Init, ""},
		{results.BootModules, b.Modules, ""},
		{results.BootNetwork, b.Network, ""},
	} {
		if edge.mono == nil {
			continue
		}
		attrs := map[string]string{"mono": strconv.FormatInt(*edge.mono, 10)}
		if edge.text != "" {
			attrs["text"] = edge.text
		}
		record(edge.name, 0, results.Event, attrs)
	}
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
