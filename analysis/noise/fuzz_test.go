package noise

import (
	"encoding/binary"
	"math"
	"testing"
	"virtscope/analysis/edges"
	"virtscope/analysis/edges/edgestest"
	"virtscope/results"
)

// FuzzMeasure takes a real course of samples, of which some are lost or hold anything. Figures keep to their bounds, and what is not
// known says why.
func FuzzMeasure(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, uint8(3))
	f.Add([]byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, change []byte, lose uint8) {
		records := scene{others: 0.5, ours: 0.7, steal: 0.1}.records()
		for i := 0; i+10 <= len(change); i += 10 {
			at := int(binary.LittleEndian.Uint16(change[i:])) % len(records)
			if v := math.Float64frombits(binary.LittleEndian.Uint64(change[i+2:])); !math.IsNaN(v) && !math.IsInf(v, 0) {
				records[at].Value = v // the index refuses what is not finite
			}
		}
		var kept []results.Record
		for i, r := range records {
			if lose == 0 || i%int(lose) != 1 {
				kept = append(kept, r)
			}
		}
		for _, m := range Measure(edgestest.Log(kept), edges.Window{From: 2 * second, To: 9 * second}) {
			if m.Known && !(m.Low <= m.Value && m.Value <= m.High) {
				t.Errorf("%s: %+v", m.Name, m.Quantity)
			}
			if !m.Known && m.Why == "" {
				t.Errorf("%s is unknown without a reason", m.Name)
			}
		}
	})
}
