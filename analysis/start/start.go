// Package start tells how each guest of a trial came to be ready: booted from nothing, or made from a saved state.
//
//  1. The records of a guest are cut where it was asked for, or spawned, anew (segment.go).
//  2. Each edge is taken from its own source (course.go); what the guest's clock tells is put on the host's clock with an error
//     (edges.GuestClock). Where two sources saw one edge, both are kept, and a difference that their errors cannot explain
//     is said.
//  3. Edges that contradict the order are left out of the phases, and said (order.go). The phases between the others add up from the
//     spawn until the guest is ready; what lies beside a missing edge is unattributed.
//
// An edge that nobody saw is unknown, with the reason.
package start

import (
	"fmt"
	"slices"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// The kinds of a start.
const (
	Cold      = "cold"
	Warm      = "warm"      // from a saved state of the same guest
	Substrate = "substrate" // from a saved state without an identity
)

// A Start is how one guest came to be ready, or did not. Times are in s, on the controller's clock.
type Start struct {
	Guest string `json:"guest,omitempty"` // "" is the trial's only one
	Kind  string `json:"kind"`
	Host  string `json:"host,omitempty"`

	Asked     *edges.Edge `json:"asked,omitempty"`
	Begin     *edges.Edge `json:"begin,omitempty"`     // it was not held back any longer
	Provision *edges.Span `json:"provision,omitempty"` // of its disk
	Method    string      `json:"method,omitempty"`    // of provisioning
	Ready     *edges.Edge `json:"ready,omitempty"`     // the first answer came
	By        string      `json:"by,omitempty"`        // what answered: echo, ssh, port, http
	Failed    string      `json:"failed,omitempty"`    // why it is not ready, by the runner's word

	Seen    []Seen       `json:"seen,omitempty"`   // all edges, in the order of time
	Phases  []edges.Span `json:"phases,omitempty"` // from the first edge, which is the spawn where that was seen, to ready; they add up
	Missing []Missing    `json:"missing,omitempty"`
	Notes   []string     `json:"notes,omitempty"`
	// Warnings are edges out of order, and those that two sources place apart by more than their errors explain.
	Warnings []string `json:"warnings,omitempty"`

	Wait      quantity.Quantity `json:"wait"`      // asked to begin
	Time      quantity.Quantity `json:"time"`      // begin to ready, provisioning included
	Arrival   quantity.Quantity `json:"arrival"`   // asked to ready
	Total     quantity.Quantity `json:"total"`     // spawn to ready
	Provided  quantity.Quantity `json:"provided"`  // the time that provisioning took
	Allocated quantity.Quantity `json:"allocated"` // B that provisioning moved or allocated
	Loaded    quantity.Quantity `json:"loaded"`    // B of the saved state that were read

	steps []step // that it goes through

	Units  []Unit  `json:"units,omitempty"`
	Stages []Stage `json:"stages,omitempty"`
}

// Seen is an edge of a start as one source saw it.
type Seen struct {
	Name   string     `json:"name"`
	Edge   edges.Edge `json:"edge"`
	Source string     `json:"source"`
	Text   string     `json:"text,omitempty"`
	Mono   bool       `json:"mono,omitempty"`  // the guest's clock told it
	Aside  bool       `json:"aside,omitempty"` // it ends no phase
	Late   bool       `json:"late,omitempty"`  // because it came after the guest was ready
}

// Missing is an edge that nobody saw.
type Missing struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Build finds the starts in the records within w, those that were asked for first in front. What was not over by until is
// censored there; records that come later, such as what a guest tells of itself, are read all the same.
func Build(log *edges.Log, w edges.Window, until int64) []Start {
	messages := log.Messages()
	var list []Start
	for _, s := range segments(log, w) {
		s.until = max(s.from, min(s.to, until))
		list = append(list, s.start(log, within(messages[s.guest], s.from, s.life())))
	}
	return list
}

func within(list []edges.Message, from, to int64) []edges.Message {
	var some []edges.Message
	for _, m := range list {
		if m.At >= from && m.At <= to {
			some = append(some, m)
		}
	}
	return some
}

// start reads one segment.
func (s segment) start(log *edges.Log, messages []edges.Message) Start {
	out := Start{Guest: s.guest, Kind: s.kind()}
	out.frame(log, s)
	spawned := s.from
	if r, ok := s.first(results.BootSpawn); ok {
		spawned = r.Time
	}
	last := s.until
	if out.Ready != nil {
		last = out.Ready.Time
	}
	clock := edges.NewGuestClock(messages, time.Duration(max(0, last-spawned)))
	out.find(log, s, clock)
	out.systemd(s)
	out.Phases = out.phase()
	out.measure(s)
	return out
}

// frame finds what surrounds the start.
func (o *Start) frame(log *edges.Log, s segment) {
	edge := func(name string) *edges.Edge {
		r, ok := s.first(name)
		if !ok {
			return nil
		}
		if h := r.Attrs["host"]; h != "" {
			o.Host = h
		}
		e := log.Edge(r)
		return &e
	}
	o.Asked, o.Begin = edge(results.BootAsked), edge(results.BootBegin)
	begin, end := edge(results.ProvisionBegin), edge(results.ProvisionEnd)
	o.Allocated = quantity.Unknown(results.Bytes, "nobody said what provisioning moved")
	if r, ok := s.first(results.ProvisionEnd); ok {
		o.Method = r.Attrs["method"]
		if b, ok := edges.Number(r, "bytes"); ok {
			o.Allocated = quantity.Exactly(b, results.Bytes)
		}
	}
	if begin != nil && end != nil && end.Time >= begin.Time {
		o.Provision = &edges.Span{Name: "provision", Start: *begin, End: *end}
	}
	if r, ok := s.first(results.BootAnswer); ok {
		e := log.Edge(r)
		o.Ready, o.By = &e, r.Attrs["method"]
	}
	if r, ok := s.first(results.BootFailed); ok && o.Ready == nil {
		o.Failed = r.Attrs["error"]
		if o.Failed == "" {
			o.Failed = "no reason was given"
		}
	}
	o.Loaded = quantity.Unknown(results.Bytes, "nobody said how much of the state was read")
	if r, ok := s.first(results.RestoreEnd); ok {
		if b, ok := edges.Number(r, "bytes"); ok {
			o.Loaded = quantity.Exactly(b, results.Bytes)
		}
	}
	if o.Host == "" {
		if r, ok := s.first(results.BootSpawn); ok {
			o.Host = r.Host
		}
	}
}

// measure fills in the times.
func (o *Start) measure(s segment) {
	until := func(from *edges.Edge, to *edges.Edge, noFrom string) quantity.Quantity {
		switch {
		case from == nil:
			return quantity.Unknown(results.Seconds, noFrom)
		case to != nil:
			return edges.Between(*from, *to)
		}
		return quantity.AtLeast(float64(max(0, s.until-from.Time))/1e9, results.Seconds, o.notReady())
	}
	const noAsk, noBegin = "nobody recorded when the guest was asked for", "nobody recorded when its start began"
	o.Wait = until(o.Asked, o.Begin, noAsk)
	if o.Begin == nil && o.Asked != nil && o.Ready != nil {
		o.Wait = quantity.Unknown(results.Seconds, noBegin)
	}
	o.Time, o.Arrival = until(o.Begin, o.Ready, noBegin), until(o.Asked, o.Ready, noAsk)
	var spawn *edges.Edge
	for i := range o.Seen {
		if o.Seen[i].Name == EdgeSpawn {
			spawn = &o.Seen[i].Edge
		}
	}
	o.Total = until(spawn, o.Ready, "no start of the hypervisor's process was recorded")
	o.Provided = quantity.Unknown(results.Seconds, "nothing was provisioned")
	if o.Provision != nil {
		o.Provided = edges.Between(o.Provision.Start, o.Provision.End)
	}
}

func (o *Start) notReady() string {
	if o.Failed != "" {
		return "the guest did not get ready: " + o.Failed
	}
	return "the guest did not get ready while it was observed"
}

// Phase is how long the phase of a name took.
func (o *Start) Phase(name string) quantity.Quantity {
	var list []quantity.Quantity
	for _, p := range o.Phases {
		if p.Name == name {
			list = append(list, edges.Between(p.Start, p.End))
		}
	}
	if len(list) == 0 && name == edges.Unattributed {
		return quantity.Exactly(0, results.Seconds)
	}
	return quantity.Sum(list, results.Seconds, o.lacks(name))
}

// lacks says why there is no phase of a name.
func (o *Start) lacks(phase string) string {
	steps := o.course()
	if !slices.ContainsFunc(steps, func(st step) bool { return st.phase == phase }) && slices.Contains(PhaseNames(o.Kind), phase) {
		return "the guest's hypervisor had been started before"
	}
	for i, st := range steps {
		if st.phase != phase {
			continue
		}
		for _, m := range o.Missing {
			if m.Name == st.name || i > 0 && m.Name == steps[i-1].name {
				return fmt.Sprintf("%s: %s", m.Name, m.Why)
			}
		}
		switch {
		case o.saw(st.name, func(s Seen) bool { return s.Late }):
			return fmt.Sprintf("the word of its %s came after the guest was ready", st.name)
		case o.beside(i) != "":
			return o.beside(i)
		case o.saw(st.name, func(Seen) bool { return true }):
			return "its edges contradict those of other phases"
		}
		return "nobody recorded its " + st.name
	}
	return fmt.Sprintf("a %s start has no such phase", o.Kind)
}

// beside says which edge was not seen that lies before the i-th, or next to it: a phase from one that is farther off would hold others.
func (o *Start) beside(i int) string {
	steps := o.course()
	for j := i - 1; j >= 0; j-- {
		for _, m := range o.Missing {
			if m.Name == steps[j].name && !steps[j].free {
				return fmt.Sprintf("%s: %s", m.Name, m.Why)
			}
		}
		if !steps[j].free {
			return ""
		}
	}
	return ""
}

func (o *Start) saw(name string, how func(Seen) bool) bool {
	return slices.ContainsFunc(o.Seen, func(s Seen) bool { return s.Name == name && how(s) })
}
