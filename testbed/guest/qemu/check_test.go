package qemu

import (
	"errors"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// TestCheckMigration asks the real QEMUs.
func TestCheckMigration(t *testing.T) {
	if testing.Short() {
		t.Skip("needs QEMU 10 and 7.2 (leave out -short)")
	}
	needReal(t)
	old := needOld(t)
	local := func(name string) host.Host {
		h, err := host.NewLocal(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		return h
	}
	src, dst := local("src"), local("dst")
	d := New()
	base := testSpec()
	base.Accel = accelTCG
	for _, c := range []struct {
		name             string
		source, receiver string // binary
		change           func(*guest.Spec)
		options          guest.MigrateOptions
		want             []string // of the error; none is possible
	}{
		{name: "precopy", options: guest.MigrateOptions{Algorithm: guest.PreCopy}},
		{name: "postcopy", options: guest.MigrateOptions{Algorithm: guest.PostCopy, PostCopyPreempt: true}},
		{name: "old postcopy", source: old, options: guest.MigrateOptions{Algorithm: guest.PostCopy}},
		{name: "multifd", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 4, Compression: "zstd", CompressionLevel: 3}},
		{name: "mapped-ram", options: guest.MigrateOptions{Algorithm: guest.MappedRAM, File: "/f"}},
		{name: "background-snapshot", options: guest.MigrateOptions{Algorithm: guest.BackgroundSnapshot, File: "/f"}},
		{name: "old compress", source: old, options: guest.MigrateOptions{Algorithm: guest.Compress, CompressionLevel: 1, CompressThreads: 2, DecompressThreads: 2}},
		{name: "switchover-ack", options: guest.MigrateOptions{Algorithm: guest.PreCopy, SwitchoverAck: true, ZeroPageDetection: "legacy"}},
		{
			name: "compress", options: guest.MigrateOptions{Algorithm: guest.Compress},
			want: []string{"migration algorithm compress (capability compress) is not supported on src (QEMU 10.", "on dst (QEMU 10.", "use multifd with compression, or a QEMU before 9.1"},
		},
		{name: "old mapped-ram", source: old, options: guest.MigrateOptions{Algorithm: guest.MappedRAM, File: "/f"}, want: []string{"capability mapped-ram", "QEMU 7.2.", "transport file", "9.0 or newer"}},
		{name: "old background-snapshot", source: old, options: guest.MigrateOptions{Algorithm: guest.BackgroundSnapshot, File: "/f"}, want: []string{"transport file", "8.2 or newer"}},
		{name: "old switchover-ack", source: old, options: guest.MigrateOptions{Algorithm: guest.PreCopy, SwitchoverAck: true}, want: []string{"capability switchover-ack", "8.1 or newer"}},
		{name: "old zero-page-detection", source: old, options: guest.MigrateOptions{Algorithm: guest.PreCopy, ZeroPageDetection: "multifd"}, want: []string{"parameter zero-page-detection", "9.0 or newer"}},
		{name: "dirty-limit under tcg", options: guest.MigrateOptions{Algorithm: guest.DirtyLimit}, want: []string{"migration algorithm dirty-limit under tcg", "auto-converge"}},
		{name: "dirty ring under tcg", change: func(s *guest.Spec) { s.DirtyRing = 4096 }, options: guest.MigrateOptions{Algorithm: guest.PreCopy}, want: []string{"a dirty ring under tcg"}},
		{name: "unknown", options: guest.MigrateOptions{Algorithm: "teleport"}, want: []string{`migration algorithm "teleport"`, "use one of"}},
		{name: "unknown compression", options: guest.MigrateOptions{Algorithm: guest.Multifd, Compression: "lz77"}, want: []string{"multifd-compression: lz77", "it knows none, zlib"}},
		{name: "cache that is no power of two", options: guest.MigrateOptions{Algorithm: guest.XBZRLE, XBZRLECache: 100}, want: []string{"migration algorithm xbzrle", "a power of two"}},
		{name: "what does not go together", options: guest.MigrateOptions{Algorithm: guest.PostCopy, Capabilities: map[string]string{"x-ignore-shared": "true"}}, want: []string{"migration algorithm postcopy", "not compatible"}},
		{name: "unknown passthrough", options: guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{"x-mine": "true"}, Parameters: map[string]string{"x-my-knob": "1"}}, want: []string{"capability x-mine", "parameter x-my-knob", "guest.qemu.binary"}},
		{name: "wrong type", options: guest.MigrateOptions{Algorithm: guest.PreCopy, Parameters: map[string]string{"announce-rounds": "many"}}, want: []string{`set parameter announce-rounds: "many" is not a number`}},
		{name: "two machines by one name", source: old, receiver: DefaultBinary, options: guest.MigrateOptions{Algorithm: guest.PreCopy}, want: []string{"a guest of machine q35 (pc-q35-7.2 at the source, pc-q35-10.0 here)", "such as pc-q35-7.2"}},
		{name: "one machine of both", source: old, receiver: DefaultBinary, change: func(s *guest.Spec) { s.Machine = "pc-q35-7.2" }, options: guest.MigrateOptions{Algorithm: guest.PreCopy}},
		{name: "the receiver lacks it", receiver: old, change: func(s *guest.Spec) { s.Machine = "pc-q35-7.2" }, options: guest.MigrateOptions{Algorithm: guest.PreCopy, SwitchoverAck: true}, want: []string{"switchover-ack) is not supported on dst (QEMU 7.2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := base
			s.Binary, s.DestinationBinary = c.source, c.receiver
			if c.change != nil {
				c.change(&s)
			}
			c.options.Address, c.options.DowntimeLimit = "10.0.0.2", 300*time.Millisecond
			warnings, err := d.CheckMigration(t.Context(), src, dst, s, c.options)
			if len(c.want) == 0 && err != nil {
				t.Fatal(err)
			}
			var missing *guest.NotSupportedError
			if len(c.want) > 0 && !errors.As(err, &missing) {
				t.Fatalf("error %v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
			if warned := strings.Contains(strings.Join(warnings, "\n"), "corrupts the memory"); warned != (c.source == old || c.receiver == old) && err == nil {
				t.Errorf("warnings %q", warnings)
			}
		})
	}
	// Its names can be checked without KVM, though it cannot run.
	known, err := d.known.dialect(t.Context(), src, DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	limit := settingsFor(guest.MigrateOptions{Algorithm: guest.DirtyLimit, DirtyLimit: 1 << 20, DirtyLimitPeriod: time.Second}, false)
	if problems := lacks(known, end{host: src, side: limit.source, what: "migration algorithm " + guest.DirtyLimit}); len(problems) > 0 {
		t.Error(problems)
	}
	warnings, err := d.CheckMigration(t.Context(), src, dst, base, guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{"validate-uuid": "true"}})
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "validate-uuid") {
		t.Errorf("warnings %q, %v", warnings, err)
	}
}
