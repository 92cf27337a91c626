package capture

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
	"virtscope/probes/capture/packet"
	"virtscope/results"
)

// recorder keeps records.
type recorder struct {
	mu      sync.Mutex
	records []results.Record
}

func (r *recorder) Record(rec results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
}

func (r *recorder) named(name string) []results.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.records), func(x results.Record) bool { return x.Name != name })
}

// sum adds the values of a name in one direction.
func (r *recorder) sum(name, dir string) float64 {
	total := 0.0
	for _, x := range r.named(name) {
		if x.Attrs["dir"] == dir {
			total += x.Value
		}
	}
	return total
}

func testFlow() FlowSpec {
	return FlowSpec{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Ports: []uint16{4444, 4445}}
}

func TestFlowBins(t *testing.T) {
	t.Parallel()
	var log recorder
	f := newFlow(testFlow(), time.Millisecond, log.Record)
	end := netip.MustParseAddrPort
	client, other := end("10.0.0.1:40000"), end("10.0.0.1:40001")
	server, second := end("10.0.0.2:4444"), end("10.0.0.2:4445")
	base := int64(1_700_000_000_000_000_000)
	f.add(client, server, base+10, 1500, 1434)
	f.add(other, second, base+999_999, 1000, 934)                   // the same bin, another connection
	f.add(server, client, base+5, 66, 0)                            // reverse, no payload
	f.add(client, server, base+1_000_000, 100, 34)                  // the next bin
	f.add(client, end("10.0.0.2:22"), base, 5000, 5000)             // another port
	f.add(server, end("10.0.0.3:40000"), base, 5000, 5000)          // another host
	f.add(end("10.0.0.1:4444"), end("10.0.0.2:9"), base, 5000, 900) // the port on the wrong side
	f.end()

	attrs := func(dir string) map[string]string {
		return map[string]string{"flow": "migration", "dir": dir, "bin": "0.001"}
	}
	want := []results.Record{
		{Time: base, Name: results.FlowBytes, Value: 2500, Unit: results.Bytes, Attrs: attrs("forward")},
		{Time: base, Name: results.FlowPayload, Value: 2368, Unit: results.Bytes, Attrs: attrs("forward")},
		{Time: base + 1_000_000, Name: results.FlowBytes, Value: 100, Unit: results.Bytes, Attrs: attrs("forward")},
		{Time: base + 1_000_000, Name: results.FlowPayload, Value: 34, Unit: results.Bytes, Attrs: attrs("forward")},
		{Time: base, Name: results.FlowBytes, Value: 66, Unit: results.Bytes, Attrs: attrs("reverse")},
	}
	if !slices.EqualFunc(log.records, want, sameRecord) {
		t.Fatalf("got\n%+v\nwant\n%+v", log.records, want)
	}
}

