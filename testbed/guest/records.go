package guest

import (
	"strconv"
	"sync/atomic"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
)

const pageSize = 4096 // B, of the agent's verdicts

// AgentReporter returns the function that records what a guest's agent says; it is made for
// agent.NewClient. From, the connection's name, becomes the record's host: it must name the host whose clock
// stamped the arrival. The agent repeats its hello; the guest is ready once.
func AgentReporter(rec results.Recorder) func(m agent.Message, arrival time.Time, from string) {
	var ready atomic.Bool
	return func(m agent.Message, arrival time.Time, from string) {
		mono := strconv.FormatInt(m.Mono, 10)
		record := func(name string, value float64, unit results.Unit, attrs map[string]string) {
			rec.Record(results.Record{
				Time: arrival.UnixNano(), Host: from, Source: results.SourceGuest,
				Name: name, Value: value, Unit: unit, Attrs: attrs,
			})
		}
		if h := m.Hello; h != nil && ready.CompareAndSwap(false, true) {
			record(results.GuestTickInfo, seconds(h.TickNS), results.Seconds, map[string]string{"threshold": formatSeconds(h.MissNS)})
			record(results.GuestReady, 0, results.Event, map[string]string{"mono": mono})
		}
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
			record(results.GuestDirtied, float64(p.Dirtied), results.Bytes, map[string]string{
				"mono": mono, "late": formatSeconds(p.Late),
			})
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
		}
		if m.Log != "" {
			record(results.GuestLog, 0, results.Event, map[string]string{"text": m.Log, "mono": mono})
		}
	}
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

func formatSeconds(ns int64) string { return strconv.FormatFloat(seconds(ns), 'g', -1, 64) }
