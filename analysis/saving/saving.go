// Package saving tells what each checkpoint of a guest took, and how it came back from one.
//
// A hypervisor knows no catalogue: what it records between a checkpoint's begin and its end belongs to it. The state in which a
// checkpoint is changes with each record, and the time between two is its phase, so phases add up from the begin to the end. A
// state whose end nobody recorded is not entered, and the time is unattributed.
package saving

import (
	"fmt"
	"strconv"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// The phases of a checkpoint.
const (
	Prepare = "prepare" // from the begin until the hypervisor does something
	Freeze  = "freeze"  // the guest was told to stop, and no memory is written yet
	Dump    = "dump"    // memory is written
	Disk    = "disk"    // the disk is copied
	Write   = "write"   // what the hypervisor wrote is brought into files
	Thaw    = "thaw"    // the guest was told to go on and does not yet
	Sync    = "sync"    // files and folder are brought to the disk
	Keep    = "keep"    // what follows, until it counts as kept
)

// Phases are all, in the order of a checkpoint that stops the guest.
var Phases = []string{Prepare, Freeze, Dump, Disk, Thaw, Write, Sync, Keep, edges.Unattributed}

// A Report is all that was saved, and brought back.
type Report struct {
	Checkpoints []Checkpoint `json:"checkpoints"`
	Restores    []Restore    `json:"restores,omitempty"`
	Verified    float64      `json:"verified"` // B read back and found as written
	Pruned      int          `json:"pruned"`
	Skipped     int          `json:"skipped,omitempty"` // periods that had none: the one before was under way
	Damaged     []string     `json:"damaged,omitempty"` // on purpose
	Refused     []string     `json:"refused,omitempty"` // why a restore was
}

// A Checkpoint is one, or an attempt at one.
type Checkpoint struct {
	N           int    `json:"n"`
	ID          string `json:"id"`
	Mode        string `json:"mode"`
	Format      string `json:"format"`
	To          string `json:"to"`
	Compression string `json:"compression"`
	DiskKind    string `json:"disk"` // full, incremental, none
	Failed      string `json:"failed,omitempty"`

	Begin  edges.Edge   `json:"begin"`
	End    edges.Edge   `json:"end"` // of the action, if it did not end
	Open   bool         `json:"open,omitempty"`
	Phases []edges.Span `json:"phases"`
	Notes  []string     `json:"notes,omitempty"`
	// Stopped is when the guest stood still, from the first stop to the last resume; nil if it did not, or that is not known.
	Stopped *edges.Span `json:"stopped,omitempty"`

	Total    quantity.Quantity `json:"total"`    // s
	Downtime quantity.Quantity `json:"downtime"` // s, all stops together
	Raw      quantity.Quantity `json:"raw"`      // B before compression
	Written  quantity.Quantity `json:"written"`  // B in files
	Ratio    quantity.Quantity `json:"ratio"`    // 1: raw over written
	Rate     quantity.Quantity `json:"rate"`     // B/s: written, from the dump's begin until all is in files
	DiskSize quantity.Quantity `json:"disk_bytes"`
}

// Build finds the checkpoints and restores within w.
func Build(log *edges.Log, w edges.Window) *Report {
	r := &Report{}
	begins := log.In(results.CheckpointBegin, w)
	for i, b := range begins {
		until := w.To
		if i+1 < len(begins) {
			until = begins[i+1].Time
		}
		r.Checkpoints = append(r.Checkpoints, read(log, b, edges.Window{From: b.Time, To: until}))
	}
	r.Restores = restores(log, w)
	for _, v := range log.In(results.CheckpointVerified, w) {
		r.Verified += v.Value
	}
	r.Skipped = len(log.In(results.CheckpointSkipped, w))
	r.Pruned = len(log.In(results.CheckpointPruned, w))
	for _, d := range log.In(results.CheckpointDamaged, w) {
		r.Damaged = append(r.Damaged, fmt.Sprintf("%s of %s at %s B", d.Attrs["kind"], d.Attrs["file"], d.Attrs["offset"]))
	}
	for _, d := range log.In(results.CheckpointRefused, w) {
		r.Refused = append(r.Refused, d.Attrs["error"])
	}
	return r
}

// events are those that change a checkpoint's state.
var events = []string{
	results.CheckpointBegin, results.CheckpointFreeze, results.CheckpointDump, results.CheckpointDumped, results.CheckpointDisk,
	results.CheckpointDiskDone, results.CheckpointThaw, results.VMResume, results.CheckpointWritten, results.CheckpointSynced,
}

// read is one checkpoint; w ends with the next, or with the action.
func read(log *edges.Log, b results.Record, w edges.Window) Checkpoint {
	n, _ := strconv.Atoi(b.Attrs["n"])
	c := Checkpoint{
		N: n, ID: b.Attrs["checkpoint"], Mode: b.Attrs["mode"], Format: b.Attrs["format"], To: b.Attrs["to"],
		Compression: b.Attrs["compression"], DiskKind: b.Attrs["disk"], Begin: log.Edge(b), Open: true,
	}
	c.End = edges.Edge{Time: w.To, Host: b.Host, What: "the observation's end"}
	if end := log.In(results.CheckpointEnd, w); len(end) > 0 {
		c.End, c.Open, c.Failed = log.Edge(end[0]), false, end[0].Attrs["error"]
		w.To = c.End.Time
	}
	c.phase(log, w)
	c.stand(log, w)
	c.measure(log, w)
	return c
}

// A state of a checkpoint: what was entered, and not left.
type state struct{ frozen, dump, dumped, disk, thawing, written, synced bool }

func (s state) phase() string {
	switch {
	case s.thawing:
		return Thaw
	case s.disk:
		return Disk
	case s.dump:
		return Dump
	case s.synced:
		return Keep
	case s.written:
		return Sync
	case s.dumped:
		return Write
	case s.frozen:
		return Freeze
	}
	return Prepare
}

// enter takes a record in.
func (s *state) enter(name string, ends map[string]bool) {
	switch name {
	case results.CheckpointFreeze:
		s.frozen = true
	case results.CheckpointDump:
		s.dump = ends[results.CheckpointDumped]
	case results.CheckpointDumped:
		s.dump, s.dumped = false, true
	case results.CheckpointDisk:
		s.disk = ends[results.CheckpointDiskDone]
	case results.CheckpointDiskDone:
		s.disk = false
	case results.CheckpointThaw:
		s.thawing = ends[results.VMResume]
	case results.VMResume:
		s.thawing = false
	case results.CheckpointWritten:
		s.written = true
	case results.CheckpointSynced:
		s.synced = true
	}
}

// phase cuts the checkpoint where its state changes.
func (c *Checkpoint) phase(log *edges.Log, w edges.Window) {
	list := log.All(w, events...)
	var spans []edges.Span
	var s state
	at := c.Begin
	for i, r := range list {
		after := map[string]bool{}
		for _, later := range list[i+1:] {
			after[later.Name] = true
		}
		e := log.Edge(r)
		before := s.phase()
		s.enter(r.Name, after)
		if s.phase() == before || e.Time < at.Time {
			continue
		}
		if e.Time > at.Time {
			spans = append(spans, edges.Span{Name: before, Start: at, End: e})
		}
		at = e
	}
	last := s.phase()
	switch {
	case c.Failed != "" || c.Open:
		last = edges.Unattributed // what it was about when it ended is not known
	case last == Keep || last == Prepare && len(list) < 2:
	default:
		c.Notes = append(c.Notes, fmt.Sprintf("%s has no end: nobody recorded what follows it", last))
		last = edges.Unattributed
	}
	if c.End.Time > at.Time {
		spans = append(spans, edges.Span{Name: last, Start: at, End: c.End})
	}
	c.Phases, _ = edges.Attribute(c.Begin, c.End, spans)
}

// stand adds up when the guest stood still within the checkpoint.
func (c *Checkpoint) stand(log *edges.Log, w edges.Window) {
	var stops []quantity.Quantity
	var stop *edges.Edge
	var from, to *edges.Edge
	for _, r := range log.All(w, results.VMStop, results.VMResume) {
		e := log.Edge(r)
		switch {
		case r.Name == results.VMStop && stop == nil:
			stop = &e
			if from == nil {
				from = &e
			}
		case r.Name == results.VMResume && stop != nil:
			stops = append(stops, edges.Between(*stop, e))
			stop, to = nil, &e
		}
	}
	switch {
	case stop != nil && (c.Failed != "" || c.Open):
		c.Downtime = quantity.Unknown(results.Seconds, "the checkpoint ended before the guest ran again")
	case stop != nil:
		c.Downtime = quantity.AtLeast(float64(max(0, c.End.Time-stop.Time))/1e9, results.Seconds, "the guest did not run again before the checkpoint ended")
	default:
		c.Downtime = quantity.Sum(stops, results.Seconds, "no hypervisor reported that the guest stopped")
	}
	if from != nil && to != nil && stop == nil {
		c.Stopped = &edges.Span{Name: "stopped", Start: *from, End: *to}
	}
}

// measure reads the sizes.
func (c *Checkpoint) measure(log *edges.Log, w edges.Window) {
	c.Total = edges.Between(c.Begin, c.End)
	if c.Failed != "" || c.Open {
		c.Total = quantity.AtLeast(c.Total.Value, results.Seconds, "the checkpoint was not kept: "+orElse(c.Failed, "it did not end while it was observed"))
	}
	size := func(name, attr, why string) quantity.Quantity {
		for _, r := range log.In(name, w) {
			if b, ok := edges.Number(r, attr); ok {
				return quantity.Exactly(b, results.Bytes)
			}
		}
		return quantity.Unknown(results.Bytes, why)
	}
	c.Written = size(results.CheckpointWritten, "bytes", "nobody said how much was written")
	c.Raw = size(results.CheckpointWritten, "raw", "nobody said how much it was before compression")
	c.DiskSize = size(results.CheckpointDiskDone, "bytes", "no disk was saved")
	c.Ratio = quantity.Unknown(results.One, orElse(c.Written.Why, c.Raw.Why))
	if c.Written.Known && c.Raw.Known && c.Written.Value > 0 {
		c.Ratio = quantity.Exactly(c.Raw.Value/c.Written.Value, results.One)
	}
	dump, written := log.In(results.CheckpointDump, w), log.In(results.CheckpointWritten, w)
	c.Rate = quantity.Unknown(results.BytesPerSecond, "nobody recorded when writing began and ended")
	if len(dump) > 0 && len(written) > 0 {
		c.Rate = quantity.Rate(c.Written, edges.Between(log.Edge(dump[0]), log.Edge(written[0])), results.BytesPerSecond)
	}
}

// Phase is how long the phase of a name took.
func (c *Checkpoint) Phase(name string) quantity.Quantity { return phase(c.Phases, name) }

func phase(spans []edges.Span, name string) quantity.Quantity {
	var list []quantity.Quantity
	for _, p := range spans {
		if p.Name == name {
			list = append(list, edges.Between(p.Start, p.End))
		}
	}
	if len(list) == 0 && name == edges.Unattributed && len(spans) > 0 {
		return quantity.Exactly(0, results.Seconds)
	}
	return quantity.Sum(list, results.Seconds, "it went through no such phase, or nobody recorded it")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
