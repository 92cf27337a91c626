package traffic

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/relay"
)

// recorder keeps records.
type recorder struct {
	mu   sync.Mutex
	list []results.Record
}

func (r *recorder) Record(rec results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rec)
}

// last is each flow's last counter, and checks that no counter falls and that nothing is received before it was sent.
func (r *recorder) last(t *testing.T) (sent, received map[string]float64, samples int) {
	t.Helper()
	sent, received = map[string]float64{}, map[string]float64{}
	for _, x := range r.list {
		flow := x.Attrs["flow"]
		if x.Source != results.SourceRunner || x.Unit != results.Bytes || x.Attrs["direction"] != "forward" || flow == "" {
			t.Fatalf("record %+v", x)
		}
		counters, host := sent, testbed.Source
		if x.Name == results.TrafficReceived {
			counters, host = received, testbed.Destination
			samples++
		}
		if x.Value < counters[flow] || x.Host != host {
			t.Errorf("%+v after %g", x, counters[flow])
		}
		if x.Attrs["overflow"] != "" {
			t.Logf("the machine was too slow to receive: %+v", x)
		}
		counters[flow] = x.Value
		if x.Name == results.TrafficSent && received[flow] > x.Value {
			t.Errorf("flow %s: more received than sent: %+v", flow, x)
		}
	}
	return sent, received, samples
}

const relayArgument = "frame-relay"

// TestMain also plays the frame relay.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != relayArgument {
		os.Exit(m.Run())
	}
	if err := relay.Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bed(t *testing.T, l testbed.Link) *testbed.Testbed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	b := make([]byte, 4)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	tb, err := testbed.Up(t.Context(), testbed.Config{
		RunID: hex.EncodeToString(b), Link: l, Emulator: testbed.EmulatorRelay, RelayCommand: []string{os.Args[0], relayArgument},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tb.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tb
}

func config(tb *testbed.Testbed, kind string, rate float64, flows int) Config {
	return Config{
		From: tb.Source(), To: tb.Destination(), Addr: tb.LanAddr(testbed.Destination),
		Kind: kind, Rate: rate, Flows: flows, Direction: "forward",
	}
}

func drive(t *testing.T, c Config, long time.Duration) *recorder {
	t.Helper()
	var rec recorder
	stop, err := Start(t.Context(), c, &rec)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(long)
	for range 2 {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	return &rec
}

// On a link that loses nothing, all that was sent has come when stop returns.
func TestCountersAgree(t *testing.T) {
	cable, relayed := bed(t, testbed.Link{Rate: 12.5e6}), bed(t, testbed.Link{Rate: 12.5e6, Delay: 5 * time.Millisecond})
	for _, tt := range []struct {
		name  string
		tb    *testbed.Testbed
		kind  string
		rate  float64
		flows int
	}{
		{"datagrams", cable, UDP, 2e6, 1},
		{"many flows of datagrams", cable, UDP, 2e6, 8},
		{"a stream", cable, TCP, 0, 1},
		{"limited streams", cable, TCP, 2e6, 3},
		{"datagrams at once", cable, UDP, 8e6, 1},
		{"datagrams at once through the relay", relayed, UDP, 8e6, 1},
		{"a stream through the relay", relayed, TCP, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const long = time.Second
			begin := time.Now()
			rec := drive(t, config(tt.tb, tt.kind, tt.rate, tt.flows), long)
			took := time.Since(begin)
			sent, received, samples := rec.last(t)
			total := 0.0
			for flow, n := range sent {
				total += n
				if n != received[flow] || n <= 0 {
					t.Errorf("flow %s: %g B sent, %g B received", flow, n, received[flow])
				}
			}
			t.Logf("%.0f B in %s, %d samples", total, took, samples)
			if len(sent) != tt.flows || samples < 3*tt.flows {
				t.Errorf("%d flows, %d samples", len(sent), samples)
			}
			// A busy machine may send less, and none may send more.
			limit := 12.5e6*took.Seconds() + 200<<10
			if tt.rate > 0 {
				limit = tt.rate*(took+catchUp).Seconds() + float64(tt.flows*chunk)
			}
			if total > limit {
				t.Errorf("%.0f B were sent, at most %.0f B are due", total, limit)
			}
		})
	}
}

// More than the link takes is lost, and the counters say so.
func TestOverload(t *testing.T) {
	tb := bed(t, testbed.Link{Rate: 1e6})
	sent, received, _ := drive(t, config(tb, UDP, 4e6, 2), time.Second).last(t)
	for flow, n := range sent {
		if got := received[flow]; got <= 0 || got >= 0.8*n {
			t.Errorf("flow %s: %g B sent over a link of half the rate, %g B received", flow, n, got)
		}
	}
}

// A stream survives a link that is cut for a while, and stop does not wait for one that stays cut.
func TestCut(t *testing.T) {
	tb := bed(t, testbed.Link{Rate: 12.5e6})
	var rec recorder
	stop, err := Start(t.Context(), config(tb, TCP, 0, 1), &rec)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if _, err := tb.Cut(t.Context(), testbed.LinkName, testbed.Source); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	sent, received, _ := rec.last(t)
	if sent["0"] <= received["0"] {
		t.Errorf("%g B sent, %g B received: the cut link held nothing back", sent["0"], received["0"])
	}
}

func TestContextEndsTraffic(t *testing.T) {
	tb := bed(t, testbed.Link{Rate: 12.5e6})
	ctx, cancel := context.WithCancel(t.Context())
	var rec recorder
	stop, err := Start(ctx, config(tb, UDP, 1e6, 1), &rec)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	cancel()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	sent, received, _ := rec.last(t)
	if sent["0"] <= 0 || sent["0"] != received["0"] {
		t.Errorf("%v sent, %v received", sent, received)
	}
	n := len(rec.list)
	time.Sleep(3 * Interval)
	if len(rec.list) != n {
		t.Error("it records after its end")
	}
}

func TestBadConfig(t *testing.T) {
	for want, edit := range map[string]func(*Config){
		"kind":      func(c *Config) { c.Kind = "sctp" },
		"rate":      func(c *Config) { c.Rate = 0 },
		"flows":     func(c *Config) { c.Flows = 257 },
		"two hosts": func(c *Config) { c.To = nil },
	} {
		c := Config{Kind: UDP, Rate: 1e6}
		edit(&c)
		_, err := Start(t.Context(), c, new(recorder))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
