package qemu

import (
	"testing"
	"virtscope/probes/wire/tcp"
)

func bench(b *testing.B, add func(e *encoder, i int), call int) {
	e := setup().section(sectionPart, 2, "")
	head := len(e.b)
	const pages = 1000
	for i := range pages {
		add(e, i)
	}
	m := New(Config{}, &log{})
	c := m.Main()
	c.Data(0, e.b, tcp.Stamp{})
	data, at := e.b[head:], int64(len(e.b))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		m.ledger.lap, m.ledger.at = 0, -1
		for i := 0; i < len(data); i += call {
			part := data[i:min(i+call, len(data))]
			c.Data(at, part, tcp.Stamp{})
			at += int64(len(part))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pages, "ns/page")
}

func BenchmarkNormal64K(b *testing.B) {
	bench(b, func(e *encoder, i int) { e.page(testRAM, i) }, 64<<10)
}

func BenchmarkNormal1448(b *testing.B) {
	bench(b, func(e *encoder, i int) { e.page(testRAM, i) }, 1448)
}

func BenchmarkZero(b *testing.B) {
	bench(b, func(e *encoder, i int) { e.zero(testRAM, i) }, 64<<10)
}
