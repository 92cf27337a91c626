package testbed

import (
	"context"
	"fmt"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/relay"

	"github.com/vishvananda/netlink"
)

// LinkRecords are what the frame relay says of itself, with this program's clock, which is hostName's: RelayFrames,
// RelayLost, RelayDropped, RelayLate and ProbeCPU, in all since Up. There are none if the relay emulates no link. A relay
// that has ended, or a direction that has, is an error: the trial's links were not what they should be.
func (t *Testbed) LinkRecords(ctx context.Context, hostName string) ([]results.Record, error) {
	if t.relay == nil {
		return nil, nil
	}
	stats, err := t.relay.Stats(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UnixNano()
	var list []results.Record
	for _, e := range t.ends() {
		if !t.relayed(e.link) {
			continue
		}
		if len(stats) < 2 {
			return nil, fmt.Errorf("read the frame relay's statistics: %s of %s is missing", e.name, e.host)
		}
		up, down := stats[0], stats[1] // in the order of relayLinks, the host's end first
		stats = stats[2:]
		for _, d := range []struct {
			dir, node, device string
			stats             relay.Stats
		}{{"up", e.host, e.device, up}, {"down", switchName, e.port, down}} {
			ring, err := t.ringDrops(d.node, d.device)
			if err != nil {
				return nil, err
			}
			attrs := map[string]string{"link": e.name, "host": e.host, "dir": d.dir}
			list = append(list, directionRecords(results.Record{Time: now, Host: hostName, Source: results.SourceRelay, Attrs: attrs}, d.stats, ring)...)
		}
	}
	return list, nil
}

func directionRecords(r results.Record, s relay.Stats, ring uint64) []results.Record {
	record := func(name string, value float64, unit results.Unit, attrs ...string) results.Record {
		r := r
		r.Name, r.Value, r.Unit = name, value, unit
		all := make(map[string]string, len(r.Attrs)+len(attrs)/2)
		for k, v := range r.Attrs {
			all[k] = v
		}
		for i := 0; i < len(attrs); i += 2 {
			all[attrs[i]] = attrs[i+1]
		}
		r.Attrs = all
		return r
	}
	list := []results.Record{
		record(results.RelayFrames, float64(s.Frames), results.One),
		record(results.RelayLost, float64(s.Lost), results.One),
		record(results.RelayDropped, float64(s.Full), results.One, "cause", "memory"),
		record(results.RelayDropped, float64(ring), results.One, "cause", "ring"),
		record(results.RelayDropped, float64(s.Refused), results.One, "cause", "refused"),
		record(results.ProbeCPU, s.CPU, results.Seconds),
	}
	if s.Sent > 0 {
		late := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
		list = append(list, record(results.RelayLate, s.LateMean, results.Seconds,
			"p50", late(s.LateP50), "p99", late(s.LateP99), "max", late(s.LateMax), "ms", strconv.FormatInt(s.LateMS, 10)))
	}
	return list
}

// ringDrops is how many frames a TAP dropped since nobody had read the ones before.
func (t *Testbed) ringDrops(node, device string) (drops uint64, err error) {
	err = t.onDevice(node, device, Link{}, func(_ *netlink.Handle, l netlink.Link, _ Link) error {
		s := l.Attrs().Statistics
		if s == nil {
			return fmt.Errorf("read statistics of %s: the kernel gave none", device)
		}
		drops = s.TxDropped
		return nil
	})
	return drops, err
}
