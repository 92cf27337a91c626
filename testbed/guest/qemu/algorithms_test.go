package qemu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// An algorithmCase is a migration that must succeed with every page intact, and what must be seen of it.
type algorithmCase struct {
	name    string
	options guest.MigrateOptions
	rate    float64  // B/s that the guest writes; 0 is 4 MB/s
	status  []string // that the source says
	moves   []string // counters that do not end at 0
}

// algorithmCases are those that every QEMU 10 has. Bandwidths leave time for what is to be seen.
var algorithmCases = []algorithmCase{
	{name: "precopy", options: guest.MigrateOptions{Algorithm: guest.PreCopy}, moves: []string{results.MigrationPrecopyBytes}},
	{name: "postcopy", options: guest.MigrateOptions{Algorithm: guest.PostCopy, MaxBandwidth: 60e6}, status: []string{"postcopy-active"}, moves: []string{results.MigrationPostcopyBytes}},
	{name: "preempt", options: guest.MigrateOptions{Algorithm: guest.PostCopy, PostCopyPreempt: true, MaxBandwidth: 60e6, PostCopyBandwidth: 60e6}, status: []string{"postcopy-active"}, moves: []string{results.MigrationPageRequests}},
	{name: "hybrid-rounds", options: guest.MigrateOptions{Algorithm: guest.Hybrid, MaxBandwidth: 60e6, DowntimeLimit: time.Millisecond, Switch: guest.PostCopySwitch{Rounds: 2}}, rate: 16e6, status: []string{"postcopy-active"}},
	{name: "hybrid-time", options: guest.MigrateOptions{Algorithm: guest.Hybrid, MaxBandwidth: 20e6, Switch: guest.PostCopySwitch{After: 300 * time.Millisecond}}, status: []string{"postcopy-active"}},
	{name: "hybrid-converge", options: guest.MigrateOptions{Algorithm: guest.Hybrid, MaxBandwidth: 40e6, DowntimeLimit: 10 * time.Millisecond, Switch: guest.PostCopySwitch{NotConverging: true}}, rate: 200e6, status: []string{"postcopy-active"}},
	{name: "xbzrle", options: guest.MigrateOptions{Algorithm: guest.XBZRLE, XBZRLECache: 32 << 20, MaxBandwidth: 40e6, DowntimeLimit: 20 * time.Millisecond}, rate: 20e6, moves: []string{results.MigrationXBZRLEMisses, results.MigrationXBZRLEOverflow}},
	{name: "multifd", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 3}, moves: []string{results.MigrationMultifdBytes}},
	{name: "multifd-zlib", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 2, Compression: "zlib", CompressionLevel: 1}, moves: []string{results.MigrationMultifdBytes}},
	{name: "multifd-zstd", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 2, Compression: "zstd", CompressionLevel: 3}, moves: []string{results.MigrationMultifdBytes}},
	{name: "auto-converge", options: guest.MigrateOptions{Algorithm: guest.AutoConverge, MaxBandwidth: 30e6, DowntimeLimit: 200 * time.Millisecond, ThrottleInitial: 70, ThrottleIncrement: 20, ThrottleMax: 99}, rate: 200e6, moves: []string{results.MigrationThrottle}},
	{name: "stop-and-copy", options: guest.MigrateOptions{Algorithm: guest.StopAndCopy}},
	{name: "pause-after-rounds", options: guest.MigrateOptions{Algorithm: guest.PreCopy, PauseAfterRounds: 2, MaxBandwidth: 40e6, DowntimeLimit: time.Millisecond}, rate: 20e6},
	{name: "switchover-ack", options: guest.MigrateOptions{Algorithm: guest.PreCopy, SwitchoverAck: true, ZeroPageDetection: "none"}},
	{name: "tls", options: guest.MigrateOptions{Algorithm: guest.PreCopy, TLS: true}},
	{name: "tls-multifd", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 2, TLS: true}},
	{name: "passthrough", options: guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{"validate-uuid": "true", "pause-before-switchover": "true"}, Parameters: map[string]string{"announce-rounds": "3", "cpu-throttle-tailslow": "true"}}, status: []string{"pre-switchover"}},
	{name: "mapped-ram", options: guest.MigrateOptions{Algorithm: guest.MappedRAM}},
}

