package stream

import (
	"math"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Guest is a station of the network that is, or was taken for, a virtual machine.
type Guest struct {
	MAC       string         `json:"mac"`
	How       string         `json:"how,omitempty"` // how it was told: announced, moved, asked
	Announced []Announcement `json:"announced,omitempty"`
	Last      *Sighting      `json:"last,omitempty"`  // its last frame behind the old port
	First     *Sighting      `json:"first,omitempty"` // its first frame behind the new port
	// Around is its longest silence around the switch-over, Elsewhere the longest of the rest: what is not above that may
	// be noise. Nil where none was seen.
	Around    *Silence `json:"around,omitempty"`
	Elsewhere *Silence `json:"elsewhere,omitempty"`
	// Outage is the length of Around in s; Floor that of Elsewhere.
	Outage quantity.Quantity `json:"outage"`
	Floor  quantity.Quantity `json:"floor"`
	// Relearning is from its first frame behind the new port to the last frame for it that still went to the old one, in s;
	// Stale is how many did.
	Relearning quantity.Quantity `json:"relearning"`
	Stale      quantity.Quantity `json:"stale"`
	Notes      []string          `json:"notes,omitempty"`
}

// An Announcement is a frame that tells the network where the guest is.
type Announcement struct {
	Time int64  `json:"t"`    // ns since the Unix epoch
	Kind string `json:"kind"` // rarp (the hypervisor's), garp (the guest's)
	Port string `json:"port,omitempty"`
}

// A Sighting is one frame of a guest.
type Sighting struct {
	Moment
	Port string `json:"port,omitempty"`
}

// A Silence is the time between two frames of a guest.
type Silence struct {
	From int64  `json:"from_ns"` // ns since the Unix epoch
	To   int64  `json:"to_ns"`
	Port string `json:"port,omitempty"` // where the frame before passed
	Next string `json:"next,omitempty"` // where the frame after passed
}

// Length of the silence in ns.
func (s Silence) Length() int64 { return s.To - s.From }

func (l *log) guest(migrations []Migration) Guest {
	g := Guest{MAC: l.mac}
	if r, ok := l.last(results.WireGuest); ok {
		g.How = r.Attrs["how"]
	}
	for _, r := range l.byName[results.WireGuestAnnounce] {
		g.Announced = append(g.Announced, Announcement{r.Time, r.Attrs["kind"], r.Attrs["port"]})
	}
	g.Last, g.First = l.sighting(results.WireGuestLast), l.sighting(results.WireGuestFirst)
	l.silences(&g, migrations)
	g.Relearning = quantity.Unknown(results.Seconds, "no frame for it was seen at the old port after it had moved")
	g.Stale = quantity.Unknown(results.One, g.Relearning.Why)
	if r, ok := l.last(results.WireGuestStale); ok {
		r.Unit = results.Seconds
		g.Relearning, g.Stale = sum(r), quantity.Exactly(float64(number(r, "frames")), results.One)
	}
	g.Notes = l.notes
	return g
}

func (l *log) sighting(name string) *Sighting {
	r, ok := l.last(name)
	if !ok {
		return nil
	}
	return &Sighting{momentOf(r), r.Attrs["port"]}
}

// silences finds the longest silence that meets the switch-over, and the longest that does not.
func (l *log) silences(g *Guest, migrations []Migration) {
	from, to, ok := g.switchOver(migrations)
	for _, r := range l.byName[results.WireGuestSilence] {
		s := Silence{From: r.Time, To: r.Time + int64(math.Round(min(r.Value, maxTime/1e9)*1e9)), Port: r.Attrs["port"], Next: r.Attrs["next"]}
		best := &g.Elsewhere
		if ok && s.To > from && s.From < to {
			best = &g.Around
		}
		if *best == nil || s.Length() > (*best).Length() {
			*best = &s
		}
	}
	g.Outage = quantity.Unknown(results.Seconds, "no two frames of it enclose the switch-over")
	if !ok {
		g.Outage.Why = "nothing shows when it moved: it sent no announcement, and no migration stopped a guest"
	}
	if g.Around != nil {
		g.Outage = quantity.Exactly(seconds(g.Around.Length()), results.Seconds)
	}
	g.Floor = quantity.Unknown(results.Seconds, "no silence apart from the switch-over was recorded")
	if g.Elsewhere != nil {
		g.Floor = quantity.Exactly(seconds(g.Elsewhere.Length()), results.Seconds)
	}
}

// near is how far an announcement may be from a migration that it belongs to, in ns.
const near = 10e9

// switchOver is when the guest was moved: between its last frame here and its first there; else between the stop and the start
// of the migration that is nearest to its first announcement; else at that announcement.
func (g *Guest) switchOver(migrations []Migration) (from, to int64, ok bool) {
	if g.Last != nil && g.First != nil && g.Last.Time <= g.First.Time {
		return g.Last.Time, g.First.Time, true
	}
	best := int64(math.MaxInt64)
	for i := range migrations {
		m := &migrations[i]
		stop := m.stage(results.StageStopCopy)
		if stop == nil {
			continue
		}
		end := m.End
		if run := m.stage(results.StageRunning); run != nil && run.Time >= stop.Time {
			end = *run
		}
		far := int64(0)
		if len(g.Announced) > 0 {
			far = max(stop.Earliest-g.Announced[0].Time, g.Announced[0].Time-end.Latest, 0)
		}
		if far < best && far <= near {
			best, from, to, ok = far, stop.Earliest, end.Latest, true
		}
	}
	if !ok && len(g.Announced) > 0 {
		return g.Announced[0].Time, g.Announced[0].Time, true
	}
	return from, to, ok
}
