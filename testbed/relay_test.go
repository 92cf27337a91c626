package testbed

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

func relayedConfig(t testing.TB, l Link) Config {
	cfg := fullConfig(t)
	cfg.Link, cfg.MigrationLink = l, nil
	cfg.Emulator, cfg.RelayCommand = EmulatorRelay, relayCommand()
	return cfg
}

// throughRelay sends trains through scratch links of the relay until one satisfies good, at most five times: a machine that
// stalls makes any clock late.
func throughRelay(t *testing.T, l Link, frames int, gap time.Duration, good func(train) error) {
	t.Helper()
	needRoot(t)
	var err error
	for range 5 {
		var got train
		scratchErr := host.InScratchNamespace(func() error {
			scratch, err := makeScratch(t.Context(), relayedConfig(t, l), EmulatorRelay, []Link{l})
			if err != nil {
				return err
			}
			got, err = send(t.Context(), scratchDevice(0), frames, gap, l.Delay+l.Jitter)
			if err != nil {
				return err
			}
			return scratch.end()
		})
		if scratchErr != nil {
			t.Fatal(scratchErr)
		}
		// Early is wrong on any machine: a link's delay is the least that it takes. The wall clock may be slewed, by 500 ppm.
		for _, d := range got.delays() {
			if least := (l.Delay - l.Jitter).Seconds(); d < least*(1-500e-6) {
				t.Fatalf("a frame took %g s, less than %g s", d, least)
			}
		}
		if err = good(got); err == nil {
			return
		}
		t.Log(err)
	}
	t.Errorf("five trains, and none as it should be: %v", err)
}

func TestRelayDelay(t *testing.T) {
	for _, l := range []Link{{Delay: time.Microsecond}, {Delay: time.Millisecond}, {Delay: 25 * time.Millisecond, Rate: 125e6}} {
		t.Run(l.Delay.String(), func(t *testing.T) {
			throughRelay(t, l, 200, time.Millisecond, func(got train) error {
				d := got.delays()
				if len(d) != 200 || got.reordered > 0 {
					return fmt.Errorf("%d of 200 frames came, %d behind a later one", len(d), got.reordered)
				}
				slices.Sort(d)
				if median := d[len(d)/2] - l.Delay.Seconds(); median > 1e-3 {
					return fmt.Errorf("the median is %g s late", median)
				}
				return nil
			})
		})
	}
}

// The delay's distribution is uniform: Kolmogorov's distance from it stays below what one in 10,000 samples exceeds.
func TestRelayJitter(t *testing.T) {
	l := Link{Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond}
	const frames = 1000
	throughRelay(t, l, frames, 500*time.Microsecond, func(got train) error {
		d := got.delays()
		if len(d) != frames || got.reordered == 0 {
			return fmt.Errorf("%d of %d frames came, %d behind a later one", len(d), frames, got.reordered)
		}
		slices.Sort(d)
		distance := 0.0
		for i, x := range d {
			f := min(max((x-0.010)/0.020, 0), 1)
			distance = max(distance, math.Abs(f-float64(i)/frames), math.Abs(f-float64(i+1)/frames))
		}
		if limit := 2.23 / math.Sqrt(frames); distance > limit {
			return fmt.Errorf("the distance from a uniform distribution is %g, above %g", distance, limit)
		}
		return nil
	})
}

// The losses are as many as the link's share gives, and as often in a row.
func TestRelayLoss(t *testing.T) {
	const frames, p = 10_000, 0.2
	throughRelay(t, Link{Loss: p}, frames, 25*time.Microsecond, func(got train) error {
		lost, pairs := 0, 0
		for i, at := range got.came {
			if at != 0 {
				continue
			}
			lost++
			if i > 0 && got.came[i-1] == 0 {
				pairs++
			}
		}
		// Five standard deviations of the binomial; pairs overlap, so theirs is a little wider than one.
		if off := math.Abs(float64(lost) - frames*p); off > 5*math.Sqrt(frames*p*(1-p)) {
			return fmt.Errorf("%d of %d frames were lost, %g are due", lost, frames, frames*p)
		}
		if off := math.Abs(float64(pairs) - frames*p*p); off > 7*math.Sqrt(frames*p*p*(1-p*p)) {
			return fmt.Errorf("%d times two in a row were lost, %g are due", pairs, frames*p*p)
		}
		return nil
	})
}

