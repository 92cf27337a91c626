package qemu

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"virtscope/probes/wire/tcp"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

func TestPreCopy(t *testing.T) {
	m, l := decode(t, precopy(), whole)
	if m.Damages() != 0 {
		t.Fatalf("damaged: %v", l.find(results.WireDamage))
	}
	want := map[string]int64{results.PageNormal: 400 + 424 + 50 + 10, results.PageZero: 200 + 16}
	if diff := cmp.Diff(want, m.Pages()); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	var stages []string
	for _, r := range l.find(results.WireStage) {
		stages = append(stages, r.Attrs["stage"])
	}
	if diff := cmp.Diff([]string{results.StageSetup, results.StagePreCopy, results.StageStopCopy, results.StageDeviceState, results.StageSwitchOver}, stages); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	rounds := m.Rounds()
	if len(rounds) != 3 || rounds[0].How != howStart || rounds[1].How != howAgain || rounds[2].How != howFinal {
		t.Fatalf("rounds: %+v", rounds)
	}
	sum := map[string]int64{}
	var stream int64
	for _, r := range rounds {
		for kind, n := range r.Pages {
			sum[kind] += n
		}
		stream += r.Bytes
	}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("the rounds' pages do not add up (-want +got):\n%s", diff)
	}
	if rounds[2].Span != 10 || rounds[2].Resent != 10 {
		t.Errorf("the stop sent %d pages, %d again, want 10 and 10", rounds[2].Span, rounds[2].Resent)
	}
	if m.Syncs() != 4 || l.find(results.WireSyncs)[0].Attrs["atleast"] != "true" {
		t.Errorf("synchronisations: %d, want 4", m.Syncs())
	}
	want2 := []Device{{Name: "timer", Bytes: 1 + 4 + 6 + 8 + 9 + 5, Checked: true}, {Name: "cpu", Bytes: 1 + 4 + 4 + 8 + 100 + 5, Checked: true}}
	if diff := cmp.Diff(want2, m.Devices()); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
	if !m.Complete() || l.find(results.WireMigration)[0].Attrs["machine"] != "pc-q35-10.0" {
		t.Error("the end mark or the machine was not read")
	}
	if got := int64(len(precopy())); stream > got || stream < got-2000 {
		t.Errorf("rounds hold %d B of %d", stream, got)
	}
}

// Records must not depend on how bytes come.
func TestCuts(t *testing.T) {
	for name, data := range map[string][]byte{"precopy": precopy(), "damaged": damaged(), "middle": precopy()[99_999:], "postcopy": postcopy()} {
		_, want := decode(t, data, whole)
		for seed := range uint64(12) {
			rng := rand.New(rand.NewPCG(seed, 1))
			limit := []int{1, 3, 17, 1448}[seed%4]
			_, got := decode(t, data, func(int) int { return 1 + rng.IntN(limit) })
			if diff := cmp.Diff(want.records, got.records); diff != "" {
				t.Fatalf("%s, cut to %d B and less (-whole +cut):\n%s", name, limit, diff)
			}
		}
	}
}

func damaged() []byte {
	data := bytes.Clone(precopy())
	for i := 1_000_000; i < 1_020_000; i++ {
		data[i] = 0xee
	}
	return data
}

func TestDamage(t *testing.T) {
	m, l := decode(t, damaged(), whole)
	if m.Damages() != 1 || len(l.find(results.WireResync)) != 1 || !m.Complete() || !m.AtLeast() {
		t.Fatalf("damages %d, resync %v, complete %v", m.Damages(), l.find(results.WireResync), m.Complete())
	}
	whole, _ := decode(t, precopy(), whole)
	lost := whole.Pages()[results.PageNormal] - m.Pages()[results.PageNormal] - m.Pages()[results.PageUnknown]
	if lost < 0 || lost > 4 {
		t.Errorf("%v of %v pages were found", m.Pages(), whole.Pages())
	}
	if u := m.Undecoded(m.Main()); u < 12_000 || u > 30_000 {
		t.Errorf("%d B not decoded, want about 20000", u)
	}
}

