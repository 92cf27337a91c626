package migration_test

import (
	"testing"
	"virtscope/bench/migration"
	"virtscope/probes/wire/qemu"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A feeder gives what is written to a consumer, 60 kB at once.
type feeder struct {
	to     tcp.Consumer
	offset int64
	at     tcp.Stamp
}

func (f *feeder) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), 60_000)
		f.at.Packet++
		f.at.Time += 1e4
		f.to.Data(f.offset, rest[:n], f.at)
		f.offset += int64(n)
		rest = rest[n:]
	}
	return len(p), nil
}

// What is written must be what the decoder takes for a migration, whole and without damage.
func TestDecodes(t *testing.T) {
	t.Parallel()
	s := migration.New(16 << 20)
	m := qemu.New(qemu.Config{}, results.RecorderFunc(func(results.Record) {}))
	f := &feeder{to: m.Main(), at: tcp.Stamp{Time: 1}}
	rounds, err := s.Write(f, 40<<20)
	if err != nil {
		t.Fatal(err)
	}
	f.to.End(tcp.Fin, f.at)
	m.End(f.at)
	if m.Damages() != 0 || !m.Complete() {
		t.Errorf("%d damages, complete: %v", m.Damages(), m.Complete())
	}
	pages := m.Pages()
	if pages[results.PageNormal] != rounds*s.Normal || pages[results.PageZero] != rounds*s.Zero {
		t.Errorf("%v, want %d × (%d, %d)", pages, rounds, s.Normal, s.Zero)
	}
	if n := int64(len(m.Rounds())); n != rounds+1 { // and the stop
		t.Errorf("%d rounds, want %d", n, rounds+1)
	}
}