func TestEmulationFacts(t *testing.T) {
	needRoot(t)
	cfg := relayedConfig(t, Link{Delay: 2 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.1})
	cfg.MigrationLink = &Link{Delay: time.Minute}
	facts, err := Emulation(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, f := range facts {
		values[f.Subject+" "+f.Name] = f.Value
		t.Log(f.Subject, f.Name, f.Value)
	}
	for name, want := range map[string]string{
		"link emulator": "relay", "link emulator.loss.sent": "10000", "migration-link emulator": "relay",
		"link emulator.frames": "super", "link emulator.urgent": "yes",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
	for _, name := range []string{"delay.mean", "delay.error.mean", "delay.error.p99", "delay.error.sd"} {
		if !strings.HasSuffix(values["link emulator."+name], " s") {
			t.Errorf("%s is %q", name, values["link emulator."+name])
		}
	}
	if got := values["migration-link emulator.delay.error.mean"]; !strings.HasPrefix(got, "unknown: ") {
		t.Errorf("a delay of a minute: %q", got)
	}

	cfg.Link, cfg.MigrationLink = Link{Rate: 1e6}, nil
	if facts, err := Emulation(t.Context(), cfg); err != nil || len(facts) > 0 {
		t.Errorf("nothing is emulated, and the facts are %v, %v", facts, err)
	}
}

func TestWilson(t *testing.T) {
	// Newcombe 1998, Statistics in Medicine 17, table I, method 3.
	for _, tt := range []struct {
		k, n      int
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		low, high := wilson(tt.k, tt.n)
		if math.Abs(low-tt.low) > 5e-5 || math.Abs(high-tt.high) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", tt.k, tt.n, low, high, tt.low, tt.high)
		}
	}
}

func TestLinkRecords(t *testing.T) {
	tb := bringUp(t, relayedConfig(t, Link{Rate: 12.5e6, Delay: time.Millisecond}))
	if n := transfer(t, tb.Source(), tb.Destination(), tb.LanAddr(Destination).String(), 1e6, time.Minute); n != 1e6 {
		t.Fatalf("%d B came", n)
	}
	records, err := tb.LinkRecords(t.Context(), "machine")
	if err != nil {
		t.Fatal(err)
	}
	frames := map[string]float64{}
	names := map[string]int{}
	for _, r := range records {
		names[r.Name]++
		if r.Host != "machine" || r.Source != results.SourceRelay || r.Attrs["link"] != LinkName {
			t.Errorf("record %+v", r)
		}
		if r.Name == results.RelayFrames {
			frames[r.Attrs["host"]+" "+r.Attrs["dir"]] = r.Value
		}
		if (r.Name == results.RelayDropped || r.Name == results.RelayLost) && r.Value != 0 {
			t.Errorf("on a link without loss: %+v", r)
		}
	}
	if frames["src up"] < 1e6/1500 || frames["dst down"] < 1e6/1500 || frames["client up"] > 100 {
		t.Errorf("frames: %v", frames)
	}
	if names[results.ProbeCPU] != 6 || names[results.RelayDropped] != 18 || names[results.RelayLate] < 4 {
		t.Errorf("records: %v", names)
	}
	if err := tb.relay.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := tb.LinkRecords(t.Context(), "machine"); err == nil {
		t.Error("a relay that has ended is no error")
	}
}

// A stream fills a link that is slow and long. A busy machine may not: four attempts.
func TestRelayThroughput(t *testing.T) {
	l := Link{Rate: 12.5e6, Delay: 12500 * time.Microsecond}
	for range 4 {
		tb := bringUp(t, relayedConfig(t, l))
		begin := time.Now()
		n := float64(transfer(t, tb.Source(), tb.Destination(), tb.LanAddr(Destination).String(), 1<<40, 5*time.Second))
		took := time.Since(begin).Seconds()
		share := n / took / l.Rate
		t.Logf("%.0f B in %.2f s: %.1f %% of the rate", n, took, 100*share)
		if most := l.Rate*took + 2*l.burstBytes(); n > most {
			t.Fatalf("%.0f B came, at most %.0f B fit", n, most)
		}
		if share >= 0.8 {
			return
		}
	}
	t.Error("a stream does not fill the link, in each of four attempts")
}

// TestRelayTable prints what docs/links.md shows: go test ./testbed -run RelayTable -v -table
func TestRelayTable(t *testing.T) {
	if !*table {
		t.Skip("a measurement for the documentation: run it with -table")
	}
	needRoot(t)
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "link\tframes\terror: median\tmean\tsd\tp99\tmax\tloss (95 %)\tTCP, share of rate\tCPU of relay, cores")
	for _, l := range []Link{
		{Delay: 100 * time.Microsecond, Rate: 12.5e6},
		{Delay: time.Millisecond, Rate: 12.5e6},
		{Delay: 12500 * time.Microsecond, Rate: 12.5e6},
		{Delay: 12500 * time.Microsecond, Jitter: time.Millisecond, Loss: 1e-4, Rate: 12.5e6}, // profile wan
		{Delay: 25 * time.Millisecond, Rate: 12.5e6},
		{Delay: 2 * time.Millisecond, Rate: 31.25e6},
		{Delay: 2 * time.Millisecond, Rate: 125e6},
		{Delay: 2 * time.Millisecond},
	} {
		cfg := relayedConfig(t, l)
		facts, err := Emulation(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		v := map[string]string{}
		for _, f := range facts {
			v[f.Name] = f.Value
		}
		tb := bringUp(t, cfg)
		begin := time.Now()
		n := float64(transfer(t, tb.Source(), tb.Destination(), tb.LanAddr(Destination).String(), 1<<40, 5*time.Second))
		took := time.Since(begin).Seconds()
		records, err := tb.LinkRecords(t.Context(), "machine")
		if err != nil {
			t.Fatal(err)
		}
		cpu := 0.0
		for _, r := range records {
			if r.Name == results.ProbeCPU {
				cpu += r.Value / took
			}
		}
		share := fmt.Sprintf("%.0f MB/s", n/took/1e6)
		if l.Rate > 0 {
			share = fmt.Sprintf("%.0f %%", 100*n/took/l.Rate)
		}
		e := "emulator.delay.error."
		fmt.Fprintf(w, "%s ± %s, %g, %.4g Mbit/s\t%s\t%s\t%s\t%s\t%s\t%s\t%s–%s\t%s\t%.2f\n", l.Delay, l.Jitter, l.Loss, l.Rate*8/1e6,
			v["emulator.frames"], v[e+"median"], v[e+"mean"], v[e+"sd"], v[e+"p99"], v[e+"max"],
			v["emulator.loss.low"], v["emulator.loss.high"], share, cpu)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
}