func TestGap(t *testing.T) {
	data := precopy()
	for _, test := range []struct {
		name     string
		at, n    int64
		damages  int
		complete bool
	}{
		{"many pages", 1_000_000, 500_000, 1, true},
		{"a section's edge", int64(bytes.LastIndex(data, []byte{sectionFooter, 0, 0, 0, 2, sectionPart, 0, 0, 0, 2})) - 3, 9, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.at < 0 {
				t.Fatal("no such edge in the stream")
			}
			l := &log{}
			m := New(Config{}, l)
			c := m.Main()
			c.Data(0, data[:test.at], tcp.Stamp{Time: 1, Packet: 1})
			c.Gap(test.at, test.n, tcp.Stamp{Time: 2, Packet: 2})
			c.Data(test.at+test.n, data[test.at+test.n:], tcp.Stamp{Time: 3, Packet: 3})
			c.End(tcp.Fin, tcp.Stamp{Time: 4})
			m.End(tcp.Stamp{Time: 4})
			if m.Damages() != test.damages || m.Complete() != test.complete {
				t.Errorf("damages %d, complete %v: %v", m.Damages(), m.Complete(), l.find(results.WireDamage))
			}
		})
	}
}

func TestGapInContents(t *testing.T) {
	e := setup().section(sectionPart, 2, "")
	at := int64(len(e.b))
	for i := range 10 {
		e.page(testRAM, i)
	}
	e.eos(2)
	l := &log{}
	m := New(Config{}, l)
	m.Main().Data(0, e.b[:at+100], tcp.Stamp{})
	m.Main().Gap(at+100, 3000, tcp.Stamp{})
	m.Main().Data(at+3100, e.b[at+3100:], tcp.Stamp{})
	if m.Damages() != 0 || m.Pages()[results.PageNormal] != 10 || m.AtLeast() {
		t.Errorf("a hole in a page's contents: damages %d, pages %v", m.Damages(), m.Pages())
	}
}

func TestMiddle(t *testing.T) {
	m, l := decode(t, precopy()[100_000:], whole)
	begin := l.find(results.WireMigration, "start", "middle")
	if len(begin) != 1 || !m.AtLeast() || !m.Complete() {
		t.Fatalf("begin %v, complete %v, damage %v", begin, m.Complete(), l.find(results.WireDamage))
	}
	if n := m.Pages()[results.PageNormal]; n < 800 {
		t.Errorf("%d pages, want most of 884", n)
	}
}

func TestBlockList(t *testing.T) {
	for _, test := range []struct {
		name string
		list func(e *encoder)
		page int64
	}{
		{"plain", func(e *encoder) { e.str("a").be64(1 << 20).str("b").be64(1 << 20) }, 0},
		{"page size of the first", func(e *encoder) { e.str("a").be64(1 << 20).be64(2 << 20).str("b").be64(1 << 20) }, 2 << 20},
		{"page size of both", func(e *encoder) { e.str("a").be64(1 << 20).be64(2 << 20).str("b").be64(1 << 20).be64(2 << 20) }, 2 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := new(encoder).head().section(sectionStart, 2, "ram").be64(2<<20 | flagMemSize)
			test.list(e)
			e.eos(2).section(sectionPart, 2, "").zero("a", 1).zero("b", 255).eos(2)
			m, l := decode(t, e.b, whole)
			if m.Damages() != 0 || m.Pages()[results.PageZero] != 2 || len(l.find(results.WireBlock)) != 2 {
				t.Fatalf("damage %v, pages %v", l.find(results.WireDamage), m.Pages())
			}
			if m.ledger.blocks.list[0].page != test.page {
				t.Errorf("page size %d, want %d", m.ledger.blocks.list[0].page, test.page)
			}
		})
	}
}

func TestAbsurd(t *testing.T) {
	for name, e := range map[string]*encoder{
		"memory":       new(encoder).head().section(sectionStart, 2, "ram").be64(1<<60 | flagMemSize).str("a").be64(1 << 60),
		"version":      new(encoder).be32(fileMagic).be32(9).raw(make([]byte, 100)...),
		"page outside": setup().section(sectionPart, 2, "").zero(testBIOS, 16),
		"unknown":      setup().section(sectionPart, 2, "").zero("nothing", 1),
	} {
		if m, l := decode(t, e.b, whole); m.Damages() != 1 || len(l.find(results.WireDamage)) != 1 {
			t.Errorf("%s: %d damages", name, m.Damages())
		}
	}
}

