package start

import (
	"slices"
	"strings"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// heard is for how long after a guest is ready its messages tell how its clock stands to the host's, in ns: longer, and drift counts.
const heard = int64(10e9)

// A segment is the records of one start of one guest.
type segment struct {
	guest    string
	from, to int64
	until    int64 // what is not over by then is censored
	records  map[string][]results.Record
}

// names are all that a start consists of.
var names = []string{
	results.BootAsked, results.BootBegin, results.BootSpawn, results.BootMonitor, results.BootFirmware, results.BootFirmwareEnd,
	results.BootKernel, results.BootKernelEnd, results.BootInit, results.BootModules, results.BootNetwork, results.BootFrame,
	results.BootAnswer, results.BootFailed, results.BootUnit, results.BootStage, results.ProvisionBegin, results.ProvisionEnd,
	results.RestoreBegin, results.RestoreEnd, results.VMStop, results.VMResume, results.GuestIdentified, results.GuestMemoryGiven, results.GuestVCPUsGiven,
}

// segments cuts the records of each guest where a start begins, and orders the starts by that.
func segments(log *edges.Log, w edges.Window) []segment {
	guests := map[string][]results.Record{}
	for _, r := range log.All(w, names...) {
		g := r.Attrs[results.AttrGuest]
		guests[g] = append(guests[g], r)
	}
	var list []segment
	for g, records := range guests {
		list = append(list, cut(g, records, w)...)
	}
	slices.SortFunc(list, func(a, b segment) int {
		if a.from != b.from {
			return int(min(1, max(-1, a.from-b.from)))
		}
		return strings.Compare(a.guest, b.guest)
	})
	return list
}

// cut divides a guest's records, which are in order. A start begins where the guest was asked for; of those that nobody asked
// for, such as that of a recovery, where its hypervisor was spawned, or where reading its state began.
func cut(guest string, records []results.Record, w edges.Window) []segment {
	begins := ""
	for _, name := range []string{results.BootAsked, results.BootSpawn, results.RestoreBegin, results.BootBegin, results.BootFailed} {
		if slices.ContainsFunc(records, func(r results.Record) bool { return r.Name == name }) {
			begins = name
			break
		}
	}
	if begins == "" {
		return nil
	}
	var list []segment
	early := segment{records: map[string][]results.Record{}} // what comes before the first
	for _, r := range records {
		if r.Name == begins {
			if n := len(list); n > 0 {
				list[n-1].to = r.Time
			}
			list = append(list, segment{guest: guest, from: r.Time, to: w.To, records: map[string][]results.Record{}})
		}
		s := &early
		if n := len(list); n > 0 {
			s = &list[n-1]
		}
		s.records[r.Name] = append(s.records[r.Name], r)
	}
	for name, before := range early.records {
		switch name {
		case results.ProvisionBegin, results.ProvisionEnd, results.BootBegin:
			list[0].records[name] = append(slices.Clone(before), list[0].records[name]...)
		}
	}
	return list
}

func (s segment) first(name string) (results.Record, bool) {
	if list := s.records[name]; len(list) > 0 {
		return list[0], true
	}
	return results.Record{}, false
}

// kind is how the guest was started, by the runner's word, or by what was recorded.
func (s segment) kind() string {
	if r, ok := s.first(results.BootAsked); ok {
		switch k := r.Attrs["start"]; k {
		case Cold, Warm, Substrate:
			return k
		}
	}
	if _, ok := s.first(results.GuestIdentified); ok {
		return Substrate
	}
	if _, ok := s.first(results.RestoreBegin); ok {
		return Warm
	}
	return Cold
}

// life is until when the guest's messages tell of one run of its clock: it stands still while the guest is stopped.
func (s segment) life() int64 {
	ready, ok := s.first(results.BootAnswer)
	if !ok {
		return s.to
	}
	end := min(s.to, ready.Time+heard)
	for _, r := range s.records[results.VMStop] {
		if r.Time > ready.Time {
			return min(end, r.Time)
		}
	}
	return end
}
