package offset

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
	"virtscope/probes/capture/packet"
)

// A path lies between two vantage points.
type path struct {
	r      *rand.Rand
	offset time.Duration                // of B's clock at time 0, less A's
	drift  float64                      // B gains so many seconds per second
	delay  [2]func(at int64) int64      // ns, from A to B and from B to A
	unit   [2]int64                     // ns, to which the clocks are cut; 0 is 1
	step   func(at int64) (ahead int64) // what was added to B's clock; nil is nothing
	miss   float64                      // part of the packets that a side does not capture
	again  float64                      // part of the packets that are sent twice
}

// epoch is when a simulation begins, on A's clock.
const epoch = 1_795_000_000_000_000_000

// theta is what B's clock shows more than A's.
func (p *path) theta(at int64) float64 {
	ahead := 0.0
	if p.step != nil {
		ahead = float64(p.step(at))
	}
	return float64(p.offset) + p.drift*float64(at-epoch) + ahead
}

func (p *path) clock(side Side, at int64) int64 {
	if side == B {
		at += int64(math.Round(p.theta(at)))
	}
	if unit := p.unit[side]; unit > 1 {
		at -= at % unit
	}
	return at
}

// send lets a packet pass both points.
func (p *path) send(e *Estimator, at int64, fromA bool, x *packet.Packet) {
	times := 1
	if p.r.Float64() < p.again {
		times = 2
	}
	for range times {
		first, second, delay := A, B, p.delay[0]
		if !fromA {
			first, second, delay = B, A, p.delay[1]
		}
		if p.r.Float64() >= p.miss {
			e.Add(first, p.clock(first, at), x)
		}
		if p.r.Float64() >= p.miss {
			arrival := at + delay(at)
			e.Add(second, p.clock(second, arrival), x)
		}
		at += 200_000_000
		again := *x
		again.ID += 1000
		x = &again
	}
}

// connections gives the packets of n connections that take d, in both directions, an interval apart on average.
func (p *path) connections(e *Estimator, n int, d, interval time.Duration) {
	for c := range n {
		client, server := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(c)}), uint16(40000+c)), netip.MustParseAddrPort("10.0.1.1:4444")
		clientAtA := p.r.IntN(2) == 0
		x := packet.Packet{Kind: packet.TCP, Src: client, Dst: server, Flags: packet.FlagSYN, Options: []byte{2, 4, 5, 0xb4}}
		y := packet.Packet{Kind: packet.TCP, Src: server, Dst: client, Flags: packet.FlagSYN | packet.FlagACK, Options: []byte{2, 4, 5, 0xb4}}
		for at := int64(epoch); at < epoch+int64(d); at += p.r.Int64N(2 * int64(interval)) {
			x.Seq += uint32(x.PayloadLength) + 1
			x.PayloadLength, x.Ack, x.ID, x.Flags = p.r.IntN(60_000), y.Seq, x.ID+1, packet.FlagACK
			p.send(e, at, clientAtA, &x)
			y.PayloadLength, y.Ack, y.ID = 0, x.Seq, y.ID+1
			y.Seq += uint32(p.r.IntN(2))
			p.send(e, at+300_000, !clientAtA, &y)
		}
	}
}

// delays are at least least, and mostly little more.
func (p *path) delays(least, more time.Duration) func(int64) int64 {
	return func(int64) int64 { return int64(least) + int64(p.r.ExpFloat64()*float64(more)) }
}

// holds says whether the truth lies in the result, all along the capture.
func (p *path) holds(t *testing.T, r Result) {
	t.Helper()
	if !r.Known {
		t.Fatalf("not known: %s", r.Why)
	}
	within := func(what string, at int64, offset, bound time.Duration) {
		if truth := p.theta(at); truth < float64(offset-bound)-1 || truth > float64(offset+bound)+1 {
			t.Fatalf("%s: offset %v ± %v, the truth is %v\n%+v", what, offset, bound, time.Duration(truth), r)
		}
	}
	for i := range int64(11) {
		within("whole", r.Start.Time+i*(r.End.Time-r.Start.Time)/10, r.Offset, r.Bound)
	}
	within("start", r.Start.Time, r.Start.Offset, r.Start.Bound)
	within("end", r.End.Time, r.End.Offset, r.End.Bound)
	if p.step == nil && (r.DriftMin > p.drift+1e-9 || r.DriftMax < p.drift-1e-9) {
		t.Fatalf("drift %v to %v, the truth is %v", r.DriftMin, r.DriftMax, p.drift)
	}
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	const offset = -3700 * time.Millisecond
	for _, c := range []struct {
		name  string
		drift float64
		unit  [2]int64
		miss  float64
		again float64
		most  time.Duration // of Bound
	}{
		{name: "asymmetric delays", most: 1200 * time.Microsecond},
		{name: "microseconds", unit: [2]int64{1000, 1}, most: 1200 * time.Microsecond},
		{name: "milliseconds at B", unit: [2]int64{1, 1_000_000}, most: 2200 * time.Microsecond},
		{name: "drops and retransmissions", miss: 0.3, again: 0.1, most: 1500 * time.Microsecond},
		{name: "drift", drift: 40e-6, most: 2500 * time.Microsecond}, // 40 ppm of 60 s is 2.4 ms from end to end
		{name: "drift the other way", drift: -300e-6, most: 11 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &path{r: rand.New(rand.NewPCG(1, 2)), offset: offset, drift: c.drift, unit: c.unit, miss: c.miss, again: c.again}
			p.delay = [2]func(int64) int64{p.delays(2*time.Millisecond, 5*time.Millisecond), p.delays(100*time.Microsecond, 300*time.Microsecond)}
			e := New()
			p.connections(e, 3, time.Minute, 10*time.Millisecond)
			r := e.Estimate()
			p.holds(t, r)
			if r.Bound > c.most || r.Connections != 3 || r.Packets < 10_000 {
				t.Errorf("got %+v", r)
			}
			if r.Start.Bound > 1800*time.Microsecond+time.Duration(c.unit[B]) {
				t.Errorf("at the start: %+v", r.Start)
			}
			if s := e.Estimate(); s != r {
				t.Errorf("the second time %+v, not %+v", s, r)
			}
		})
	}
}

