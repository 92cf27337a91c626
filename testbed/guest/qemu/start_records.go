package qemu

import (
	"strconv"
	"time"
	"virtscope/results"
)

// startRecords records what the driver itself sees of a start.
type startRecords struct {
	rec  results.Recorder
	host string
	on   bool
}

// spawned is called when the process runs, which was started after before.
func (s startRecords) spawned(pid int, before, at time.Time) {
	s.record(results.BootSpawn, at, map[string]string{"pid": strconv.Itoa(pid), "bound": seconds(at.Sub(before))})
}

// answers is called when QEMU has greeted, and was last asked in vain at refused; zero, it was not.
func (s startRecords) answers(at, refused time.Time) {
	attrs := map[string]string{}
	if !refused.IsZero() {
		attrs["bound"] = seconds(at.Sub(refused))
	}
	s.record(results.BootMonitor, at, attrs)
}

func (s startRecords) record(name string, at time.Time, attrs map[string]string) {
	if s.on {
		s.rec.Record(results.Record{Time: at.UnixNano(), Host: s.host, Source: results.SourceQMP, Name: name, Attrs: attrs})
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }
