package guest

import (
	"strconv"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

const pageSize = 4096 // B, of the agent's verdicts

// AgentReporter returns the function that records what a guest's agent says; it is made for
// agent.NewClient. From, the connection's name, becomes the record's host: it must name the host whose clock
// stamped the arrival. The agent repeats its hello; the guest is ready once. The function is for one guest and may not be called by
// two goroutines at a time, as the client does not.
func AgentReporter(rec results.Recorder) func(m agent.Message, arrival time.Time, from string) {
	return reporter(rec, false)
}

// RestoredReporter is AgentReporter for a guest that was made from a saved state. It says no hello, and is ready when it first
// says anything: it runs, and its agent's channel carries a whole message.
func RestoredReporter(rec results.Recorder) func(m agent.Message, arrival time.Time, from string) {
	return reporter(rec, true)
}

func reporter(rec results.Recorder, restored bool) func(m agent.Message, arrival time.Time, from string) {
	var ready, ticks, booted bool
	return func(m agent.Message, arrival time.Time, from string) {
		mono := strconv.FormatInt(m.Mono, 10)
		record := func(name string, value float64, unit results.Unit, attrs map[string]string) {
			rec.Record(results.Record{
				Time: arrival.UnixNano(), Host: from, Source: results.SourceGuest,
				Name: name, Value: value, Unit: unit, Attrs: attrs,
			})
		}
		if h := m.Hello; h != nil && !ticks {
			ticks = true
			record(results.GuestTickInfo, seconds(h.TickNS), results.Seconds, map[string]string{"threshold": formatSeconds(h.MissNS)})
		}
		if speaks := m.Hello != nil || restored && m.Mono > 0; speaks && !ready {
			ready = true
			record(results.GuestReady, 0, results.Event, map[string]string{"mono": mono})
		}
		if m.Boot != nil && !booted {
			booted = true
			recordBoot(m.Boot, record)
		}
		recordStart(&m, mono, record)
		if hb := m.Heartbeat; hb != nil {
			record(results.GuestHeartbeat, seconds(m.Mono), results.Seconds, map[string]string{
				"seq": strconv.FormatInt(hb.Seq, 10), "mono": mono,
			})
		}
		if miss := m.TickMiss; miss != nil {
			record(results.GuestTickMiss, seconds(miss.End-miss.Start), results.Seconds, map[string]string{
				"mono": strconv.FormatInt(miss.End, 10),
			})
		}
		if p := m.Progress; p != nil {
			recordProgress(p, mono, record)
		}
		if s := m.Stall; s != nil {
			record(results.GuestDiskStall, seconds(s.End-s.Start), results.Seconds, map[string]string{
				"mono": strconv.FormatInt(s.End, 10),
			})
		}
		if d := m.Disk; d != nil {
			record(results.GuestDiskTimes, seconds(d.Max), results.Seconds, map[string]string{"mono": mono, "counts": join(d.Counts)})
		}
		if v := m.Verdict; v != nil {
			record(results.MemoryVerified, float64(max(0, v.Verified-v.Corrupt*pageSize)), results.Bytes, map[string]string{"mono": mono})
			attrs := map[string]string{"mono": mono}
			if v.Corrupt > 0 {
				attrs["first"] = strconv.FormatInt(v.First, 10)
			}
			if v.Detail != "" {
				attrs["detail"] = v.Detail
			}
			record(results.MemoryCorrupt, float64(v.Corrupt), results.One, attrs)
			recordDisk(v, mono, record)
		}
		if m.Log != "" {
			record(results.GuestLog, 0, results.Event, map[string]string{"text": m.Log, "mono": mono})
		}
	}
}

// recordDisk records what was read back of a disk; where nothing was, nothing is known of it.
func recordDisk(v *agent.Verdict, mono string, record func(string, float64, results.Unit, map[string]string)) {
	if v.DiskVerified == 0 && v.DiskCorrupt == 0 {
		return
	}
	record(results.DiskVerified, float64(max(0, v.DiskVerified-v.DiskCorrupt*pageSize)), results.Bytes, map[string]string{"mono": mono})
	attrs := map[string]string{"mono": mono}
	if v.DiskCorrupt > 0 && v.Detail != "" {
		attrs["detail"] = v.Detail
	}
	record(results.DiskCorrupt, float64(v.DiskCorrupt), results.One, attrs)
}

// recordProgress records what the workload wrote, was asked to write, and did. What no part of it counts is not recorded:
// it is not 0.
func recordProgress(p *agent.Progress, mono string, record func(string, float64, results.Unit, map[string]string)) {
	if p.Dirtied > 0 || p.Uncounted == "" {
		attrs := map[string]string{"mono": mono, "late": formatSeconds(p.Late)}
		if p.Uncounted != "" {
			attrs["uncounted"] = p.Uncounted
		}
		record(results.GuestDirtied, float64(p.Dirtied), results.Bytes, attrs)
	}
	if p.Asked > 0 {
		record(results.GuestAsked, float64(p.Asked), results.Bytes, map[string]string{"mono": mono})
	}
	for _, part := range p.Parts {
		attrs := map[string]string{"kind": part.Kind, "mono": mono}
		if part.Kind == "disk" || part.Kind == "net" {
			attrs["bytes"] = strconv.FormatInt(part.Bytes, 10)
		}
		if part.Kind == "disk" {
			attrs["late"] = formatSeconds(part.Late)
		}
		if part.Error != "" {
			attrs["error"] = part.Error
		}
		record(results.GuestWork, float64(part.Ops), results.One, attrs)
	}
}

func join(counts []int64) string {
	text := make([]string, len(counts))
	for i, n := range counts {
		text[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(text, ",")
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

func formatSeconds(ns int64) string { return strconv.FormatFloat(seconds(ns), 'g', -1, 64) }