func postcopy() []byte {
	e := new(encoder).head().command(commandReturnPath).command(commandPing, 0, 0, 0, 1)
	e.command(commandAdvise, make([]byte, 16)...)
	e.section(sectionStart, 2, "ram").be64(1040*4096 | flagMemSize).str(testRAM).be64(1024 * 4096).str(testBIOS).be64(16 * 4096).eos(2)
	e.section(sectionPart, 2, "")
	for i := range 100 {
		e.page(testRAM, i)
	}
	e.eos(2).command(commandPing, 0, 0, 0, 2).command(commandDiscard, 0)
	in := new(encoder).command(commandListen).section(sectionFull, 5, "cpu").raw(make([]byte, 50)...).footer(5).command(commandRun)
	e.command(commandPackaged, 0, 0, byte(len(in.b)>>8), byte(len(in.b))).raw(in.b...)
	e.section(sectionPart, 2, "")
	for i := 100; i < 300; i++ {
		e.page(testRAM, i)
	}
	return e.eos(2).section(sectionEnd, 2, "").eos(2).raw(sectionEOF).b
}

func TestPostCopy(t *testing.T) {
	data := postcopy()
	run := bytes.Index(data, []byte{sectionCommand, 0, commandRun, 0, 0})
	l := &log{}
	m := New(Config{}, l)
	m.Main().Data(0, data[:run+5], tcp.Stamp{Time: 1e9, Packet: 1})
	ask := new(encoder).be16(returnPagesID).be16(uint16(13 + len(testRAM))).be64(150 * 4096).be32(4096).str(testRAM)
	ask.be16(returnPages).be16(12).be64(160 * 4096).be32(4096)
	m.Return().Data(0, ask.b, tcp.Stamp{Time: 2e9, Packet: 2})
	half := run + 100 + 60*4104 // page 150 has passed, 160 has not
	m.Main().Data(int64(run+5), data[run+5:half], tcp.Stamp{Time: 2_001e6, Packet: 3})
	late := new(encoder).be16(returnPages).be16(12).be64(150 * 4096).be32(4096).be16(returnShut).be16(4).be32(0)
	m.Return().Data(int64(len(ask.b)), late.b, tcp.Stamp{Time: 2_002e6, Packet: 4})
	m.Main().Data(int64(half), data[half:], tcp.Stamp{Time: 2_003e6, Packet: 5})
	m.End(tcp.Stamp{Time: 3e9, Packet: 6})
	if m.Damages() != 0 || m.Pages()[results.PageNormal] != 300 || m.Syncs() != 2 || !m.Complete() {
		t.Fatalf("damage %v, pages %v, syncs %d", l.find(results.WireDamage), m.Pages(), m.Syncs())
	}
	if at, ok := m.Shut(); !ok || at.Packet != 4 {
		t.Error("SHUT was not seen")
	}
	for answer, want := range map[string]float64{"": 3, "sent": 2, "crossed": 1, "none": 0} {
		if got := l.find(results.WirePageRequests, "answer", answer); len(got) != 1 && answer != "" || got[0].Value != want {
			t.Errorf("requests %q: %v, want %v", answer, got, want)
		}
	}
	if got := l.find(results.WirePageFault, "stat", "min"); got[0].Value != .001 {
		t.Errorf("fastest page: %v s, want 0.001", got[0].Value)
	}
	if got := l.find(results.WirePageFault, "stat", "max"); got[0].Value > .003 || got[0].Value < .00297 {
		t.Errorf("slowest page: %v s, want 0.003", got[0].Value)
	}
	for _, stage := range []string{results.StageStopCopy, results.StageDeviceState, results.StagePostCopy} {
		if len(l.find(results.WireStage, "stage", stage)) != 1 {
			t.Errorf("no stage %q", stage)
		}
	}
}

func multifdHello(id byte) *encoder {
	return new(encoder).be32(multifdMagic).be32(1).raw(make([]byte, 16)...).raw(id).raw(make([]byte, 39)...)
}

