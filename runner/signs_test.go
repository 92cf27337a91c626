package runner

import (
	"testing"
	"time"
	"virtscope/results"
)

// TestHomecoming wants the first words of a restored guest, with its count of work where it has one.
func TestHomecoming(t *testing.T) {
	said := func(name string, after time.Duration, value float64, unit results.Unit, attrs ...string) results.Record {
		r := results.Record{Time: int64(after), Host: "dst", Source: results.SourceGuest, Name: name, Value: value, Unit: unit, Attrs: map[string]string{"mono": formatInt(int64(after) + 1e9)}}
		for i := 0; i < len(attrs); i += 2 {
			r.Attrs[attrs[i]] = attrs[i+1]
		}
		return r
	}
	beat := func(after time.Duration) results.Record {
		return said(results.GuestHeartbeat, after, 1, results.Seconds)
	}
	for _, c := range []struct {
		name       string
		said       []results.Record
		mono, work string // "": none
		unit, kind string
	}{
		{"work", []results.Record{beat(1), said(results.GuestDirtied, 5, 4096, results.Bytes), said(results.GuestDirtied, 9, 8192, results.Bytes)}, "1000000005", "4096", "B", ""},
		{"requests", []results.Record{said(results.GuestWork, 5, 7, results.One, "kind", "kv")}, "1000000005", "7", "1", "kv"},
		{"no work", []results.Record{beat(1), beat(time.Second), beat(2 * time.Second)}, "1000000001", "", "", ""},
		{"too early to say", []results.Record{beat(1), beat(time.Second)}, "", "", "", ""},
		{"somebody else", []results.Record{{Source: results.SourceQMP, Name: results.VMResume}}, "", "", "", ""},
	} {
		kept := &keeper{}
		w := newWitness(kept, func(results.Record) {})
		for _, r := range c.said {
			w.Record(r) // of the guest before: nobody waits
		}
		kept.list = nil
		w.restored.await(map[string]string{"n": "3"})
		for _, r := range c.said {
			w.Record(r)
		}
		var got []results.Record
		for _, r := range kept.list {
			if r.Name == results.GuestRestored {
				got = append(got, r)
			}
		}
		if c.mono == "" {
			if len(got) > 0 {
				t.Errorf("%s: %v", c.name, got)
			}
			continue
		}
		if len(got) != 1 {
			t.Errorf("%s: %v", c.name, got)
			continue
		}
		a := got[0].Attrs
		if a["mono"] != c.mono || a["work"] != c.work || a["unit"] != c.unit || a["kind"] != c.kind || a["n"] != "3" || got[0].Host != "dst" || got[0].Unit != results.Seconds {
			t.Errorf("%s: %+v", c.name, got[0])
		}
	}
}

// TestStamp gives what a driver records of a save the checkpoint of its guest, and nothing else one.
func TestStamp(t *testing.T) {
	var s stamper
	event := func(name, guest, id string) results.Record {
		r := results.Record{Name: name, Attrs: map[string]string{}}
		if guest != "" {
			r.Attrs[results.AttrGuest] = guest
		}
		if id != "" {
			r.Attrs[results.AttrCheckpoint] = id
		}
		return r
	}
	for i, c := range []struct {
		r    results.Record
		want string
	}{
		{results.Record{Name: results.CheckpointFreeze}, ""},
		{event(results.CheckpointBegin, "", "c1"), "c1"},
		{event(results.CheckpointBegin, "g2", "c2"), "c2"},
		{results.Record{Name: results.CheckpointFreeze}, "c1"},
		{event(results.CheckpointDumped, "g2", ""), "c2"},
		{event(results.CheckpointDisk, "", "named"), "named"},
		{event(results.VMStop, "", ""), ""},
		{event(results.CheckpointEnd, "", "c1"), "c1"},
		{event(results.CheckpointThaw, "", ""), ""},
		{event(results.CheckpointThaw, "g2", ""), "c2"},
	} {
		if got := s.stamp(c.r).Attrs[results.AttrCheckpoint]; got != c.want {
			t.Errorf("%d, %s: %q, want %q", i, c.r.Name, got, c.want)
		}
	}
	shared := results.Record{Name: results.CheckpointThaw, Attrs: map[string]string{results.AttrGuest: "g2"}}
	s.stamp(shared)
	if len(shared.Attrs) != 1 {
		t.Error("the driver's own attributes were changed: ", shared.Attrs)
	}
}

// A keeper keeps records.
type keeper struct{ list []results.Record }

func (k *keeper) Record(r results.Record) { k.list = append(k.list, r) }
