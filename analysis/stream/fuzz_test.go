package stream_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// FuzzBuild feeds records as a run folder may hold them: Build must never panic, phases must add up to the wall time, and what
// is known must lie within its bounds.
func FuzzBuild(f *testing.F) {
	for _, make := range captures {
		records := make()
		seed, err := json.Marshal(records[:min(len(records), 40)])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte(`[{"t":5,"s":"wire","n":"wire.stage","a":{"stream":"1","stage":"done"}},{"t":3,"s":"wire","n":"wire.stage","a":{"stream":"1","stage":"done"}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var records []results.Record
		if json.Unmarshal(data, &records) != nil {
			return
		}
		for i := range records {
			records[i].Source = results.SourceWire
		}
		c, err := stream.Build(records)
		if err != nil {
			return
		}
		for i := range c.Migrations {
			addUp(t, &c.Migrations[i])
		}
		for _, g := range c.Guests {
			sound(t, g.Outage, g.Floor, g.Relearning, g.Stale)
		}
		if err := stream.Write(&bytes.Buffer{}, c); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Error(err)
		}
	})
}

func addUp(t *testing.T, m *stream.Migration) {
	t.Helper()
	if got := stream.Total(m.Phases); got != m.End.Time-m.Begin.Time {
		t.Errorf("phases add up to %d ns, want %d", got, m.End.Time-m.Begin.Time)
	}
	at := m.Begin.Time
	for _, p := range m.Phases {
		if p.Begin.Time != at || p.End.Time < p.Begin.Time {
			t.Errorf("phase %s begins at %d, the one before ended at %d", p.Name, p.Begin.Time, at)
		}
		at = p.End.Time
		sound(t, p.Duration)
	}
	sound(t, m.Wall, m.Downtime, m.Total, m.PageSize, m.Syncs, m.Memory, m.Bytes, m.PreCopyRounds())
	for _, r := range m.Rounds {
		sound(t, r.Duration, r.Bytes, r.Total, r.Resent, r.Distinct, r.WorkingSet, r.Rate, r.PageRate)
	}
}

func sound(t *testing.T, list ...quantity.Quantity) {
	t.Helper()
	for _, q := range list {
		if q.Known && (q.Low > q.Value || q.Value > q.High) {
			t.Errorf("%v is outside [%v, %v]", q.Value, q.Low, q.High)
		}
		if (!q.Known || q.Censored) && q.Why == "" {
			t.Errorf("%+v has no reason", q)
		}
	}
}
