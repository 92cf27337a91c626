package timeline

import (
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// minFrames is how many frames a guest must send in the baseline for its silence to mean anything.
const minFrames = 10

// wire is the outage as the guest's frames at the switch show it.
//
// Let the guest send regularly, at intervals of about m. A gap of G between two of its frames can hide an outage from
// just after the first to just before the second, or one that begins and ends almost m later and earlier: the outage lies
// in (G − 2m, G), and G − m is its middle. So the value is G less the baseline's median gap; the bounds take the
// baseline's 95th percentile for m, because traffic is not quite regular.
//
// QEMU announces the guest at the destination with RARP frames that it sends itself (net/announce.c): they carry the
// guest's address but are no sign of the guest's life, so they end no gap. Gratuitous ARPs are the guest's own and do.
func (x *index) wire(o observation) Outage {
	if why := o.hidden(); why != "" {
		return noView(BlackoutWire, why)
	}
	frames := x.guestFrames()
	if len(frames) == 0 {
		why := "the capture at the switch saw no frame of the guest"
		if !x.captured() {
			why = "there was no capture at the switch"
		}
		return noView(BlackoutWire, why)
	}
	var spacing []int64
	for i := 1; i < len(frames); i++ {
		if frames[i-1].Time >= o.baseline.from && frames[i].Time <= o.baseline.to {
			spacing = append(spacing, frames[i].Time-frames[i-1].Time)
		}
	}
	if len(spacing)+1 < minFrames {
		return noView(BlackoutWire, fmt.Sprintf("the guest sent %d frames in the baseline: with fewer than %d, silence does not show an outage: let the echo probe run", len(spacing)+min(1, len(spacing)), minFrames))
	}
	slices.Sort(spacing)
	median, wide := quantile(spacing, 0.5)/1e9, quantile(spacing, 0.95)/1e9

	var gaps []gap
	for i := 1; i < len(frames); i++ {
		gaps = append(gaps, silence(frames[i-1].Time, frames[i].Time, median, wide))
	}
	if last := frames[len(frames)-1].Time; last < o.span.to {
		g := silence(last, o.span.to, median, wide)
		g.open, g.outage = true, quantity.AtLeast(g.outage.Low, results.Seconds, "the guest sent no frame again while it was observed")
		gaps = append(gaps, g)
	}
	out := view(BlackoutWire, gaps, o)
	if out.Known {
		out.Detail = append(out.Detail, x.aroundGap(frames, out.From, out.To)...)
		out.Detail = append(out.Detail, fmt.Sprintf("baseline gaps: median %s, 95th percentile %s", quantity.Duration(median), quantity.Duration(wide)))
	}
	return out
}

// hidden says why the switch does not see the guest on both sides of the action: frames between a guest and a client on the
// same host pass that host's bridge alone.
func (o observation) hidden() string {
	switch {
	case o.client == "source":
		return "the client runs on the source host: while the guest is there, their frames do not pass the switch"
	case o.client == "destination" && o.moved:
		return "the client runs on the destination host: once the guest is there, their frames do not pass the switch"
	}
	return ""
}

func silence(from, to int64, median, wide float64) gap {
	g := seconds(to - from)
	return gap{from: from, to: to, outage: quantity.Within(max(0, g-median), max(0, g-2*wide), g, results.Seconds)}
}

func noView(name, why string) Outage {
	q := quantity.Unknown(results.Seconds, why)
	return Outage{Name: name, Quantity: q, Raw: q, Floor: q}
}

type frameKey struct {
	time int64
	port string
}

// guestFrames are the frames that the guest itself sent, at the switch, in order.
func (x *index) guestFrames() []results.Record {
	forged := map[frameKey]bool{}
	for _, r := range x.byName[results.GuestAnnounce] {
		if r.Source == results.SourceCaptureSwitch && r.Attrs["kind"] == "rarp" {
			forged[frameKey{r.Time, r.Attrs["port"]}] = true
		}
	}
	var frames []results.Record
	for _, r := range x.byName[results.GuestFrame] {
		if r.Source == results.SourceCaptureSwitch && !forged[frameKey{r.Time, r.Attrs["port"]}] {
			frames = append(frames, r)
		}
	}
	return frames
}

// aroundGap says which frames bound a gap and which announcements fell into it.
func (x *index) aroundGap(frames []results.Record, from, to int64) []string {
	port := func(t int64) string {
		i, ok := slices.BinarySearchFunc(frames, t, func(r results.Record, t int64) int { return int(min(1, max(-1, r.Time-t))) })
		if !ok {
			return "none"
		}
		return frames[i].Attrs["port"]
	}
	list := []string{fmt.Sprintf("last frame at port %s, next at port %s", port(from), port(to))}
	counts := map[string]int{}
	for _, r := range x.in(results.GuestAnnounce, window{from, to}) {
		if r.Source == results.SourceCaptureSwitch {
			counts[r.Attrs["kind"]]++
		}
	}
	if n := counts["rarp"] + counts["garp"]; n > 0 {
		list = append(list, fmt.Sprintf("announcements within: %d RARP (the hypervisor's), %d gratuitous ARP (the guest's)", counts["rarp"], counts["garp"]))
	}
	return list
}
