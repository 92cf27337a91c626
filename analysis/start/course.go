package start

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// EdgeSpawn is the name of the first edge.
const EdgeSpawn = "spawn"

const networkEdge = "network"

// A step of a start is an edge, and the phase that ends with it.
type step struct {
	record string
	name   string
	phase  string // from the step before
	// free: it may be absent, and its place is where it happened. Its phase is from the edge before, whichever that is.
	free bool
	// builtin: a guest with systemd does not have it. The phase after it is then from the edge before it.
	builtin bool
}

// The courses. Their edges come in this order by their nature, but for free ones.
var (
	coldCourse = []step{
		{record: results.BootSpawn, name: EdgeSpawn},
		{record: results.BootFirmware, name: "firmware", phase: "hypervisor"},
		{record: results.BootKernel, name: "kernel", phase: "firmware"},
		{record: results.BootKernelEnd, name: "kernel end", phase: "kernel"},
		{record: results.BootInit, name: "init", phase: "init"},
		{record: results.BootModules, name: "modules", phase: "modules", builtin: true},
		// A card that is up sends before its address is set, and the guest answers as soon as it is: who says so is scheduled later.
		{record: results.BootNetwork, name: networkEdge, phase: "network", free: true},
		{record: results.BootFrame, name: "frame", phase: "frame", free: true},
		{record: results.BootAnswer, name: "answer", phase: "answer"},
	}
	savedCourse = []step{
		{record: results.BootSpawn, name: EdgeSpawn},
		{record: results.BootMonitor, name: "monitor", phase: "hypervisor"},
		{record: results.RestoreBegin, name: "load", phase: "prepare"},
		{record: results.RestoreEnd, name: "loaded", phase: "load"},
		{record: results.VMResume, name: "resume", phase: "resume"},
	}
	identified   = step{record: results.GuestIdentified, name: "identified", phase: "identify"}
	activation   = []step{{record: results.GuestMemoryGiven, name: "memory", phase: "memory", free: true}, {record: results.GuestVCPUsGiven, name: "vcpus", phase: "vcpus", free: true}}
	savedEnd     = []step{{record: results.BootFrame, name: "frame", phase: "frame", free: true}, {record: results.BootAnswer, name: "answer", phase: "answer"}}
	besideCold   = []step{{record: results.BootMonitor, name: "monitor"}, {record: results.BootFirmwareEnd, name: "firmware end"}}
	savedSteps   = slices.Concat(savedCourse, savedEnd)
	cloneSteps   = slices.Concat(savedCourse, []step{identified}, activation, savedEnd)
	spawnedSteps = slices.Concat([]step{{record: results.BootBegin, name: "begin"}, savedCourse[4]}, []step{identified}, activation, savedEnd)
)

// course is the steps of a kind of start.
func course(kind string) []step {
	switch kind {
	case Substrate:
		return cloneSteps
	case Warm:
		return savedSteps
	}
	return coldCourse
}

// PhaseNames are the phases that a kind of start may have, in order.
func PhaseNames(kind string) []string {
	var list []string
	for _, st := range course(kind) {
		if st.phase != "" {
			list = append(list, st.phase)
		}
	}
	return append(list, edges.Unattributed)
}

// steps are those of this start. A substrate that was spawned before is neither spawned nor loaded when it is activated.
func (s segment) steps() []step {
	kind := s.kind()
	_, spawned := s.first(results.BootSpawn)
	_, loaded := s.first(results.RestoreBegin)
	if kind == Substrate && !spawned && !loaded {
		return spawnedSteps
	}
	return course(kind)
}

// course is the steps that this start goes through.
func (o *Start) course() []step {
	if o.steps != nil {
		return o.steps
	}
	return course(o.Kind)
}

// besides is by how much two sources of one edge may differ beyond their errors: a guest reads its clock and writes its mark one after the other.
const besides = time.Millisecond

// find takes each edge from its source.
func (o *Start) find(log *edges.Log, s segment, clock edges.GuestClock) {
	place := func(r results.Record) Seen {
		seen := Seen{Edge: log.Edge(r), Source: r.Source, Text: r.Attrs["text"]}
		if mono, ok := edges.Mono(r); ok && r.Source == results.SourceGuest && clock.Known() {
			seen.Edge, seen.Mono = clock.Place(seen.Edge, mono), true
			seen.Edge.Early = min(seen.Edge.Early, time.Duration(max(0, seen.Edge.Time-s.from)))
		}
		return seen
	}
	o.steps = s.steps()
	for _, st := range o.steps {
		r, ok := s.pick(st.record)
		if !ok {
			if !st.free || st.record == results.BootFrame || st.record == results.BootNetwork {
				o.Missing = append(o.Missing, Missing{st.name, o.why(st, s)})
			}
			continue
		}
		seen := place(r)
		seen.Name = st.name
		o.Seen = append(o.Seen, seen)
		if st.record == results.BootInit {
			o.twice(place, seen, s)
		}
	}
	if o.Kind == Cold {
		for _, st := range besideCold {
			if r, ok := s.first(st.record); ok {
				seen := place(r)
				seen.Name, seen.Aside = st.name, true
				o.Seen = append(o.Seen, seen)
			}
		}
	}
}