// TestAlgorithms moves one guest to and fro, each time in another way.
func TestAlgorithms(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	if err := os.WriteFile(root, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tr := newTrip(t, func(s *guest.Spec) { s.Root = root }) // both ends have it open
	for _, c := range algorithmCases {
		ok := t.Run(c.name, func(t *testing.T) {
			tr := *tr
			tr.T = t
			if c.options.Algorithm == guest.MappedRAM {
				c.options.File = filepath.Join(tr.spec.Dir, "memory")
			}
			tr.check(c)
		})
		if !ok {
			return // the guest is not to be relied upon
		}
	}
}

func (tr *trip) check(c algorithmCase) {
	tr.Helper()
	from, to := tr.source().Name(), tr.destination().Name()
	if c.rate == 0 {
		c.rate = 4e6
	}
	tr.writes(c.rate)
	began := time.Now()
	if err := tr.move(c.options); err != nil {
		tr.Fatal(err)
	}
	took := time.Since(began)
	if got := tr.source().Name(); got != to {
		tr.Fatalf("the guest is on %s, want %s", got, to)
	}
	outage := tr.outage(from, to)
	said := tr.statuses(from)
	for _, s := range append([]string{"setup", "active", "completed"}, c.status...) {
		if !slices.Contains(said, s) {
			tr.Errorf("the source said %q, not %s", said, s)
		}
	}
	for _, name := range c.moves {
		if v := tr.last(name); v <= 0 {
			tr.Errorf("%s is %g", name, v)
		}
	}
	if c.options.Algorithm == guest.StopAndCopy && !tr.stoodStill(from) {
		tr.Error("the guest ran while it was copied")
	}
	if p := c.options.PauseAfterRounds; p > 0 {
		if n := tr.roundsBeforeStop(from); n != p+1 { // the next one's begin is what stops the guest
			tr.Errorf("%d rounds began before the guest was stopped, want %d", n, p+1)
		}
		if got := tr.kinds(); !slices.Equal(got, []string{results.FaultStopGuest}) {
			tr.Errorf("faults %q", got)
		}
	}
	tr.intact()
	tr.Logf("%s, outage %s, %.1f MB, %d rounds: %q", took.Round(time.Millisecond), outage, tr.last(results.MigrationTransferred)/1e6, len(tr.log.Named(results.PreCopyRound)), said)
}

// roundsBeforeStop counts the rounds that began while the guest ran.
func (tr *trip) roundsBeforeStop(from string) (n int) {
	stop := int64(0)
	for _, r := range tr.log.Named(results.VMStop) {
		if r.Host == from {
			stop = r.Time
		}
	}
	for _, r := range tr.log.Named(results.PreCopyRound) {
		if r.Time < stop {
			n++
		}
	}
	return n
}

// stoodStill reports whether the guest had stopped before the migration was set up.
func (tr *trip) stoodStill(from string) bool {
	stop, setup := int64(0), int64(0)
	for _, r := range tr.log.Named(results.VMStop) {
		if r.Host == from {
			stop = r.Time
		}
	}
	for _, r := range tr.log.Named(results.MigrationStatus) {
		if r.Host == from && r.Attrs["status"] == "setup" {
			setup = r.Time
		}
	}
	return stop > 0 && stop < setup
}

// TestOldQEMU runs on QEMU 7.2 what QEMU 10 has no more, and what 7.2 may do wrong under TCG: then it must be seen.
func TestOldQEMU(t *testing.T) {
	needReal(t)
	old := needOld(t)
	for _, o := range []guest.MigrateOptions{
		{Algorithm: guest.Compress, CompressionLevel: 1, CompressThreads: 2, DecompressThreads: 2, MaxBandwidth: 20e6},
		{Algorithm: guest.PostCopy, MaxBandwidth: 60e6},
	} {
		t.Run(o.Algorithm, func(t *testing.T) {
			tr := newTrip(t, func(s *guest.Spec) { s.Binary = old })
			tr.writes(4e6)
			tr.known(tr.move(o))
			if v := tr.last(results.MigrationCompressRate); o.Algorithm == guest.Compress && v <= 1 {
				t.Errorf("the compression rate is %g", v)
			}
		})
	}
}

// TestFromOldToNew moves a guest between two versions, which need a machine that both have; and with keys.
func TestFromOldToNew(t *testing.T) {
	needReal(t)
	old := needOld(t)
	tr := newTrip(t, func(s *guest.Spec) { s.Binary, s.DestinationBinary, s.Machine = old, DefaultBinary, "pc-q35-7.2" })
	if err := tr.agent().Reserve(tr.within(), agent.Memory{Bytes: 8 << 20, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := tr.agent().Start(tr.within(), agent.Workload{Kind: "idle"}); err != nil {
		t.Fatal(err)
	}
	tr.known(tr.move(guest.MigrateOptions{Algorithm: guest.PreCopy, TLS: true}))
}

// known takes whatever became of the guest, as long as one can tell.
func (tr *trip) known(err error) {
	tr.Helper()
	if err != nil {
		var failed *guest.OutcomeError
		if !errors.As(err, &failed) || failed.Reason == "" {
			tr.Errorf("error %v", err)
		}
		tr.Logf("failed, and says why: %v", err)
		return
	}
	if got := tr.source().Name(); got != testbed.Destination {
		tr.Errorf("completed, the guest is on %s", got)
	}
	ctx, cancel := context.WithTimeout(tr.Context(), 8*time.Second)
	defer cancel()
	if _, err := tr.agent().Stop(ctx); err != nil {
		tr.Logf("completed, and the guest is seen to be gone: %v", err)
		return
	}
	v, err := tr.agent().Verify(ctx)
	tr.Logf("completed, and verified: %+v, %v", v, err)
}
