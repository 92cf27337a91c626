package stream

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"virtscope/results"
)

// Format is the version of the form in which a Capture is marshalled.
const Format = 1

// A Capture is what packets show of migrations and of their guests. As JSON it holds base units only: instants in ns since the
// Unix epoch (keys that end in _ns, and t, earliest, latest), all else in the unit that stands beside the value (s, B, B/s, 1, 1/s).
type Capture struct {
	Format     int         `json:"format"`
	Migrations []Migration `json:"migrations"` // in the order in which they begin
	Mirrors    []Mirror    `json:"mirrors"`    // storage over NBD, one a connection
	Guests     []Guest     `json:"guests"`     // by MAC
	Notes      []string    `json:"notes,omitempty"`
}

// Build collects the records of source wire; others are ignored. They may come in any order, and are not changed; where a sum
// was recorded twice, the later one counts. Records that cannot be (a time before 1970, a negative count, an attribute that should
// be a number and is none) are an error.
func Build(records []results.Record) (*Capture, error) {
	c := &Capture{Format: Format, Migrations: []Migration{}, Mirrors: []Mirror{}, Guests: []Guest{}}
	streams, guests, err := group(records)
	if err != nil {
		return nil, fmt.Errorf("read records of the wire: %w", err)
	}
	for _, s := range streams {
		if s.mirrors() {
			c.Mirrors = append(c.Mirrors, s.mirror())
			continue
		}
		c.Migrations = append(c.Migrations, s.migration())
	}
	slices.SortStableFunc(c.Migrations, func(a, b Migration) int { return cmp.Compare(a.Begin.Time, b.Begin.Time) })
	for _, g := range guests {
		c.Guests = append(c.Guests, g.guest(c.Migrations))
	}
	if len(c.Migrations)+len(c.Mirrors) == 0 {
		c.Notes = append(c.Notes, "no connection carries what looks like a migration")
	}
	return c, nil
}

// group sorts the records by stream and by guest, each in the order of time.
func group(records []results.Record) (streams []*log, guests []*log, err error) {
	all := map[string]*log{}
	for i := range records {
		r := records[i]
		if r.Source != results.SourceWire {
			continue
		}
		if err := check(r); err != nil {
			return nil, nil, fmt.Errorf("record %d: %w", i+1, err)
		}
		key := "stream " + r.Attrs["stream"]
		if mac := r.Attrs["mac"]; mac != "" && r.Attrs["stream"] == "" {
			key = "guest " + mac
		}
		if key == "stream " {
			continue // such as what the probe says of itself
		}
		l := all[key]
		if l == nil {
			l = &log{name: r.Attrs["stream"], mac: r.Attrs["mac"], byName: map[string][]results.Record{}}
			all[key] = l
			if l.name != "" {
				streams = append(streams, l)
			} else {
				guests = append(guests, l)
			}
		}
		l.byName[r.Name] = append(l.byName[r.Name], r)
	}
	for _, l := range all {
		for _, list := range l.byName {
			slices.SortStableFunc(list, func(a, b results.Record) int { return cmp.Compare(a.Time, b.Time) })
		}
	}
	slices.SortFunc(streams, func(a, b *log) int {
		x, _ := strconv.Atoi(a.name)
		y, _ := strconv.Atoi(b.name)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.name, b.name))
	})
	slices.SortFunc(guests, func(a, b *log) int { return cmp.Compare(a.mac, b.mac) })
	return streams, guests, nil
}