// pick is the record that tells of a step. Of PID 1 the guest's own word is taken where there is one, and of vCPUs the last.
func (s segment) pick(name string) (results.Record, bool) {
	list := s.records[name]
	switch name {
	case results.BootInit:
		if i := slices.IndexFunc(list, func(r results.Record) bool { return r.Source == results.SourceGuest }); i >= 0 {
			return list[i], true
		}
	case results.GuestVCPUsGiven:
		if len(list) > 0 {
			return list[len(list)-1], true
		}
	case results.VMResume:
		loaded, ok := s.first(results.RestoreEnd)
		for _, r := range list {
			if !ok || r.Time >= loaded.Time {
				return r, true
			}
		}
	}
	return s.first(name)
}

// mono is what the guest's clock showed at an edge, by the guest's own word; "" if it said nothing.
func (s segment) mono(name string) string {
	r, _ := s.pick(name)
	return r.Attrs["mono"]
}

// twice keeps what the console says of PID 1 beside the guest's word, and says where they cannot both be true.
func (o *Start) twice(place func(results.Record) Seen, guest Seen, s segment) {
	if guest.Source != results.SourceGuest {
		return
	}
	for _, r := range s.records[results.BootInit] {
		if r.Source == results.SourceGuest {
			continue
		}
		console := place(r)
		console.Name, console.Aside = guest.Name+", by the "+r.Source, true
		o.Seen = append(o.Seen, console)
		apart := time.Duration(console.Edge.Time - guest.Edge.Time)
		early, late := guest.Edge.Bound()+console.Edge.Stamp+besides, console.Edge.Bound()+guest.Edge.Stamp+besides
		if text := strings.Fields(r.Attrs["text"]); apart >= 0 && len(text) > 0 && text[len(text)-1] == s.mono(results.BootInit) {
			o.Notes = append(o.Notes, fmt.Sprintf("the mark of %s, which the guest wrote with its clock, came %v later, by up to %v more: other bytes of the console may have taken as long",
				guest.Name, apart.Round(10*time.Microsecond), quantity.RoundUp(guest.Edge.Early, 10*time.Microsecond)))
		}
		_, bounded := r.Attrs["bound"]
		// How long the mark took to arrive is not known where the reader did not say: then it may be late by any time.
		if apart < -early || bounded && apart > late {
			o.Warnings = append(o.Warnings, fmt.Sprintf("the %s places init %v %s the guest's own clock does, which their errors do not explain",
				r.Source, max(apart, -apart).Round(10*time.Microsecond), map[bool]string{true: "before", false: "after"}[apart < 0]))
		}
		return
	}
}

// why says why an edge is missing.
func (o *Start) why(st step, s segment) string {
	ended := ""
	if o.Ready == nil {
		ended = o.notReady()
	}
	switch st.record {
	case results.BootSpawn:
		return "no start of the hypervisor's process was recorded"
	case results.BootMonitor:
		return "nobody recorded when the hypervisor's monitor answered"
	case results.BootFirmware:
		return "the firmware wrote nothing to a console that was read"
	case results.BootKernel:
		return orElse(ended, "no line of the kernel arrived at a console that was read")
	case results.BootKernelEnd, results.BootInit, results.BootModules, results.BootNetwork:
		for _, told := range []string{results.BootKernelEnd, results.BootInit, results.BootModules, results.BootNetwork} {
			if slices.ContainsFunc(s.records[told], func(r results.Record) bool { return r.Source == results.SourceGuest }) {
				return "the guest's agent told of others, not of this one"
			}
		}
		return orElse(ended, "the guest has no agent, or its agent told nothing of its start")
	case results.BootFrame:
		return "no capture saw a frame of the guest"
	case results.BootAnswer:
		return ended
	case results.VMResume:
		return orElse(ended, "no hypervisor reported that the guest ran")
	}
	return orElse(ended, "nobody recorded it")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// PhaseMedian is the median of a phase over starts that got ready.
func PhaseMedian(list []Start, name string) quantity.Quantity {
	var all []quantity.Quantity
	for i := range list {
		if list[i].Ready != nil {
			all = append(all, list[i].Phase(name))
		}
	}
	return quantity.Median(all, results.Seconds, "no guest got ready")
}
