package qemu

import (
	"maps"
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A Migration decodes the channels of one migration. It is not safe for concurrent use: its channels must be fed from one
// goroutine, in the order of the capture. Nothing needs closing; End must be called last.
type Migration struct {
	config Config
	rec    results.Recorder
	base   map[string]string // attrs of every record

	ledger ledger
	faults faults
	past   history // of the main channel's way forward

	main     *mainChannel
	back     *returnPath
	preempt  *preemptChannel
	multifds []*multifdChannel

	stage     string
	stopped   bool
	posted    bool // the guest was told to run at the destination
	stopAt    int  // epoch at which it stopped
	torn      bool // bytes are missing behind the stop
	described bool // the stream describes the devices, as it does not in post-copy
	asked     bool // the destination asked for pages
	// stopStamp is when the guest stopped, at the earliest.
	stopStamp tcp.Stamp
	machine   string
	options   map[string]string

	devices   []Device
	damages   int
	announced bool
	held      []results.Record
	ended     bool
	complete  bool // the end mark was read
	shutAt    tcp.Stamp
	shut      bool
	refused   bool
}

// New begins to decode a migration, and records into rec. Rec must not be nil.
func New(c Config, rec results.Recorder) *Migration {
	m := &Migration{config: c, rec: rec, base: map[string]string{}, options: map[string]string{}}
	if c.Stream != "" {
		m.base["stream"] = c.Stream
	}
	m.ledger.size = defaultPage
	m.ledger.window = c.DowntimeLimit
	if c.DowntimeLimit <= 0 {
		m.ledger.window = defaultDowntime
	}
	m.ledger.began = m.roundBegan
	m.main = newMain(m)
	m.back = newReturn(m)
	return m
}

// Main takes the main channel's bytes from source to destination.
func (m *Migration) Main() tcp.Consumer { return m.main }

// Return takes the main channel's bytes from destination to source.
func (m *Migration) Return() tcp.Consumer { return m.back }

// Multifd takes one more channel that begins as Sniff calls MultifdChannel, from source to destination. Each call makes one.
func (m *Migration) Multifd() tcp.Consumer {
	c := newMultifd(m, len(m.multifds))
	m.multifds = append(m.multifds, c)
	m.ledger.ordered = false
	return c
}

// Preempt takes the post-copy preempt channel's bytes from source to destination.
func (m *Migration) Preempt() tcp.Consumer {
	if m.preempt == nil {
		m.preempt = newPreempt(m)
	}
	return m.preempt
}

// Shut is when the return path's SHUT passed: the destination has loaded everything and the guest runs there. False: not seen.
func (m *Migration) Shut() (tcp.Stamp, bool) { return m.shutAt, m.shut }

// Refused reports whether the return path's SHUT said that the destination failed: the guest does not run there.
func (m *Migration) Refused() bool { return m.refused }

// Complete reports whether the stream's end mark was read.
func (m *Migration) Complete() bool { return m.complete }

// Stage is the one of results.Stage… that the stream is in; "" before its first byte.
func (m *Migration) Stage() string { return m.stage }

// Rounds are the rounds so far; the last may go on. Counts of a round that goes on are as of now.
func (m *Migration) Rounds() []Round {
	out := make([]Round, len(m.ledger.rounds))
	for i := range m.ledger.rounds {
		r := &m.ledger.rounds[i]
		if i >= m.ledger.settled {
			m.ledger.sum(r)
		}
		out[i] = r.clone()
	}
	return out
}

// Pages are the page records so far, by results.Page….
func (m *Migration) Pages() map[string]int64 {
	t := m.ledger.totals()
	return byKind(t.pages)
}

// PageBytes are their B of stream, heads included.
func (m *Migration) PageBytes() map[string]int64 {
	t := m.ledger.totals()
	return byKind(t.bytes)
}

func byKind(n [kinds]int64) map[string]int64 {
	out := map[string]int64{}
	for k, v := range n {
		if v > 0 {
			out[kindNames[k]] = v
		}
	}
	return out
}

// Twice are the page records whose page had just passed, with no synchronisation in between. QEMU 7.2 with multifd sends some:
// a race in multifd_queue_page queues a page again; its own counter of normal pages holds such a page once.
func (m *Migration) Twice() int64 { return m.ledger.twice }

// Devices are the devices' states so far.
func (m *Migration) Devices() []Device { return append([]Device(nil), m.devices...) }

// AtLeast reports whether counts are lower bounds, since bytes are missing or were not understood.
func (m *Migration) AtLeast() bool { return m.ledger.lost }

// Damages is how often decoding failed.
func (m *Migration) Damages() int { return m.damages }

// Syncs are the dirty bitmap synchronisations that the stream proves, as QEMU counts them in dirty-sync-count: one at the
// start, those that pages prove, and at the stop two (migration_iteration_run's last look, and ram_save_complete's) or, into post-copy,
// one (ram_postcopy_send_discard_bitmap). QEMU makes more that leave no trace: whenever what is left to send falls below what
// downtime-limit allows, which a guest that goes on dirtying can do after every section. So this is a lower bound.
func (m *Migration) Syncs() int64 {
	if len(m.ledger.rounds) == 0 {
		return 0
	}
	n := int64(1 + m.ledger.proven)
	for _, r := range m.ledger.rounds {
		switch r.How {
		case howFinal:
			n += 2
			if m.mayBePosted() {
				n--
			}
		case howPostCopy:
			n++
		}
	}
	return n
}

// mayBePosted reports whether the guest may have been told to run before everything was sent, by a command that is missing.
func (m *Migration) mayBePosted() bool {
	if m.asked || m.described {
		return m.asked
	}
	unsure := m.torn || m.ledger.lost && !m.stopped
	possible := m.main.advised || m.options["start"] == startMiddle || !m.ledger.blocks.told
	return !m.posted && unsure && possible
}

// Undecoded is how many B consumer was given and could not decode.
func (m *Migration) Undecoded(consumer tcp.Consumer) int64 {
	switch c := consumer.(type) {
	case *mainChannel:
		return c.undecoded
	case *returnPath:
		return c.undecoded
	case *preemptChannel:
		return c.undecoded
	case *multifdChannel:
		return c.undecoded
	}
	return 0
}

// Name is the name of consumer's channel: main, preempt or multifd-<id>.
func (m *Migration) Name(consumer tcp.Consumer) string {
	switch c := consumer.(type) {
	case *preemptChannel:
		return "preempt"
	case *multifdChannel:
		return c.name()
	}
	return "main"
}

// announce records the migration's begin with all that its setup tells, and what was recorded in the meantime.
func (m *Migration) announce() {
	if m.announced || !m.main.begun {
		return
	}
	m.announced = true
	a := maps.Clone(m.base)
	maps.Copy(a, m.options)
	if m.machine != "" {
		a["machine"] = m.machine
	}
	if m.config.Client.IsValid() {
		a["client"] = m.config.Client.String()
	}
	if m.config.Server.IsValid() {
		a["server"] = m.config.Server.String()
	}
	a["page"] = strconv.FormatInt(m.ledger.size, 10)
	if len(m.multifds) > 0 {
		a["multifd"] = strconv.Itoa(len(m.multifds))
	}
	m.rec.Record(results.Record{Time: m.main.beganAt.Time, Host: m.config.Host, Source: results.SourceWire, Name: results.WireMigration, Attrs: a})
	for _, r := range m.held {
		m.rec.Record(r)
	}
	m.held = nil
}

// record sends one record. Those of the setup are held until the migration was announced.
func (m *Migration) record(at tcp.Stamp, name string, value float64, unit results.Unit, attrs ...string) {
	a := maps.Clone(m.base)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			a[attrs[i]] = attrs[i+1]
		}
	}
	r := results.Record{Time: at.Time, Host: m.config.Host, Source: results.SourceWire, Name: name, Value: value, Unit: unit, Attrs: a}
	if !m.announced && len(m.held) < maxHeld {
		m.held = append(m.held, r)
		return
	}
	m.rec.Record(r)
}

