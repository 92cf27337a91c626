package main

import (
	"net/netip"
	"time"
	"virtscope/experiments/spec"
	"virtscope/probes"
	"virtscope/probes/load"
	"virtscope/testbed/guest/agent"
)

// loads are the clients of what the guest serves.
func (s *site) loads() []probes.Probe {
	e := s.trial.Spec
	var list []probes.Probe
	for _, kind := range e.Workload.Parts() {
		c, serves := loadConfig(e, kind)
		if !serves {
			continue
		}
		c.Host, c.In = s.client().Name(), s.client()
		// Treatments are asked the same, replicates are not: they would not be independent.
		c.Seed = e.Order.Seed + uint64(s.trial.Replicate)<<32
		c.Target = netip.AddrPortFrom(guestEcho().Addr(), c.Target.Port())
		list = append(list, load.New(c))
		if kind == load.Redis && e.Workload.KV.Benchmark {
			list = append(list, s.benchmark())
		}
	}
	return list
}

// loadLinger is how long answers are awaited beyond what the links take.
const loadLinger = 200 * time.Millisecond

// roundTrip is what the links between client and guest add, at most.
func roundTrip(t spec.Testbed) time.Duration {
	l := t.Link.Effective()
	return 4*time.Duration(l.Delay+l.Jitter) + 2*time.Duration(l.Queue)
}

// loadConfig is what is asked of a kind of workload; of its target the port alone. Serves is false for one that is not asked.
func loadConfig(e *spec.Experiment, kind string) (c load.Config, serves bool) {
	c.Bin = time.Duration(e.Probes.Load.Bin)
	c.Linger = loadLinger + 2*roundTrip(e.Testbed)
	switch kind {
	case "net":
		n := e.Workload.Net
		c.Kind = n.Kind
		c.PlayerBuffer = time.Duration(n.PlayerBuffer)
		switch n.Kind {
		case load.Stream:
			c.Target, c.Rate = port(agent.StreamPort), float64(n.Rate)
		case load.Bulk:
			c.Target = port(agent.BulkPort)
		default:
			c.Target, c.Rate = port(agent.RequestPort), float64(n.Requests)
			c.RequestSize, c.ResponseSize = int(n.RequestSize), int(n.ResponseSize)
		}
	case "kv", "redis":
		k := e.Workload.KV
		c.Kind, c.Target, c.Rate, c.Arrivals, c.Connections = kind, port(agent.KVPort), float64(k.Requests), k.Arrivals, k.Connections
		c.Keys, c.ValueSize, c.Gets, c.Pattern = k.Keys, int(k.ValueSize), k.Gets, k.Pattern
	default:
		return c, false
	}
	return c, true
}

// benchmark runs redis-benchmark beside the load client.
func (s *site) benchmark() probes.Probe {
	k := s.trial.Spec.Workload.KV
	return load.NewBenchmark(load.BenchmarkConfig{
		Host: s.client().Name(), On: s.client(), Target: netip.AddrPortFrom(guestEcho().Addr(), agent.KVPort),
		Connections: k.Connections, Keys: k.Keys, ValueSize: int(k.ValueSize),
	})
}

func port(n uint16) netip.AddrPort { return netip.AddrPortFrom(netip.IPv4Unspecified(), n) }
