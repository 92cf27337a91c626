package testbed

import (
	"testing"
	"time"
)

func relayedConfig(t testing.TB, l Link) Config {
	cfg := fullConfig(t)
	cfg.Link, cfg.MigrationLink = l, nil
	cfg.Emulator, cfg.RelayCommand, cfg.Seed = EmulatorRelay, relayCommand(), 1
	return cfg
}

func TestScratchThroughput(t *testing.T) {
	for _, l := range []Link{
		{Rate: 12.5e6, Delay: 12500 * time.Microsecond},
		{Rate: 12.5e6, Delay: 12500 * time.Microsecond, Jitter: time.Millisecond, Loss: 1e-4},
		{Rate: 31.25e6, Delay: 2 * time.Millisecond},
		{Rate: 125e6, Delay: 2 * time.Millisecond},
		{Delay: 2 * time.Millisecond},
	} {
		tb := bringUp(t, relayedConfig(t, l))
		begin := time.Now()
		got := float64(transfer(t, tb.Source(), tb.Destination(), tb.LanAddr(Destination).String(), 1<<40, 5*time.Second))
		took := time.Since(begin)
		t.Logf("%+v: %.0f B in %s: %.1f MB/s %.1f %%", l, got, took, got/took.Seconds()/1e6, 100*got/took.Seconds()/l.Rate)
		stats, err := tb.relay.Stats(t.Context())
		t.Log(err)
		for _, s := range stats {
			t.Logf("%+v", s)
		}
	}
}