// Each flow is counted by itself: what is one's is not another's.
func TestFlowsAreToldApart(t *testing.T) {
	t.Parallel()
	host, dst, guest := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.77.0.10")
	var log recorder
	flows, err := newFlows(Config{
		Flow: FlowSpec{Src: host, Dst: dst, Ports: []uint16{49152}}, Bin: time.Millisecond,
		Flows: []FlowSpec{
			{Name: results.FlowDisk, Src: host, Dst: dst, Ports: []uint16{49252}},
			{Name: results.FlowClient, Dst: guest, Ports: []uint16{7001, 7002}, UDP: true, Bin: time.Second},
			{Name: "nothing"},
		},
	}, log.Record)
	if err != nil || len(flows) != 3 {
		t.Fatalf("%d flows, %v; want the three that have ports", len(flows), err)
	}
	base := int64(1_700_000_000_000_000_000)
	see := func(kind packet.Kind, src, dst string, payload int) {
		p := &packet.Packet{Kind: kind, Src: netip.MustParseAddrPort(src), Dst: netip.MustParseAddrPort(dst), PayloadLength: payload}
		for _, f := range flows {
			f.see(p, base+5_000_000, payload+54)
		}
	}
	see(packet.TCP, "10.0.0.1:40000", "10.0.0.2:49152", 1000)
	see(packet.TCP, "10.0.0.1:40001", "10.0.0.2:49252", 300)
	see(packet.TCP, "10.0.0.2:49252", "10.0.0.1:40001", 20)
	see(packet.TCP, "10.77.0.3:40000", "10.77.0.10:7001", 7)
	see(packet.TCP, "10.77.0.4:40000", "10.77.0.10:7001", 8) // any client
	see(packet.UDP, "10.77.0.10:7002", "10.77.0.3:40000", 1200)
	see(packet.UDP, "10.0.0.1:40000", "10.0.0.2:49152", 5)   // the migration is TCP
	see(packet.TCP, "10.77.0.10:7001", "10.77.0.10:9999", 0) // from the guest's port, without payload
	see(packet.TCP, "10.0.0.3:40000", "10.0.0.2:49252", 5)   // of another host
	see(packet.ARP, "10.0.0.1:40000", "10.0.0.2:49152", 5)
	for _, f := range flows {
		f.end()
	}
	type total struct{ flow, dir, bin string }
	got := map[total]float64{}
	for _, r := range log.named(results.FlowPayload) {
		got[total{r.Attrs["flow"], r.Attrs["dir"], r.Attrs["bin"]}] += r.Value
	}
	want := map[total]float64{
		{results.FlowMigration, "forward", "0.001"}: 1000,
		{results.FlowDisk, "forward", "0.001"}:      300,
		{results.FlowDisk, "reverse", "0.001"}:      20,
		{results.FlowClient, "forward", "1"}:        15,
		{results.FlowClient, "reverse", "1"}:        1200,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFlowsOfOneName(t *testing.T) {
	t.Parallel()
	named := testFlow()
	named.Name = results.FlowMigration
	if _, err := newFlows(Config{Host: "switch", Flow: testFlow(), Flows: []FlowSpec{named}}, nil); err == nil {
		t.Error("two flows have one name")
	}
}

func sameRecord(a, b results.Record) bool {
	return a.Time == b.Time && a.Name == b.Name && a.Value == b.Value && a.Unit == b.Unit &&
		a.Attrs["flow"] == b.Attrs["flow"] && a.Attrs["dir"] == b.Attrs["dir"] && a.Attrs["bin"] == b.Attrs["bin"]
}

// Whatever order frames come in, each counts once, in the bin where it was, and bins come in order while
// frames are late by less than the window.
func TestFlowLosesNothing(t *testing.T) {
	t.Parallel()
	for _, jitter := range []int64{0, 30, 500} { // in bins; the window is 64
		var log recorder
		f := newFlow(testFlow(), time.Millisecond, log.Record)
		r := rand.New(rand.NewPCG(3, uint64(jitter)))
		src, dst := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:4445")
		want := map[int64]float64{}
		base := int64(1_700_000_000_000_000_000)
		for range 20_000 {
			base += r.Int64N(2_000_000)
			if r.IntN(1000) == 0 {
				base += 3_000_000_000 // a pause
			}
			at := base - r.Int64N(jitter*1_000_000+1)
			size := 60 + r.IntN(65_000)
			f.add(src, dst, at, size, 1)
			want[at/1_000_000*1_000_000] += float64(size)
		}
		f.end()
		got, last := map[int64]float64{}, int64(0)
		for _, x := range log.named(results.FlowBytes) {
			got[x.Time] += x.Value
			if jitter < window && x.Time <= last {
				t.Fatalf("jitter %d: bin %d came after %d", jitter, x.Time, last)
			}
			last = x.Time
		}
		if len(got) != len(want) {
			t.Fatalf("jitter %d: %d bins, want %d", jitter, len(got), len(want))
		}
		for at, bytes := range want {
			if got[at] != bytes {
				t.Fatalf("jitter %d: bin %d has %v B, want %v", jitter, at, got[at], bytes)
			}
		}
		if n := log.sum(results.FlowPayload, "forward"); n != 20_000 {
			t.Fatalf("jitter %d: payload %v, want 20000", jitter, n)
		}
	}
}
