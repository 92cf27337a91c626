package spec

import (
	"fmt"
	"slices"
)

const (
	maxBlock = Bytes(16 << 20)
	// The load protocol's lengths have 4 B; far less is a sensible request or value.
	maxMessage = Bytes(16 << 20)
	maxValue   = Bytes(16 << 20)

	minStream Rate = 1000     // B/s: below, a datagram of 1 kB comes less than once a second
	maxStream Rate = 10e9 / 8 // B/s: the guest takes no request for more, and would send nothing
)

func (c *checker) workload() {
	w := c.e.Workload
	if w.Kind == "mix" {
		c.mix()
	}
	if w.Has("dirty") {
		c.dirty()
	}
	if w.Has("replay") {
		c.replay()
	}
	if w.Has("dirty") || w.Has("replay") {
		c.writes()
	}
	if w.Has("disk") && c.e.Guest.Disk != nil {
		c.diskLoad()
	}
}

// mix checks the kinds that run at once.
func (c *checker) mix() {
	w := c.e.Workload
	const path = "workload.mix"
	if w.Mix == "" {
		c.want("want workload.mix with it: the kinds that run at once, such as dirty+kv", path, "workload.kind")
		return
	}
	parts := w.Parts()
	kinds, _ := grammar().at("workload.kind")
	known := slices.DeleteFunc(slices.Clone(kinds.enum), func(k string) bool { return k == "mix" || k == "idle" })
	for i, p := range parts {
		if !slices.Contains(known, p) {
			c.want(fmt.Sprintf("want kinds joined by +, such as dirty+kv, of %s; %q is none%s", oneOf(known), shorten(p), didYouMean(p, known)), path)
			return
		}
		if slices.Contains(parts[:i], p) {
			c.want("want each kind once; "+p+" is there twice", path)
			return
		}
	}
	serving := slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return !slices.Contains(clients, p) })
	switch {
	case len(parts) < 2:
		c.want("want at least two kinds joined by +, such as dirty+kv, or workload.kind: "+parts[0], path)
	case w.Has("dirty") && w.Has("replay"):
		c.want("want dirty or replay, not both: they share workload.working-set, and what they write is one figure", path)
	case len(serving) > 1:
		c.want("want one of "+oneOf(serving)+": a trial has one client, and its figures are not merged", path)
	}
}

func (c *checker) dirty() {
	w := c.e.Workload
	switch {
	case !c.set("workload.rate") && w.Rate == 0:
		c.want("want workload.rate with it: how fast dirty writes memory, such as 8MiB/s", "workload.kind", "workload.rate")
	case w.Rate < page:
		c.want("want at least 4KiB/s: one page a second", "workload.rate", "workload.kind")
	}
}

// writes checks how dirty and replay write.
func (c *checker) writes() {
	w := c.e.Workload
	if w.WorkingSet < page || w.WorkingSet%page != 0 {
		c.want("want whole pages of 4KiB, at least one", "workload.working-set")
	}
	if w.WriteSize < page || w.WriteSize%page != 0 {
		c.want("want whole pages of 4KiB, at least one", "workload.write-size")
	} else if w.WriteSize > w.WorkingSet {
		c.want(fmt.Sprintf("want at most workload.working-set (%s)", w.WorkingSet), "workload.write-size", "workload.working-set")
	}
	if w.DeltaSize < 1 || w.DeltaSize > page {
		c.want("want from 1B to 4KiB, which is all of a page", "workload.delta-size")
	}
}

func (c *checker) replay() {
	w := c.e.Workload
	if w.Trace == "" {
		c.want("want workload.trace with it: "+traceWant, "workload.trace", "workload.kind")
		return
	}
	points, err := w.TracePoints()
	switch {
	case err != nil:
		c.want(err.Error(), "workload.trace")
	case !Writes(points):
		c.want("want a rate above 0, of any but the last time; without one the workload is idle", "workload.trace")
	}
}

// diskLoad checks what writes the guest's disk.
func (c *checker) diskLoad() {
	d, size := c.e.Workload.Disk, c.e.Guest.Disk.Size
	const at = "workload.disk."
	if d.Rate < page {
		c.want("want at least 4KiB/s", at+"rate")
	}
	if d.Block < page || d.Block > maxBlock || d.Block%page != 0 { // the guest verifies its disk in pages
		c.want(fmt.Sprintf("want whole pages of 4KiB, at most %s", maxBlock), at+"block")
		return
	}
	switch area := orElse(d.Area, size); {
	case area > size:
		c.want(fmt.Sprintf("want at most guest.disk.size (%s)", size), at+"area", "guest.disk.size")
	case area < d.Block:
		c.want(fmt.Sprintf("want at least workload.disk.block (%s), or 0 for all of the disk", d.Block), at+"area", at+"block", "guest.disk.size")
	}
}

// load checks what the client asks.
func (c *checker) load() {
	w := c.e.Workload
	size := func(path string, b, least, most Bytes) {
		if b < least || b > most {
			c.want(fmt.Sprintf("want from %s to %s", least, most), path)
		}
	}
	switch w.Serves() {
	case "net":
		const at = "workload.net."
		switch w.Net.Kind {
		case "request":
			size(at+"request-size", w.Net.RequestSize, 1, maxMessage)
			size(at+"response-size", w.Net.ResponseSize, 1, maxMessage)
		case "stream":
			if w.Net.Rate < minStream || w.Net.Rate > maxStream {
				c.want(fmt.Sprintf("want from %s to %s", minStream, maxStream), at+"rate")
			}
			if w.Net.PlayerBuffer <= 0 {
				c.want("want more than 0: a player without a buffer stalls at every datagram", at+"player-buffer")
			}
		}
	case "kv", "redis":
		size("workload.kv.value-size", w.KV.ValueSize, 1, maxValue)
	}
}
