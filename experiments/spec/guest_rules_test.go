package spec

import "testing"

// TestRedisHoldsItsKeys: the least memory that is accepted holds them. The sizes are used_memory of Redis 7.0 for each key, as
// DEBUG POPULATE makes them.
func TestRedisHoldsItsKeys(t *testing.T) {
	for _, c := range []struct {
		keys        int
		value, used Bytes
	}{
		{3_000_000, 1, 106}, {1_000_000, 64, 170}, {200_000, 1024, 1370}, {200_000, 1100, 1370}, {50_000, 20_000, 20_583},
	} {
		e := Default()
		e.Workload.Kind, e.Guest.Check = "redis", 0
		e.Workload.KV.Keys, e.Workload.KV.ValueSize = c.keys, c.value
		accepts := func(memory Bytes) bool {
			e.Guest.Memory = memory
			check := &checker{e: e, root: &node{}, reported: newDecoder()}
			check.memory()
			return len(check.problems) == 0
		}
		least := Bytes(mib)
		for !accepts(least) {
			least += mib
		}
		// What the guest lets redis fill, and what it keeps for itself.
		const reserve, share = 24 << 20, 0.7
		if most := float64(least-GuestFloor-reserve) * share; most < float64(c.used)*float64(c.keys) {
			t.Errorf("%d keys of %s: %s are enough, of which redis may fill %.0f B; it takes %d B", c.keys, c.value, least, most, c.used*Bytes(c.keys))
		}
	}
}
