package shape

import (
	"encoding/binary"
	"testing"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// FuzzShape gives any bytes, in any pieces, with any gaps and signs and times.
func FuzzShape(f *testing.F) {
	record := []byte{typeApplication, 3, 3, 0, 4, 1, 2, 3, 4}
	f.Add([]byte{9, 40, 3, 77}, record, true)
	f.Add([]byte{1, 2, 3, 200, 17}, append([]byte{22, 3, 1, 0, 2, 1, 0, 20, 3, 3, 0, 1, 1}, append(record, record...)...), true)
	f.Add([]byte{0, 255}, make([]byte, 1000), false)
	f.Fuzz(func(t *testing.T, script, data []byte, encrypted bool) {
		i := New(Config{Encrypted: encrypted}, results.RecorderFunc(func(r results.Record) {
			if r.Value < 0 {
				t.Fatalf("negative %v", r)
			}
			if r.Name != results.WireStage {
				return
			}
			if a, b := edge(t, &r, "earliest"), edge(t, &r, "latest"); a > b {
				t.Fatalf("bounds are turned round: %v", r)
			}
		}))
		var ends []tcp.Consumer
		offsets := map[int]int64{}
		clock := int64(1e18)
		for k := 0; k < len(script) || len(data) > 0; k++ {
			op := byte(k)
			if len(script) > 0 {
				op = script[k%len(script)]
			}
			clock += int64(op) * int64(op) * 1e5
			if op == 251 && len(script) >= 8 {
				clock = int64(binary.BigEndian.Uint64(script))
			}
			at := tcp.Stamp{Time: clock, Packet: int64(k)}
			if op%13 == 1 {
				i.Guest([]string{"frame", "rarp", "garp"}[int(op)%3], string('a'+rune(op%3)), at)
			}
			if len(ends) < 4 && int(op)%5 == len(ends) || len(ends) == 0 {
				ends = append(ends, i.Forward(), i.Reverse())
			}
			n := min(1+int(op), len(data))
			which := k % len(ends)
			if op%11 == 3 {
				ends[which].Gap(offsets[which], int64(n), at)
			} else {
				ends[which].Data(offsets[which], data[:n], at)
			}
			offsets[which] += int64(n)
			data = data[n:]
		}
		for k, c := range ends {
			c.End([]tcp.End{tcp.Fin, tcp.Cut, tcp.Reset}[(k+len(script))%3], tcp.Stamp{Time: clock})
		}
		i.End(tcp.Stamp{Time: clock})
	})
}