func (e *encoder) packet(flags uint32, size int, normal, zero []int) *encoder {
	e.be32(multifdMagic).be32(1).be32(flags).be32(128).be32(uint32(len(normal))).be32(uint32(size)).be64(7).be32(uint32(len(zero))).be32(0).raw(make([]byte, 24)...)
	name := make([]byte, 256)
	copy(name, testRAM)
	e.raw(name...)
	for _, n := range append(append([]int(nil), normal...), zero...) {
		e.be64(uint64(n) * 4096)
	}
	for range 128 - len(normal) - len(zero) {
		e.be64(0)
	}
	if len(normal) > 0 {
		e.raw(make([]byte, size)...)
	}
	return e
}

func TestMultifd(t *testing.T) {
	l := &log{}
	m := New(Config{}, l)
	e := setup().section(sectionPart, 2, "").eos(2)
	main := m.Main()
	main.Data(0, e.b, tcp.Stamp{Time: 1})
	channel := m.Multifd()
	e2 := multifdHello(3).packet(packetSync, 0, nil, nil).packet(0, 8192, []int{1, 2}, []int{3}).packet(packetSync, 8192, nil, nil).packet(1<<1, 77, []int{1}, nil)
	channel.Data(0, e2.b, tcp.Stamp{Time: 2})
	m.End(tcp.Stamp{Time: 3})
	if m.Damages() != 0 || m.Name(channel) != "multifd-3" {
		t.Fatalf("damage %v, name %s", l.find(results.WireDamage), m.Name(channel))
	}
	if diff := cmp.Diff(map[string]int64{results.PageMultifd: 3, results.PageZero: 1}, m.Pages()); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	bytes := m.PageBytes()
	if got := bytes[results.PageMultifd] + bytes[results.PageZero]; got != 2*1344+8192+77 {
		t.Errorf("%d B of pages", got)
	}
	if l.find(results.WirePageBytes, "method", "zlib") == nil {
		t.Error("the compression was not told")
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]Channel{"": More, "QE": More, "QEVM": MainChannel, "QEVMxx": MainChannel, "\x11\x22\x33\x44": MultifdChannel, "\x11": More, "HTTP": Unknown} {
		if got := Sniff([]byte(text)); got != want {
			t.Errorf("Sniff(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestPlausible(t *testing.T) {
	data := precopy()
	if !Plausible(data[500_000:540_000]) {
		t.Error("the middle of a stream is not told")
	}
	noise := make([]byte, 1<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	if Plausible(noise) || Plausible(make([]byte, 1<<20)) {
		t.Error("noise is taken for a stream")
	}
}

// Blanking what Content tells must change no record.
func TestContent(t *testing.T) {
	data := precopy()
	blank := bytes.Clone(data)
	m := New(Config{}, &log{})
	m = New(Config{Content: func(c tcp.Consumer, offset, n int64) {
		if c != m.Main() {
			t.Errorf("contents of another consumer")
		}
		clear(blank[offset : offset+n])
	}}, &log{})
	feed(m.Main(), data, whole)
	if n := bytes.Count(blank, []byte{0}); n < len(data)*9/10 {
		t.Errorf("%d of %d B are blank", n, len(data))
	}
	_, want := decode(t, data, whole)
	_, got := decode(t, blank, whole)
	if diff := cmp.Diff(want.records, got.records); diff != "" {
		t.Errorf("blanking changes (-want +got):\n%s", diff)
	}
}

func TestPagesDoNotAllocate(t *testing.T) {
	e := setup().section(sectionPart, 2, "")
	start := len(e.b)
	for i := range 1000 {
		e.page(testRAM, i)
	}
	m := New(Config{}, &log{})
	c := m.Main()
	c.Data(0, e.b, tcp.Stamp{})
	pages := e.b[start:]
	at := int64(len(e.b))
	if n := testing.AllocsPerRun(5, func() {
		m.ledger.lap, m.ledger.at = 0, -1
		c.Data(at, pages, tcp.Stamp{})
		at += int64(len(pages))
	}); n > 0 {
		t.Errorf("1000 pages cost %v allocations", n)
	}
}

func ExampleSniff() {
	fmt.Println(Sniff([]byte("QEVM\x00\x00\x00\x03")) == MainChannel)
	// Output: true
}
