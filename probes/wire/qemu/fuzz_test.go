package qemu

import (
	"math/rand/v2"
	"testing"
	"virtscope/probes/wire/tcp"

	"github.com/google/go-cmp/cmp"
)

// fuzzCuts decodes data whole and cut at random, with holes if holes is set, and compares.
func fuzzCuts(t *testing.T, data []byte, seed uint64, consumer func(*Migration) tcp.Consumer) {
	if len(data) > 256<<10 {
		t.Skip("needs no more than 256 KiB")
	}
	run := func(cut bool) []any {
		l := &log{}
		m := New(Config{}, l)
		if head := setup().b; seed&1 == 0 {
			m.Main().Data(0, head, stampAt(0))
		}
		c := consumer(m)
		base := int64(0)
		if c == m.Main() && seed&1 == 0 {
			base = int64(len(setup().b))
		}
		holes := rand.New(rand.NewPCG(seed, 2))
		cuts := rand.New(rand.NewPCG(seed, 3))
		for at := 0; at < len(data); {
			n := min(1+holes.IntN(1448), len(data)-at)
			stamp := tcp.Stamp{Time: int64(at), Packet: int64(at)}
			if holes.IntN(8) == 0 && seed&2 != 0 {
				c.Gap(base+int64(at), int64(n), stamp)
				at += n
				continue
			}
			for end := at + n; at < end; {
				k := end - at
				if cut {
					k = 1 + cuts.IntN(k)
				}
				c.Data(base+int64(at), data[at:at+k], stamp)
				at += k
			}
		}
		c.End(tcp.Fin, tcp.Stamp{Time: int64(len(data))})
		m.End(tcp.Stamp{Time: int64(len(data))})
		if m.ledger.blocks.chunks > len(data)/9+16 {
			t.Fatalf("%d chunks for %d B", m.ledger.blocks.chunks, len(data))
		}
		return []any{l.records, m.Pages(), m.Damages(), m.Undecoded(c)}
	}
	if diff := cmp.Diff(run(false), run(true)); diff != "" {
		t.Errorf("the cuts change (-whole +cut):\n%s", diff)
	}
}

func FuzzMain(f *testing.F) {
	f.Add(precopy()[:60_000], uint64(1))
	f.Add(postcopy()[:20_000], uint64(1))
	tail := precopy()
	f.Add(tail[len(tail)-30_000:], uint64(3))
	f.Add(new(encoder).section(sectionPart, 2, "").zero(testRAM, 1).page(testRAM, 2).eos(2).finish().b, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		fuzzCuts(t, data, seed, func(m *Migration) tcp.Consumer { return m.Main() })
	})
}

func FuzzReturn(f *testing.F) {
	f.Add(new(encoder).be16(returnPagesID).be16(19).be64(4096).be32(4096).str(testRAM).be16(returnShut).be16(4).be32(0).b, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		fuzzCuts(t, data, seed, func(m *Migration) tcp.Consumer { return m.Return() })
	})
}

func FuzzMultifd(f *testing.F) {
	f.Add(multifdHello(0).packet(1, 0, nil, nil).packet(0, 8192, []int{1, 2}, []int{3}).packet(3, 9, []int{1}, nil).b, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		fuzzCuts(t, data, seed, func(m *Migration) tcp.Consumer { return m.Multifd() })
	})
}

func FuzzPreempt(f *testing.F) {
	f.Add(new(encoder).page(testRAM, 1).zero(testRAM, 2).page(testRAM, 3).be64(flagEOS).b, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		fuzzCuts(t, data, seed, func(m *Migration) tcp.Consumer { return m.Preempt() })
	})
}
