package qemu

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest"
)

// side prints a side in one line: capabilities that are on, !those that are off, parameters.
func (s side) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.capabilities)) {
		if !s.capabilities[name] {
			name = "!" + name
		}
		all = append(all, name)
	}
	raw, err := json.Marshal(s.parameters)
	if err != nil {
		return err.Error()
	}
	return strings.Join(append(all, string(raw)), " ")
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name        string
		options     guest.MigrateOptions
		disk        bool
		source      string
		destination string // "" is as the source
	}{
		{name: "precopy", options: guest.MigrateOptions{Algorithm: guest.PreCopy}, source: `events {"max-bandwidth":0}`},
		{
			name: "limits", options: guest.MigrateOptions{Algorithm: guest.PreCopy, MaxBandwidth: 12.5e6, DowntimeLimit: 50 * time.Millisecond},
			source: `events {"downtime-limit":50,"max-bandwidth":12500000}`,
		},
		{
			name: "a disk", options: guest.MigrateOptions{Algorithm: guest.PreCopy}, disk: true,
			source: `events pause-before-switchover {"max-bandwidth":0}`, destination: `events {"max-bandwidth":0}`,
		},
		{
			name: "postcopy", options: guest.MigrateOptions{Algorithm: guest.PostCopy, PostCopyPreempt: true, PostCopyBandwidth: 1e6},
			source:      `events postcopy-preempt postcopy-ram {"max-bandwidth":0,"max-postcopy-bandwidth":1000000}`,
			destination: `events postcopy-preempt postcopy-ram {"max-bandwidth":0}`,
		},
		{
			name: "hybrid", options: guest.MigrateOptions{Algorithm: guest.Hybrid, Switch: guest.PostCopySwitch{Rounds: 1}},
			source: `events postcopy-ram {"max-bandwidth":0,"max-postcopy-bandwidth":0}`, destination: `events postcopy-ram {"max-bandwidth":0}`,
		},
		{name: "preempt is of post-copy", options: guest.MigrateOptions{Algorithm: guest.PreCopy, PostCopyPreempt: true, PostCopyBandwidth: 1e6}, source: `events {"max-bandwidth":0}`},
		{name: "xbzrle", options: guest.MigrateOptions{Algorithm: guest.XBZRLE, XBZRLECache: 1 << 20}, source: `events xbzrle {"max-bandwidth":0,"xbzrle-cache-size":1048576}`},
		{
			name: "multifd", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 4, Compression: "zstd", CompressionLevel: 3},
			source: `events multifd {"max-bandwidth":0,"multifd-channels":4,"multifd-compression":"zstd","multifd-zstd-level":3}`,
		},
		{
			name: "multifd without compression", options: guest.MigrateOptions{Algorithm: guest.Multifd, Channels: 2, Compression: "none", CompressionLevel: 3},
			source: `events multifd {"max-bandwidth":0,"multifd-channels":2,"multifd-compression":"none"}`,
		},
		{
			name: "compress", options: guest.MigrateOptions{Algorithm: guest.Compress, CompressionLevel: 2, CompressThreads: 3, DecompressThreads: 4},
			source: `compress events {"compress-level":2,"compress-threads":3,"max-bandwidth":0}`, destination: `compress events {"decompress-threads":4,"max-bandwidth":0}`,
		},
		{
			name: "compress at level 0", options: guest.MigrateOptions{Algorithm: guest.Compress},
			source: `compress events {"compress-level":0,"max-bandwidth":0}`, destination: `compress events {"max-bandwidth":0}`,
		},
		{
			name: "multifd's zlib at level 0", options: guest.MigrateOptions{Algorithm: guest.Multifd, Compression: "zlib"},
			source: `events multifd {"max-bandwidth":0,"multifd-compression":"zlib","multifd-zlib-level":0}`,
		},
		{
			name: "auto-converge", options: guest.MigrateOptions{Algorithm: guest.AutoConverge, ThrottleInitial: 30, ThrottleIncrement: 15, ThrottleMax: 90},
			source:      `auto-converge events {"cpu-throttle-increment":15,"cpu-throttle-initial":30,"max-bandwidth":0,"max-cpu-throttle":90}`,
			destination: `events {"max-bandwidth":0}`,
		},
		{
			name: "dirty-limit", options: guest.MigrateOptions{Algorithm: guest.DirtyLimit, DirtyLimit: 3 << 20, DirtyLimitPeriod: 500 * time.Millisecond},
			source: `dirty-limit events {"max-bandwidth":0,"vcpu-dirty-limit":3,"x-vcpu-dirty-limit-period":500}`, destination: `events {"max-bandwidth":0}`,
		},
		{
			name: "knobs of other algorithms", options: guest.MigrateOptions{
				Algorithm: guest.StopAndCopy, XBZRLECache: 1, Channels: 2, Compression: "zlib", CompressionLevel: 1, CompressThreads: 1, DecompressThreads: 1,
				ThrottleInitial: 1, ThrottleIncrement: 1, ThrottleMax: 1, DirtyLimit: 1 << 20, DirtyLimitPeriod: time.Second,
			},
			source: `events {"max-bandwidth":0}`,
		},
		{name: "mapped-ram", options: guest.MigrateOptions{Algorithm: guest.MappedRAM}, source: `events mapped-ram {"max-bandwidth":0}`},
		{name: "background-snapshot", options: guest.MigrateOptions{Algorithm: guest.BackgroundSnapshot}, source: `background-snapshot events {"max-bandwidth":0}`, destination: `events {"max-bandwidth":0}`},
		{
			name: "switchover-ack", options: guest.MigrateOptions{Algorithm: guest.PreCopy, SwitchoverAck: true, ZeroPageDetection: "none"},
			source: `events return-path switchover-ack {"max-bandwidth":0,"zero-page-detection":"none"}`, destination: `events return-path switchover-ack {"max-bandwidth":0}`,
		},
		{
			name: "tls", options: guest.MigrateOptions{Algorithm: guest.PreCopy, TLS: true, Address: "10.0.0.2"},
			source: `events {"max-bandwidth":0,"tls-creds":"virtscope-tls","tls-hostname":"10.0.0.2"}`, destination: `events {"max-bandwidth":0,"tls-creds":"virtscope-tls"}`,
		},
		{
			name: "passed through", options: guest.MigrateOptions{
				Algorithm: guest.XBZRLE, Capabilities: map[string]string{"x-theirs": "false", "x-mine": "true"}, Parameters: map[string]string{"x-knob": "7"},
			},
			source: `events x-mine !x-theirs xbzrle {"max-bandwidth":0,"x-knob":"7"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.destination == "" {
				c.destination = c.source
			}
			got := settingsFor(c.options, c.disk)
			if got.source.String() != c.source {
				t.Errorf("source\n got %s\nwant %s", got.source, c.source)
			}
			if got.destination.String() != c.destination {
				t.Errorf("destination\n got %s\nwant %s", got.destination, c.destination)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	ring := testSpec()
	ring.DirtyRing = 4096
	disk := testSpec()
	disk.Disk = &guest.Disk{Size: 1 << 20}
	for _, c := range []struct {
		name    string
		spec    guest.Spec
		accel   string
		options guest.MigrateOptions
		want    string // of the error; "" is none
	}{
		{"fine", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, DowntimeLimit: time.Millisecond}, ""},
		{"none", testSpec(), accelTCG, guest.MigrateOptions{}, `migration algorithm ""`},
		{"outage", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, Outage: 1}, "a scripted outage"},
		{"half a millisecond", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, DowntimeLimit: 500 * time.Microsecond}, "downtime-limit in fractions"},
		{"no file", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.MappedRAM}, "mapped-ram without a file"},
		{"tls to a file", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.BackgroundSnapshot, File: "/f", TLS: true}, "tls with background-snapshot"},
		{"nobody to kill", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.BackgroundSnapshot, File: "/f", KillDestinationAfter: 1}, "there is no destination"},
		{"dirty-limit", ring, accelKVM, guest.MigrateOptions{Algorithm: guest.DirtyLimit, DirtyLimit: 2 << 20}, ""},
		{"dirty-limit by default", ring, accelKVM, guest.MigrateOptions{Algorithm: guest.DirtyLimit}, ""},
		{"dirty-limit in decimal", ring, accelKVM, guest.MigrateOptions{Algorithm: guest.DirtyLimit, DirtyLimit: 2e6}, "a dirty-limit of 2e+06 B/s"},
		{"dirty-limit too low", ring, accelKVM, guest.MigrateOptions{Algorithm: guest.DirtyLimit, DirtyLimit: 1000}, "a dirty-limit of 1000 B/s"},
		{"dirty-limit without a ring", testSpec(), accelKVM, guest.MigrateOptions{Algorithm: guest.DirtyLimit}, "guest.qemu.dirty-ring"},
		{"dirty-limit under tcg", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.DirtyLimit}, "dirty-limit under tcg"},
		{"capability", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{"x": "yes"}}, `capability x: "yes"`},
		{"what goes by itself", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{"events": "false"}}, "capability events is not supported on driver qemu: leave it out"},
		{"what has a key", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, Parameters: map[string]string{"max-postcopy-bandwidth": "7"}}, "set action.migrate.postcopy-bandwidth instead"},
		{"another algorithm", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{"multifd": "true"}}, "set action.migrate.algorithm: multifd instead"},
		{"a disk without its pause", disk, accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, DiskPort: 1, Capabilities: map[string]string{pauseBeforeSwitchover: "false"}}, "capability pause-before-switchover with a disk"},
		{"a pause without a disk", testSpec(), accelTCG, guest.MigrateOptions{Algorithm: guest.PreCopy, Capabilities: map[string]string{pauseBeforeSwitchover: "true"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := refuse(c.spec, c.options, c.accel)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var missing *guest.NotSupportedError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// Whatever is set by a rule is told how to ask for it.
func TestEveryRuleIsReserved(t *testing.T) {
	for _, r := range capabilityRules {
		if reservedCapabilities[r.name] == "" {
			t.Errorf("capability %s may be overridden", r.name)
		}
	}
	for _, r := range parameterRules {
		if reservedParameters[r.name] == "" {
			t.Errorf("parameter %s may be overridden", r.name)
		}
	}
}

func TestPassedThroughTypes(t *testing.T) {
	shown := map[string]any{"flag": false, "count": 3.0, "name": ""}
	for _, c := range []struct{ name, value, want string }{
		{"flag", "true", "true"},
		{"flag", "1", "true"},
		{"flag", "maybe", ""},
		{"count", "12345678901234567", "12345678901234567"},
		{"count", "1.5", "1.5"},
		{"count", "true", ""},
		{"count", `"1"`, ""},
		{"count", "", ""},
		{"name", "12", `"12"`},
		{"unknown", "12", "12"},
		{"unknown", "false", "false"},
		{"unknown", "zstd", `"zstd"`},
		{"unknown", "", `""`},
	} {
		got, err := typedParameters(map[string]any{c.name: text(c.value)}, shown)
		if (err != nil) != (c.want == "") {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
			continue
		}
		if err != nil {
			continue
		}
		raw, err := json.Marshal(got[c.name])
		if err != nil || string(raw) != c.want {
			t.Errorf("%s=%s: %s, %v, want %s", c.name, c.value, raw, err, c.want)
		}
	}
}

// Whatever stands in an experiment is valid JSON for QEMU, or an error.
func FuzzTyped(f *testing.F) {
	for _, s := range []string{"true", "1e3", "-", "zstd", `"`, "1 2", "null", "{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, shown := range []any{nil, true, 1.0, ""} {
			v, err := typed(text(s), shown)
			if err != nil {
				continue
			}
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("%q is %v: %v", s, v, err)
			}
		}
	})
}

func TestAdvice(t *testing.T) {
	for version, want := range map[string]bool{
		"7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)": true, "5.2.0": true, "8.0.0": false, "10.0.2 (Debian 1:10.0.2)": false, "": false,
	} {
		if got := Advice(version, accelTCG); (got != "") != want || (want && !strings.Contains(got, "bookworm-backports")) {
			t.Errorf("%q: %q", version, got)
		}
		if got := Advice(version, accelKVM); got != "" {
			t.Errorf("%q under kvm: %q", version, got)
		}
	}
}
