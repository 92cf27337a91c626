package runner

import (
	"fmt"
	"hash/fnv"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/testbed/guest/agent"
)

const kindMix = "mix"

// workload is the experiment's workload in the agent's words. The trace of a replay was checked when the file was read.
func workload(w spec.Workload, seed uint64) (agent.Workload, error) {
	if w.Kind != kindMix {
		return part(w, w.Kind, seed)
	}
	mix := agent.Workload{Kind: kindMix, Seed: seed}
	for _, kind := range w.Parts() {
		p, err := part(w, kind, seed)
		if err != nil {
			return mix, err
		}
		mix.Parts = append(mix.Parts, p)
	}
	return mix, nil
}

// part is one kind of workload with the keys that it reads.
func part(w spec.Workload, kind string, seed uint64) (agent.Workload, error) {
	p := agent.Workload{Kind: kind, Seed: seed}
	switch kind {
	case "dirty", "replay":
		memory(&p, w)
		if kind == "dirty" {
			p.Rate = float64(w.Rate)
			break
		}
		points, err := w.TracePoints()
		if err != nil {
			return p, fmt.Errorf("read workload.trace: %w", err)
		}
		for _, t := range points {
			p.Trace = append(p.Trace, agent.TracePoint{At: int64(t.At), Rate: float64(t.Rate)})
		}
	case "cpu":
		p.Threads, p.Load = w.Threads, w.Load
	case "disk":
		p.Rate, p.Block, p.Area, p.Pattern = float64(w.Disk.Rate), int64(w.Disk.Block), int64(w.Disk.Area), w.Disk.Pattern
	case "net":
		p.ResponseSize = int64(w.Net.ResponseSize)
	case "kv", "redis":
		p.Keys, p.ValueSize = w.KV.Keys, int64(w.KV.ValueSize)
	}
	return p, nil
}

// memory is how dirty and replay write.
func memory(p *agent.Workload, w spec.Workload) {
	p.WorkingSet, p.Pattern, p.Compressibility = int64(w.WorkingSet), w.Pattern, w.Compressibility
	p.HotShare, p.HotWrites, p.Zipf = w.HotShare, new(w.HotWrites), w.Zipf
	p.WriteSize, p.DeltaSize = int64(w.WriteSize), int64(w.DeltaSize)
}

// seed gives each trial its own memory content, the same whenever the trial is run again.
func seed(t plan.Trial) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.ID)) // a hash takes anything
	return h.Sum64()
}