// Whatever the delays, losses and clocks, the truth is within the bound.
func TestTruthIsWithinBound(t *testing.T) {
	t.Parallel()
	known := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := &path{
			r: r, offset: time.Duration(r.Int64N(2e13) - 1e13), drift: (r.Float64()*2 - 1) * 0.98 * MaxDrift,
			miss: r.Float64() * r.Float64(), again: r.Float64() * 0.2,
		}
		for i := range p.delay {
			least, more := time.Duration(math.Exp(r.Float64()*16)), time.Duration(math.Exp(r.Float64()*18))
			p.delay[i] = p.delays(least, more)
			p.unit[i] = []int64{1, 1, 1000, 1_000_000}[r.IntN(4)]
		}
		if seed%10 == 0 { // none at all
			p.delay = [2]func(int64) int64{func(int64) int64 { return 0 }, func(int64) int64 { return 0 }}
		}
		e := New()
		e.keys = 1 + r.IntN(3000)
		p.connections(e, 1+r.IntN(4), time.Duration(1+r.IntN(100))*time.Second, time.Duration(1+r.IntN(200))*time.Millisecond)
		result := e.Estimate()
		if !result.Known {
			if result.Why == "" || result.Offset != 0 || result.Bound != 0 {
				t.Fatalf("seed %d: %+v", seed, result)
			}
			if strings.Contains(result.Why, "evenly") {
				t.Fatalf("seed %d: %s", seed, result.Why)
			}
			continue
		}
		known++
		p.holds(t, result)
	}
	if known < 250 {
		t.Fatalf("%d of 300 are known", known)
	}
}

// Both sides remember the same packets, however many there are and in whatever order they come.
func TestSampling(t *testing.T) {
	t.Parallel()
	p := &path{r: rand.New(rand.NewPCG(5, 6)), offset: time.Hour}
	p.delay = [2]func(int64) int64{p.delays(time.Millisecond, time.Millisecond), p.delays(time.Millisecond, time.Millisecond)}
	e := New()
	e.keys = 1000
	p.connections(e, 5, 100*time.Second, 10*time.Millisecond)
	r := e.Estimate()
	p.holds(t, r)
	if len(e.seen) > 1000 || r.Packets < 450 || r.Connections != 5 {
		t.Fatalf("%d remembered, %+v", len(e.seen), r)
	}
	if span := r.End.Time - r.Start.Time; span < 95e9 {
		t.Fatalf("they span %v s of 100", span/1e9)
	}
}

// The same capture twice: no delay, so neither direction has the larger differences, and the offset is 0 either way.
func TestSameCapture(t *testing.T) {
	t.Parallel()
	p := &path{r: rand.New(rand.NewPCG(8, 9))}
	none := func(int64) int64 { return 0 }
	p.delay = [2]func(int64) int64{none, none}
	e := New()
	p.connections(e, 2, 10*time.Second, time.Millisecond)
	r := e.Estimate()
	p.holds(t, r)
	if r.Bound > 10*time.Microsecond {
		t.Fatalf("got %+v", r)
	}
}

