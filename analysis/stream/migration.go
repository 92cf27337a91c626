package stream

import (
	"maps"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// What a migration's record says of how it began and ended.
const (
	StartHeader = "header"   // its first byte was seen
	StartMiddle = "middle"   // the capture began later
	HowComplete = "complete" // its end mark was read
	HowFin      = "fin"      // the connection was closed before
	HowReset    = "reset"    // the connection was reset before
	HowCut      = "cut"      // the capture ended before
)

// A Migration is one migration as its packets show it.
type Migration struct {
	Stream string `json:"stream"`           // numbers the migrations of a capture: "1", "2", …
	Format string `json:"format"`           // qemu, tls, unknown
	Start  string `json:"start,omitempty"`  // StartHeader, StartMiddle
	How    string `json:"how,omitempty"`    // how it ended: HowComplete, HowFin, HowReset, HowCut; "": not recorded
	Client string `json:"client,omitempty"` // source host, address:port
	Server string `json:"server,omitempty"` // destination host
	// Machine is the guest's machine type; "" if the stream did not tell.
	Machine string            `json:"machine,omitempty"`
	Options map[string]string `json:"options,omitempty"` // what else the stream tells of its configuration
	// Inferred: the stream could not be read; stages and edges are concluded from volumes, gaps and the guest's frames.
	Inferred bool `json:"inferred,omitempty"`

	Begin  Moment            `json:"begin"`  // first packet
	End    Moment            `json:"end"`    // last byte of either direction
	Wall   quantity.Quantity `json:"wall"`   // s: End − Begin
	Stages []Stage           `json:"stages"` // by their begin
	Phases []Phase           `json:"phases"` // add up to End − Begin
	// Downtime is from the guest's stop at the source to its start at the destination as packets show them, in s.
	Downtime quantity.Quantity `json:"downtime"`

	Rounds    []Round           `json:"rounds"`
	Pages     Pages             `json:"pages"`      // of the whole migration
	PageBytes Pages             `json:"page_bytes"` // B of stream that the page records took, heads included
	Total     quantity.Quantity `json:"total"`      // page records of all kinds
	PageSize  quantity.Quantity `json:"page_size"`  // B
	Syncs     quantity.Quantity `json:"syncs"`      // dirty bitmap synchronisations, as the hypervisor counts them
	Memory    quantity.Quantity `json:"memory"`     // B: sum of the RAM blocks
	Bytes     quantity.Quantity `json:"bytes"`      // B of TCP payload from source to destination, over the migration's own channels

	Channels []Channel `json:"channels"`
	Blocks   []Block   `json:"blocks,omitempty"`
	Devices  []Device  `json:"devices,omitempty"` // the largest first
	PostCopy *PostCopy `json:"postcopy,omitempty"`
	Damage   []Damage  `json:"damage,omitempty"`
	Bins     []Bin     `json:"bins,omitempty"` // payload over time, for drawing

	Notes []string `json:"notes,omitempty"`
}

// told are the attributes of a migration's record that have a field of their own.
var told = []string{"stream", "format", "start", "client", "server", "machine", "how", "inferred", "earliest", "latest", "page"}

func (l *log) migration() Migration {
	m := Migration{Stream: l.name, Format: "unknown"}
	l.describe(&m)
	m.Stages = l.stages()
	m.Begin, m.End = l.span(m.Stages)
	m.Wall = m.End.Since(m.Begin)
	m.Phases = m.phases()
	m.Downtime = m.downtime()

	m.Pages = l.byKind(results.WirePages, results.One)
	m.PageBytes = l.byKind(results.WirePageBytes, results.Bytes)
	m.Total = m.Pages.All()
	if !m.PageSize.Known {
		m.PageSize = pageSize(m.Pages, m.PageBytes)
	}
	m.Rounds = l.rounds(&m)
	l.stopUnproven(&m)
	m.Syncs = l.total(results.WireSyncs, results.One, "no synchronisation was told from the stream")
	m.Channels = l.channels()
	m.Bytes = payload(m.Channels)
	m.Blocks, m.Memory = l.blocks()
	m.Devices = l.devices()
	m.PostCopy = l.postCopy()
	m.Damage = l.damage()
	m.Bins = l.bins()
	m.Notes = l.remarks(&m)
	return m
}

// describe reads what was told of the migration as a whole. What is told later, such as the configuration, completes what
// was told first.
func (l *log) describe(m *Migration) {
	attrs := map[string]string{}
	for _, r := range slices.Concat(l.byName[results.WireMigration], l.byName[results.WireMigrationEnd]) {
		maps.Copy(attrs, r.Attrs)
		m.Inferred = m.Inferred || inferred(r)
	}
	if f := attrs["format"]; f != "" {
		m.Format = f
	}
	m.Start, m.How = attrs["start"], attrs["how"]
	m.Client, m.Server, m.Machine = attrs["client"], attrs["server"], attrs["machine"]
	if page, err := strconv.ParseInt(attrs["page"], 10, 64); err == nil && page > 0 {
		m.PageSize = quantity.Exactly(float64(page), results.Bytes)
	}
	for _, name := range told {
		delete(attrs, name)
	}
	if len(attrs) > 0 {
		m.Options = attrs
	}
}

// span is the migration's begin and its last byte, as far as they were seen. All stages lie between.
func (l *log) span(stages []Stage) (begin, end Moment) {
	all := l.edges()
	if len(all) == 0 {
		return begin, end
	}
	begin, end = all[0], all[0]
	if r := l.byName[results.WireMigration]; len(r) > 0 {
		begin = momentOf(r[0])
	}
	ended := false
	for _, s := range stages {
		if s.Begin.Time < begin.Time {
			begin = s.Begin
		}
		if s.Name == results.StageDone {
			end, ended = s.Begin, true
		}
	}
	if r, ok := l.last(results.WireMigrationEnd); ok && !ended {
		end, ended = momentOf(r), true
	}
	for _, e := range all {
		if e.Time > end.Time && !ended {
			end = e
		}
	}
	for _, s := range stages {
		if s.Begin.Time > end.Time {
			end = s.Begin
		}
	}
	if end.Time < begin.Time {
		end = begin
	}
	return begin, end
}

// edges are the moments of all records but the bins, which reach beyond what passed.
func (l *log) edges() []Moment {
	var all []Moment
	for _, name := range slices.Sorted(maps.Keys(l.byName)) {
		if name == results.WireBytes {
			continue
		}
		for _, r := range l.byName[name] {
			all = append(all, momentOf(r))
		}
	}
	return all
}

// remarks are what must be read beside the figures.
func (l *log) remarks(m *Migration) []string {
	if m.Start == StartMiddle {
		l.note("the capture began after the migration did: what passed before is in no count, and round numbers begin where the capture does")
	}
	switch m.How {
	case HowCut:
		l.note("the capture ended before the migration did: totals are as of then")
	case "":
		l.note("the end of the migration was not recorded: it is taken to end with the last record of it")
	}
	if m.Inferred {
		l.note("the stream could not be read: stages are inferred from volumes, gaps and the guest's own frames, within their bounds")
	}
	var lost float64
	for _, c := range m.Channels {
		lost += c.Forward.Missing.Value + c.Reverse.Missing.Value
	}
	if lost > 0 {
		l.note("%s passed and are not in the capture: counts marked ≥ are lower bounds", quantity.Scaled(lost, 0, results.Bytes))
	}
	return l.notes
}
