package stream

import (
	"maps"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Mirror is what one connection to an NBD server carried, as a migration's storage mirror does.
type Mirror struct {
	Stream    string            `json:"stream"`
	Export    string            `json:"export,omitempty"`
	Client    string            `json:"client,omitempty"`
	Server    string            `json:"server,omitempty"`
	Start     string            `json:"start,omitempty"` // StartHeader, StartMiddle
	How       string            `json:"how,omitempty"`   // how it ended: disconnect, HowFin, HowReset, HowCut; "": not recorded
	Encrypted bool              `json:"encrypted,omitempty"`
	Begin     Moment            `json:"begin"`
	First     *Moment           `json:"first,omitempty"` // the first request that changes the export began to pass
	Last      *Moment           `json:"last,omitempty"`  // the last one had passed
	Size      quantity.Quantity `json:"size"`            // B of the export
	Commands  []MirrorCommand   `json:"commands"`
	Distinct  quantity.Quantity `json:"distinct"`     // B of sectors that were changed
	Again     quantity.Quantity `json:"again"`        // B of sectors that were changed once more
	Dirtied   quantity.Quantity `json:"again_write"`  // B of Again that a write had touched before: the guest changed them while they were copied
	Bytes     quantity.Quantity `json:"client_bytes"` // B of TCP payload from client to server
	Damage    []Damage          `json:"damage,omitempty"`
	Notes     []string          `json:"notes,omitempty"`
}

// A MirrorCommand sums one kind of request.
type MirrorCommand struct {
	Command    string                       `json:"command"`
	Requests   quantity.Quantity            `json:"requests"` // 1
	Bytes      quantity.Quantity            `json:"bytes"`    // B of the export that they cover
	Errors     map[string]quantity.Quantity `json:"errors,omitempty"`
	Unanswered quantity.Quantity            `json:"unanswered"` // 1, at the end
	// Latency says how long until the answer: key count in 1, all others (min, p50, …) in s.
	Latency map[string]quantity.Quantity `json:"latency,omitempty"`
}

// mirrors reports whether the log is that of a storage mirror, not of a migration.
func (l *log) mirrors() bool {
	if len(l.byName[results.WireMigration]) > 0 {
		return false
	}
	for name := range l.byName {
		if strings.HasPrefix(name, results.WireMirror) {
			return true
		}
	}
	return false
}

func (l *log) mirror() Mirror {
	const why = "it was not recorded: nothing was written, or nobody could read it"
	m := Mirror{Stream: l.name}
	if all := l.edges(); len(all) > 0 {
		m.Begin = slices.MinFunc(all, func(a, b Moment) int { return int(min(1, max(-1, a.Time-b.Time))) })
	}
	if r, ok := l.last(results.WireMirror); ok {
		m.Begin = momentOf(r)
		m.Client, m.Server, m.Start, m.How = r.Attrs["client"], r.Attrs["server"], r.Attrs["start"], r.Attrs["how"]
	}
	for _, name := range slices.Sorted(maps.Keys(l.byName)) {
		if exports := l.values(name, "export"); m.Export == "" && len(exports) > 0 {
			m.Export = exports[0]
		}
	}
	m.Encrypted = len(l.byName[results.WireMirrorEncrypted]) > 0
	m.First, m.Last = l.moment(results.WireMirrorFirst), l.moment(results.WireMirrorLast)
	m.Size = l.total(results.WireMirrorSize, results.Bytes, "the server did not tell")
	m.Distinct = l.total(results.WireMirrorDistinct, results.Bytes, why)
	m.Again = l.total(results.WireMirrorAgain, results.Bytes, why, "after", "")
	m.Dirtied = l.total(results.WireMirrorAgain, results.Bytes, why, "after", "write")
	m.Commands = l.commands()
	for _, c := range l.channels() {
		m.Bytes = c.Forward.Bytes
	}
	if !m.Bytes.Known {
		m.Bytes = quantity.Unknown(results.Bytes, "no channel's bytes were recorded")
	}
	m.Damage = l.damage()
	if m.Start == StartMiddle {
		l.note("the capture began after the connection did")
	}
	if m.Encrypted {
		l.note("TLS hides what was written")
	}
	m.Notes = l.notes
	return m
}

func (l *log) moment(name string) *Moment {
	r, ok := l.last(name)
	if !ok {
		return nil
	}
	m := momentOf(r)
	return &m
}

// commands lists the kinds of requests, those that change the export first.
func (l *log) commands() []MirrorCommand {
	list := []MirrorCommand{}
	for _, name := range []string{results.WireMirrorWrites, results.WireMirrorOther} {
		for _, command := range l.values(name, "command") {
			c := MirrorCommand{
				Command:    command,
				Requests:   l.total(name, results.One, "", "command", command),
				Bytes:      l.total(results.WireMirrorBytes, results.Bytes, "requests of this kind change nothing", "command", command),
				Unanswered: l.total(results.WireMirrorUnanswered, results.One, "it was not recorded: there was none, or answers are missing", "command", command),
				Errors:     l.stats(results.WireMirrorErrors, "error", results.One, command),
				Latency:    l.stats(results.WireMirrorLatency, "stat", results.Seconds, command),
			}
			list = append(list, c)
		}
	}
	return list
}

// stats collects a command's values by an attribute; nil if there is none.
func (l *log) stats(name, attr string, u results.Unit, command string) map[string]quantity.Quantity {
	var all map[string]quantity.Quantity
	for _, key := range l.values(name, attr, "command", command) {
		unit := u
		if key == "count" {
			unit = results.One
		}
		if all == nil {
			all = map[string]quantity.Quantity{}
		}
		all[key] = l.total(name, unit, "", "command", command, attr, key)
	}
	return all
}