func TestNotKnown(t *testing.T) {
	t.Parallel()
	client, server := netip.MustParseAddrPort("[fd00::1]:4000"), netip.MustParseAddrPort("[fd00::2]:5000")
	there := func(seq uint32) *packet.Packet {
		return &packet.Packet{Kind: packet.TCP, Src: client, Dst: server, Seq: seq, PayloadLength: 10}
	}
	back := func(seq uint32) *packet.Packet {
		return &packet.Packet{Kind: packet.TCP, Src: server, Dst: client, Seq: seq, PayloadLength: 10}
	}
	stepped := &path{r: rand.New(rand.NewPCG(1, 1)), step: func(at int64) int64 {
		if at > epoch+5e9 {
			return 100_000_000
		}
		return 0
	}}
	stepped.delay = [2]func(int64) int64{stepped.delays(1000, 1000), stepped.delays(1000, 1000)}
	for name, c := range map[string]struct {
		feed func(e *Estimator)
		want string
	}{
		"nothing":   {func(*Estimator) {}, "no TCP packet in the first"},
		"no second": {func(e *Estimator) { e.Add(A, 5, there(1)) }, "no TCP packet in the second"},
		"no time":   {func(e *Estimator) { e.Add(A, math.MinInt64, there(1)); e.Add(B, 5, there(1)) }, "in the first"},
		"udp":       {func(e *Estimator) { e.Add(A, 5, &packet.Packet{Kind: packet.UDP}) }, "in the first"},
		"others":    {func(e *Estimator) { e.Add(A, 5, there(1)); e.Add(B, 5, there(2)) }, "no TCP packet is in both"},
		"twice":     {func(e *Estimator) { e.Add(A, 5, there(1)); e.Add(A, 5, there(1)); e.Add(B, 5, there(1)) }, "first capture has packets more than once"},
		"one way": {func(e *Estimator) {
			e.Add(A, 5, there(1))
			e.Add(B, 5005, there(1))
			e.Add(A, 9, there(2))
			e.Add(B, 7009, there(2))
		}, "at most 5µs if those packets passed the first capture first, and by at least 7µs"},
		"clock step": {func(e *Estimator) { stepped.connections(e, 2, 10*time.Second, time.Millisecond) }, "clock was set"},
		"contradiction": {func(e *Estimator) {
			for i := range uint32(3) {
				at := int64(i)*1e9 + 1
				e.Add(A, at+1e9, there(i))
				e.Add(B, at+1e9+2000, there(i))
				e.Add(A, at+1e9, back(i))
				e.Add(B, at+1e9+1000, back(i))
				x, y := *there(i), *back(i)
				x.Src = netip.AddrPortFrom(client.Addr(), 4001)
				y.Dst = x.Src
				e.Add(A, at+1e9, &x)
				e.Add(B, at+1e9+9000, &x)
				e.Add(A, at+1e9, &y)
				e.Add(B, at+1e9+8000, &y)
			}
		}, "contradict"},
	} {
		e := New()
		c.feed(e)
		if r := e.Estimate(); r.Known || !strings.Contains(r.Why, c.want) {
			t.Errorf("%s: %+v, want %q", name, r, c.want)
		}
	}
}

// What tells packets apart, and what does not.
func TestIdentify(t *testing.T) {
	t.Parallel()
	base := packet.Packet{
		Kind: packet.TCP, Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2"),
		Seq: 1, Ack: 2, Flags: packet.FlagACK, Window: 3, ID: 4, PayloadLength: 5, Options: []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2},
	}
	key, flow, first := identify(&base)
	for name, change := range map[string]func(p *packet.Packet){
		"seq": func(p *packet.Packet) { p.Seq++ }, "ack": func(p *packet.Packet) { p.Ack++ }, "flags": func(p *packet.Packet) { p.Flags++ },
		"window": func(p *packet.Packet) { p.Window++ }, "id": func(p *packet.Packet) { p.ID++ }, "length": func(p *packet.Packet) { p.PayloadLength++ },
		"time stamp": func(p *packet.Packet) { p.Options = []byte{1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 2} },
		"echo":       func(p *packet.Packet) { p.Options = []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 3} },
	} {
		p := base
		change(&p)
		if k, f, d := identify(&p); k == key || f != flow || d != first {
			t.Errorf("another %s: key %x and %x, flow %x and %x", name, k, key, f, flow)
		}
	}
	p := base
	p.Src, p.Dst = p.Dst, p.Src
	if k, f, d := identify(&p); k == key || f != flow || d == first {
		t.Error("the other direction")
	}
	p = base
	p.SrcMAC, p.VLAN, p.Payload = packet.MAC{1}, 7, []byte("abc")
	if k, _, _ := identify(&p); k != key {
		t.Error("what a hop changes changes the key")
	}
	p.Src = netip.MustParseAddrPort("10.0.0.3:1")
	if _, f, _ := identify(&p); f == flow {
		t.Error("another address is the same flow")
	}
}

func BenchmarkAdd(b *testing.B) {
	e := New()
	p := packet.Packet{Kind: packet.TCP, Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2"), Options: make([]byte, 12)}
	b.ReportAllocs()
	for i := range b.N {
		p.Seq++
		e.Add(Side(i&1), int64(i+1), &p)
	}
}
