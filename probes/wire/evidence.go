package wire

import (
	"strconv"
	"virtscope/probes/wire/station"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// Evidence is what shows that the guest runs at the destination. The destination can not resume it before the last byte
// that it needs has passed, and each sign follows the resume or, as RARP does, comes just before: QEMU announces the guest
// and starts it in one go (process_incoming_migration_bh, loadvm_postcopy_handle_run_bh).
type evidence struct {
	stopped bool
	sent    int64 // when the last byte that the destination needs had passed; 0: not yet
	sign    string
	at      tcp.Stamp // the earliest sign after that
}

// closeSign is the weakest sign: a destination that fails to load what it got closes the connection, too, and says so on
// the return path alone, where there is one.
const closeSign = "the close of the connection, which a failed destination closes as well"

// note learns from the decoder how far the migration is.
func (e *evidence) note(r results.Record) {
	if r.Name != results.WireStage {
		return
	}
	switch r.Attrs["stage"] {
	case results.StageStopCopy:
		e.stopped = true
	case results.StageSwitchOver, results.StagePostCopy:
		if e.sent == 0 {
			e.sent = r.Time
			if at, err := strconv.ParseInt(r.Attrs["earliest"], 10, 64); err == nil {
				e.sent = at
			}
		}
	}
}

// runs takes a sign that the guest runs at the destination.
func (m *migration) runs(sign string, at tcp.Stamp) {
	e := &m.evidence
	if e.sent == 0 || at.Time < e.sent || e.sign != "" && e.at.Time <= at.Time {
		return
	}
	e.sign, e.at = sign, at
}

// ran records when the guest ran at the destination, as far as anything showed it.
func (m *migration) ran() {
	if e := m.evidence; e.sign != "" {
		m.emit(results.Record{
			Time: e.at.Time, Name: results.WireStage,
			Attrs: map[string]string{
				"stage": results.StageRunning, "from": e.sign,
				"earliest": strconv.FormatInt(e.sent, 10), "latest": strconv.FormatInt(e.at.Time, 10),
			},
		})
	}
	if last := m.lastPacket(); last != 0 {
		m.emit(results.Record{Time: last, Name: results.WireStage, Attrs: map[string]string{"stage": results.StageDone}})
	}
}

// lastPacket is when the last packet of the migration's connections passed; 0 if some did not end.
func (m *migration) lastPacket() (last int64) {
	for _, c := range m.connections {
		if c.closed < 2 {
			return 0
		}
		a, b := c.stats()
		last = max(last, a.Last.Time, b.Last.Time)
	}
	return last
}

// sign gives what shows where a guest is to the migration that waits for it. Where several do, nobody can say whose it is.
func (s *Session) sign(g station.Sign) {
	var waiting *migration
	for _, m := range s.migrations {
		if m.over || m.evidence.sent == 0 {
			continue
		}
		if waiting != nil {
			return
		}
		waiting = m
	}
	if waiting != nil {
		waiting.runs(g.Kind, g.At)
	}
}
