package report

import (
	"virtscope/analysis/metric"
	"virtscope/analysis/timeline"
)

// Titles of the tables of starts.
const (
	phasesTitle = "phases of a start"
	imagesTitle = "how disks came to their hosts"
	poolTitle   = "memory and identities of the guests"
	hostsTitle  = "the machines"
)

func bootKind() kind {
	return kind{
		headline: metric.DeployMakespan, headlineName: "time until all guests were ready", headlineShort: "all ready after",
		columns: bootColumns,
		more: func(groups []group) []section {
			return []section{
				{phasesTitle, some(groups, startColumns), 0},
				{slowdownTitle, slowdownColumns(groups), 0},
				{imagesTitle, some(groups, imageColumns), 0},
				{poolTitle, some(groups, poolColumns), 0},
				{hostsTitle, some(groups, hostColumns), 0},
			}
		},
		compared: []comparison{
			{metric.BootTotal, "Start of a guest", "spawn to ready"},
			{metric.DeployReady50, "Arrival to ready", "arrival to ready, the trial's median guest"},
			{metric.DeployMakespan, "All guests ready", "time until all guests were ready"},
			{metric.ImageWire, "Bytes of images", "frames from image servers at the capture"},
		},
		figures:      []func(Run) (Figure, bool){stackFigure, readyFigure, kthFigure},
		trialFigures: []oneFigure{{"Images over time", imageFigure}},
	}
}

// bootColumns are those of a deployment; of one guest there is one time until it is ready.
func bootColumns(groups []group) []column {
	list := []column{{"spawn to", "ready", metric.BootTotal}, {"arrival to", "ready, median", metric.DeployReady50}}
	if !severalGuests(groups) {
		list[1].title = "ready"
		return list
	}
	return append(list,
		column{"arrival to", "ready, p90", metric.DeployReady90}, column{"arrival to", "ready, last", metric.DeployReadyMax},
		column{"all", "ready", metric.DeployMakespan}, column{"held back", "median", metric.DeployWait50},
		column{"guests", "asked for", metric.DeployGuests}, column{"guests", "not ready", metric.DeployFailed})
}

// severalGuests reports whether a trial started more than one guest.
func severalGuests(groups []group) bool {
	for _, g := range groups {
		for _, t := range g.trials {
			if t.metric(metric.DeployGuests).Value > 1 {
				return true
			}
		}
	}
	return false
}

// startColumns are the phases of a cold start and of saved ones, in the order of both.
var startColumns = []column{
	{"", "provision", metric.DeployProvision},
	{"", "hypervisor", metric.BootPhase + "hypervisor"},
	{"", "firmware", metric.BootPhase + "firmware"},
	{"", "kernel", metric.BootPhase + "kernel"},
	{"", "init", metric.BootPhase + "init"},
	{"", "modules", metric.BootPhase + "modules"},
	{"", "network", metric.BootPhase + "network"},
	{"", "prepare", metric.BootPhase + "prepare"},
	{"", "load", metric.BootPhase + "load"},
	{"", "resume", metric.BootPhase + "resume"},
	{"", "identify", metric.BootPhase + "identify"},
	{"", "memory", metric.BootPhase + "memory"},
	{"", "vCPUs", metric.BootPhase + "vcpus"},
	{"", "frame", metric.BootPhase + "frame"},
	{"", "answer", metric.BootPhase + "answer"},
	{"", "unattributed", metric.BootPhase + timeline.Unattributed},
}

var imageColumns = []column{
	{"", "provisioning", metric.DeployProvision},
	{"", "allocated", metric.DeployBytes},
	{"images", "on the wire", metric.ImageWire},
	{"images", "read", metric.ImageFetched},
	{"images", "a guest", metric.ImageFetched50},
	{"images", "ahead", metric.ImagePrefetched},
	{"images", "store sent", metric.ImageServed},
}

var poolColumns = []column{
	{"substrate", "made in", metric.SubstrateMade},
	{"substrate", "takes", metric.SubstrateDocked},
	{"a guest", "takes", metric.GuestPrivate},
	{"guests", "a GiB", metric.GuestDensity},
	{"identities", "asked", metric.IdentityChecked},
	{"identities", "conflicts", metric.IdentityConflict},
}

var hostColumns = []column{
	{"CPUs", "busy", metric.HostBusy},
	{"memory", "at most", metric.HostMemoryPeak},
}
