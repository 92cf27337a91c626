package main

import (
	"errors"
	"fmt"
	"slices"
	"virtscope/testbed/guest/agent"
)

// The kinds and patterns of agent.Workload.
const (
	kindIdle   = "idle"
	kindDirty  = "dirty"
	kindCPU    = "cpu"
	kindDisk   = "disk"
	kindNet    = "net"
	kindKV     = "kv"
	kindRedis  = "redis"
	kindReplay = "replay"
	kindMix    = "mix"

	patternSequential = "sequential"
	patternRandom     = "random"
	patternHotSpot    = "hot-spot"
	patternZipf       = "zipf"
)

var (
	kinds        = []string{kindIdle, kindDirty, kindCPU, kindDisk, kindNet, kindKV, kindRedis, kindReplay, kindMix}
	patterns     = []string{"", patternSequential, patternRandom, patternHotSpot, patternZipf}
	diskPatterns = patterns[:3]
)

const (
	maxZipf  = 10
	maxValue = 16 << 20 // B, of a key's value, an answer or a block
	maxKeys  = 1 << 28
)

// complaints collects all that is wrong with a workload.
type complaints []error

func (c *complaints) unless(ok bool, format string, args ...any) {
	if !ok {
		*c = append(*c, fmt.Errorf(format, args...))
	}
}

// check reports everything that is wrong with w.
func check(w *agent.Workload) error {
	if w == nil {
		return errors.New("start workload: the request has none")
	}
	var c complaints
	if w.Kind == kindMix {
		c.checkMix(w.Parts)
	} else {
		c.checkOne(w)
	}
	if len(c) > 0 {
		return fmt.Errorf("start workload: %w", errors.Join(c...))
	}
	return nil
}

// checkMix checks each part, and that they can run side by side.
func (c *complaints) checkMix(parts []agent.Workload) {
	c.unless(len(parts) > 0, "mix: it has no parts")
	seen := map[string]bool{}
	for i := range parts {
		p := &parts[i]
		if p.Kind == kindMix {
			c.unless(false, "mix: a part is a mix itself")
			continue
		}
		c.unless(!seen[p.Kind], "mix: kind %q is there twice", p.Kind)
		seen[p.Kind] = true
		c.checkOne(p)
	}
	c.unless(!seen[kindDirty] || !seen[kindReplay], "mix: dirty and replay do the same: take one")
	c.unless(!seen[kindKV] || !seen[kindRedis], "mix: kv and redis use the same port: take one")
}

// checkOne checks a workload of one kind. Numbers are compared so that one that is none is refused too.
func (c *complaints) checkOne(w *agent.Workload) {
	c.unless(slices.Contains(kinds, w.Kind), "kind %q: want one of %v", w.Kind, kinds)
	allowed := patterns
	if w.Kind == kindDisk {
		allowed = diskPatterns
	}
	c.unless(slices.Contains(allowed, w.Pattern), "pattern %q: want one of %v", w.Pattern, allowed[1:])
	c.unless(w.Rate >= 0 && w.Rate <= maxRate, "rate %v B/s: want 0 to %v", w.Rate, maxRate)
	c.unless(w.Load >= 0 && w.Load <= 1, "load %v: want 0 to 1", w.Load)
	c.unless(w.Threads >= 0 && w.Threads <= 4096, "threads %d: want 0 to 4096", w.Threads)
	switch w.Kind {
	case kindDirty, kindReplay:
		c.checkMemory(w)
	case kindDisk:
		c.unless(w.Block > 0 && w.Block <= maxValue && w.Block%pageSize == 0,
			"block %d B: want a multiple of %d B, at most %d B", w.Block, pageSize, maxValue)
		c.unless(w.Area == 0 || w.Area >= w.Block, "area %d B: want 0, or at least a block, %d B", w.Area, w.Block)
	case kindNet:
		c.unless(w.ResponseSize >= 0 && w.ResponseSize <= maxValue, "response size %d B: want 0 to %d", w.ResponseSize, maxValue)
	case kindKV:
		c.unless(w.Keys >= 1 && w.Keys <= maxKeys, "keys %d: want 1 to %d", w.Keys, maxKeys)
		c.unless(w.ValueSize >= 1 && w.ValueSize <= maxValue, "value size %d B: want 1 to %d", w.ValueSize, maxValue)
	}
}

func (c *complaints) checkMemory(w *agent.Workload) {
	c.unless(w.WorkingSet >= pageSize, "working set %d B: want at least a page, %d B", w.WorkingSet, pageSize)
	c.unless(w.Compressibility >= 0 && w.Compressibility <= 1, "compressibility %v: want 0 to 1", w.Compressibility)
	c.unless(w.HotShare >= 0 && w.HotShare <= 1, "hot share %v: want above 0 to 1", w.HotShare)
	c.unless(w.HotWrites == nil || *w.HotWrites >= 0 && *w.HotWrites <= 1, "hot writes: want 0 to 1")
	c.unless(w.Zipf >= 0 && w.Zipf <= maxZipf, "zipf %v: want above 0 to %d", w.Zipf, maxZipf)
	c.unless(w.WriteSize >= 0 && w.WriteSize <= w.WorkingSet, "write size %d B: want 0 to the working set, %d B", w.WriteSize, w.WorkingSet)
	c.unless(w.DeltaSize >= 0 && w.DeltaSize <= pageSize, "delta size %d B: want 0 to a page, %d B", w.DeltaSize, pageSize)
	if w.Kind == kindReplay {
		_, err := newReplay(w.Trace)
		c.unless(err == nil, "%w", err)
	}
}
