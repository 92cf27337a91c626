package main

import (
	"strings"
	"testing"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// A mapping of each kind, from a QEMU that maps a substrate's memory: kB as the kernel says them.
const someMaps = `55d0-55d1 r-xp 00000000 fe:00 1049                       /usr/bin/qemu-system-x86_64
Pss:                 600 kB
Private_Clean:       100 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
7f00-7f10 rw-p 00000000 00:18 77                         /dev/shm/virtscope/1/t2/saved-src/memory
Pss:               50000 kB
Private_Clean:     30000 kB
Private_Dirty:      9000 kB
Anonymous:          8000 kB
7f20-7f30 rw-p 00000000 00:00 0
Pss:                4000 kB
Private_Clean:         0 kB
Private_Dirty:      4000 kB
Anonymous:          4000 kB
7f40-7f50 rw-p 00000000 00:0f 12                         /memfd:memory-backend-memfd (deleted)
Pss:                   0 kB
Private_Hugetlb:    2048 kB
`

// TestParseSmaps counts of a substrate's file what was copied alone, and huge pages.
func TestParseSmaps(t *testing.T) {
	got, err := parseSmaps(strings.NewReader(someMaps), "/dev/shm/virtscope/1/t2/saved-src/memory")
	if want := (smaps{private: (100 + 8000 + 4000 + 2048) << 10, shared: (500 + 42000) << 10}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	got, err = parseSmaps(strings.NewReader(someMaps), "")
	if want := int64(100+39000+4000+2048) << 10; err != nil || got.private != want {
		t.Errorf("without a substrate: got %+v, %v; want %d B private", got, err, want)
	}
	if _, err := parseSmaps(strings.NewReader(""), ""); err == nil {
		t.Error("a process that has ended takes nothing, and is no error")
	}
}

func FuzzParseSmaps(f *testing.F) {
	f.Add(someMaps)
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseSmaps(strings.NewReader(text), "/memory"); err == nil && got.shared < 0 {
			t.Errorf("shared: %d B", got.shared)
		}
	})
}

// TestDockedMemory is what all clones take together, with what was saved counted once.
func TestDockedMemory(t *testing.T) {
	for _, c := range []struct {
		count  int
		bytes  float64
		docked string
		n      string
	}{{0, 100, dockedSaved, "1"}, {1, 140, dockedSpawned, "1"}, {4, 140, dockedSpawned, "4"}} {
		bytes, attrs := dockedMemory(100, 40, c.count)
		if bytes != c.bytes || attrs["docked"] != c.docked || attrs["count"] != c.n {
			t.Errorf("%d clones: %v B, %v; want %v B, %s of %s", c.count, bytes, attrs, c.bytes, c.docked, c.n)
		}
	}
}

type heardRecords []results.Record

func (k *heardRecords) Record(r results.Record) { *k = append(*k, r) }

// TestLate drops what comes before it is opened, and nothing after.
func TestLate(t *testing.T) {
	var l late
	var got heardRecords
	l.Record(results.Record{Name: "before"})
	l.open(&got)
	l.Record(results.Record{Name: "after"})
	if len(got) != 1 || got[0].Name != "after" {
		t.Errorf("got %v", got)
	}
}

// TestUsedMemory knows what lies in this machine's memory.
func TestUsedMemory(t *testing.T) {
	e := spec.Default()
	e.Action.Recover = &spec.Recover{Save: spec.Saving{Format: "memory-file", To: "memory", Keep: 2}}
	m := int64(e.Guest.Memory)
	if got, want := usedMemory(e), 2*m+4*(m+m/8); got != want {
		t.Errorf("checkpoints in memory: %d B, want %d", got, want)
	}
	e.Action = spec.Action{Boot: &spec.Boot{Guests: 9, Hosts: 3}}
	e.Guest.Start = startSubstrate
	if got, want := usedMemory(e), 3*(m+m/8); got != want {
		t.Errorf("substrates: %d B, want %d", got, want)
	}
	if got := used(e, 0); got != 0 {
		t.Errorf("guests without a disk: %d B of disk", got)
	}
}
