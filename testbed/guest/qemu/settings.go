package qemu

import (
	"math"
	"time"
	"virtscope/testbed/guest"
)

// A side is what is set on one QEMU before a migration. The capability or parameter that it does not name keeps QEMU's default.
type side struct {
	capabilities map[string]bool // QAPI MigrationCapability
	parameters   map[string]any  // QAPI MigrateSetParameters; a text is turned into the type that QEMU shows for its name
}

// A text is the value of a parameter as the experiment's file has it.
type text string

// settings are what MigrateOptions ask of both QEMUs.
type settings struct {
	source, destination side
}

// Where a setting goes.
const (
	atSource = 1 << iota
	atDestination
	atBoth = atSource | atDestination
)

// A capabilityRule turns a capability on.
type capabilityRule struct {
	name string
	at   int
	when func(o guest.MigrateOptions) bool
}

// A parameterRule sets a parameter.
type parameterRule struct {
	name  string
	at    int
	when  func(o guest.MigrateOptions) bool
	value func(o guest.MigrateOptions) any
}

func always(guest.MigrateOptions) bool { return true }

func is(algorithm string) func(guest.MigrateOptions) bool {
	return func(o guest.MigrateOptions) bool { return o.Algorithm == algorithm }
}

// turnsToPostCopy reports whether the guest may run at the destination before its memory is there.
func turnsToPostCopy(o guest.MigrateOptions) bool {
	return o.Algorithm == guest.PostCopy || o.Algorithm == guest.Hybrid
}

// viaFile reports whether the source writes a file instead of a connection.
func viaFile(o guest.MigrateOptions) bool {
	return o.Algorithm == guest.MappedRAM || o.Algorithm == guest.BackgroundSnapshot
}

var capabilityRules = []capabilityRule{
	{"events", atBoth, always},
	{"xbzrle", atBoth, is(guest.XBZRLE)},
	{"multifd", atBoth, is(guest.Multifd)},
	{"compress", atBoth, is(guest.Compress)},
	{"auto-converge", atSource, is(guest.AutoConverge)},
	{"dirty-limit", atSource, is(guest.DirtyLimit)},
	{"mapped-ram", atBoth, is(guest.MappedRAM)},
	{"background-snapshot", atSource, is(guest.BackgroundSnapshot)},
	{"postcopy-ram", atBoth, turnsToPostCopy},
	{"postcopy-preempt", atBoth, func(o guest.MigrateOptions) bool { return turnsToPostCopy(o) && o.PostCopyPreempt }},
	{"return-path", atBoth, func(o guest.MigrateOptions) bool { return o.ReturnPath || o.SwitchoverAck }},
	{"switchover-ack", atBoth, func(o guest.MigrateOptions) bool { return o.SwitchoverAck }},
}

