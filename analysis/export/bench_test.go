package export

import (
	"io"
	"testing"
	"virtscope/results"
)

// BenchmarkRecords writes samples as a usage probe's; an op is a record.
func BenchmarkRecords(b *testing.B) {
	records := make([]results.Record, 1<<16)
	for i := range records {
		records[i] = results.Record{
			Time: 1_790_000_000_000_000_000 + int64(i)*1_000_003, Host: "src", Source: "usage", Name: "cpu.busy",
			Value: float64(i%977) / 977, Unit: results.Seconds, Attrs: map[string]string{"cpu": string(rune('0' + i%4))},
		}
	}
	b.Run("parquet", func(b *testing.B) {
		w := NewRecordWriter(io.Discard)
		for left := b.N; left > 0; left -= len(records) {
			if err := w.Write("t", records[:min(left, len(records))]); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("line", func(b *testing.B) {
		for left := b.N; left > 0; left -= len(records) {
			if err := LineRecords(io.Discard, "r", "t", records[:min(left, len(records))]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