func atLeast(lost bool) string {
	if lost {
		return "true"
	}
	return ""
}

func stampAttr(at tcp.Stamp) string {
	if at == (tcp.Stamp{}) {
		return ""
	}
	return strconv.FormatInt(at.Time, 10)
}

// enter begins a stage, once.
func (m *Migration) enter(stage string, at, earliest tcp.Stamp) {
	if m.stage == stage {
		return
	}
	m.stage = stage
	if stage != results.StageSetup {
		m.announce()
	}
	attrs := []string{"stage", stage}
	if earliest != (tcp.Stamp{}) && earliest.Time < at.Time {
		attrs = append(attrs, "earliest", stampAttr(earliest), "latest", stampAttr(at))
	}
	m.record(at, results.WireStage, 0, results.Event, attrs...)
}

// damage says that a stream makes no sense, or misses bytes.
func (m *Migration) damage(channel, dir string, offset int64, at tcp.Stamp, detail string) {
	m.ledger.lost = true
	m.note(channel, dir, offset, at, detail)
}

// note records something odd that costs no page.
func (m *Migration) note(channel, dir string, offset int64, at tcp.Stamp, detail string) {
	m.announce()
	m.damages++
	if m.damages > maxDamages {
		return
	}
	m.record(at, results.WireDamage, 0, results.Event, "channel", channel, "dir", dir,
		"offset", strconv.FormatInt(offset, 10), "packet", strconv.FormatInt(at.Packet, 10), "detail", detail)
}

// maxHeld bounds the records of a setup: its blocks.
const maxHeld = 2 * maxBlocks

// maxDamages is how many damages are recorded; Damages counts on.
const maxDamages = 1000

func (m *Migration) resync(channel, dir string, offset, skipped int64, at tcp.Stamp) {
	if m.damages > maxDamages {
		return
	}
	m.record(at, results.WireResync, 0, results.Event, "channel", channel, "dir", dir,
		"offset", strconv.FormatInt(offset, 10), "packet", strconv.FormatInt(at.Packet, 10), "skipped", strconv.FormatInt(skipped, 10))
}