var parameterRules = []parameterRule{
	// 0 is not limited; QEMU's own default is 128 MiB/s.
	{"max-bandwidth", atBoth, always, func(o guest.MigrateOptions) any { return bytesPerSecond(o.MaxBandwidth) }},
	{"downtime-limit", atBoth, func(o guest.MigrateOptions) bool { return o.DowntimeLimit > 0 }, func(o guest.MigrateOptions) any { return o.DowntimeLimit.Milliseconds() }},
	{"max-postcopy-bandwidth", atSource, turnsToPostCopy, func(o guest.MigrateOptions) any { return bytesPerSecond(o.PostCopyBandwidth) }},
	positive("xbzrle-cache-size", atBoth, guest.XBZRLE, func(o guest.MigrateOptions) int64 { return o.XBZRLECache }),
	positive("multifd-channels", atBoth, guest.Multifd, func(o guest.MigrateOptions) int { return o.Channels }),
	{"multifd-compression", atBoth, compressed(""), func(o guest.MigrateOptions) any { return o.Compression }},
	{"multifd-zlib-level", atBoth, compressed("zlib"), func(o guest.MigrateOptions) any { return o.CompressionLevel }},
	{"multifd-zstd-level", atBoth, compressed("zstd"), func(o guest.MigrateOptions) any { return o.CompressionLevel }},
	{"compress-level", atSource, is(guest.Compress), func(o guest.MigrateOptions) any { return o.CompressionLevel }}, // 0 is a level too
	positive("compress-threads", atSource, guest.Compress, func(o guest.MigrateOptions) int { return o.CompressThreads }),
	positive("decompress-threads", atDestination, guest.Compress, func(o guest.MigrateOptions) int { return o.DecompressThreads }),
	positive("cpu-throttle-initial", atSource, guest.AutoConverge, func(o guest.MigrateOptions) int { return o.ThrottleInitial }),
	positive("cpu-throttle-increment", atSource, guest.AutoConverge, func(o guest.MigrateOptions) int { return o.ThrottleIncrement }),
	positive("max-cpu-throttle", atSource, guest.AutoConverge, func(o guest.MigrateOptions) int { return o.ThrottleMax }),
	positive("vcpu-dirty-limit", atSource, guest.DirtyLimit, func(o guest.MigrateOptions) int64 { return int64(o.DirtyLimit) / dirtyLimitUnit }),
	positive("x-vcpu-dirty-limit-period", atSource, guest.DirtyLimit, func(o guest.MigrateOptions) int64 { return o.DirtyLimitPeriod.Milliseconds() }),
	{"zero-page-detection", atSource, func(o guest.MigrateOptions) bool { return o.ZeroPageDetection != "" }, func(o guest.MigrateOptions) any { return o.ZeroPageDetection }},
	{"tls-creds", atBoth, func(o guest.MigrateOptions) bool { return o.TLS }, func(guest.MigrateOptions) any { return tlsID }},
	{"tls-hostname", atSource, func(o guest.MigrateOptions) bool { return o.TLS }, func(o guest.MigrateOptions) any { return o.Address }},
}

// dirtyLimitUnit is what QEMU calls MB/s (softmmu/dirtylimit.c): 2^20 B/s.
const dirtyLimitUnit = 1 << 20

// positive is the rule of an algorithm's knob that keeps QEMU's default at 0.
func positive[T int | int64](name string, at int, algorithm string, value func(guest.MigrateOptions) T) parameterRule {
	return parameterRule{
		name, at, func(o guest.MigrateOptions) bool { return o.Algorithm == algorithm && value(o) > 0 },
		func(o guest.MigrateOptions) any { return value(o) },
	}
}

// compressed holds for multifd with a compression, or with that one.
func compressed(with string) func(guest.MigrateOptions) bool {
	return func(o guest.MigrateOptions) bool {
		if o.Algorithm != guest.Multifd || o.Compression == "" {
			return false
		}
		return with == "" || (with == o.Compression)
	}
}

func bytesPerSecond(v float64) int64 { return int64(math.Round(v)) }

// settingsFor turns options into what is set on both sides. WithDisk is a disk that moves with the memory: the source then waits
// before it hands over, so that the disk is complete.
func settingsFor(o guest.MigrateOptions, withDisk bool) settings {
	s := settings{
		source:      side{map[string]bool{}, map[string]any{}},
		destination: side{map[string]bool{}, map[string]any{}},
	}
	for _, r := range capabilityRules {
		if r.when(o) {
			s.each(r.at, func(to side) { to.capabilities[r.name] = true })
		}
	}
	if withDisk {
		s.source.capabilities[pauseBeforeSwitchover] = true
	}
	for _, r := range parameterRules {
		if r.when(o) {
			s.each(r.at, func(to side) { to.parameters[r.name] = r.value(o) })
		}
	}
	for name, value := range o.Capabilities {
		s.each(atBoth, func(to side) { to.capabilities[name] = value == "true" })
	}
	for name, value := range o.Parameters {
		s.each(atBoth, func(to side) { to.parameters[name] = text(value) })
	}
	return s
}

const pauseBeforeSwitchover = "pause-before-switchover"

func (s settings) each(at int, f func(side)) {
	if at&atSource != 0 {
		f(s.source)
	}
	if at&atDestination != 0 {
		f(s.destination)
	}
}

// atOnce reports whether post-copy begins with the migration.
func atOnce(s guest.PostCopySwitch) bool { return s == guest.PostCopySwitch{} }

// wholeMilliseconds reports whether QEMU can be told d.
func wholeMilliseconds(d time.Duration) bool { return d%time.Millisecond == 0 }
