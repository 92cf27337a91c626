package qemu

import (
	"maps"
	"slices"
	"virtscope/testbed/guest"
)

// What virtscope sets by itself, and counts on: by QEMU's name, what to do instead of passing it through.
var (
	reservedCapabilities = map[string]string{
		"events":              "leave it out: it is always on",
		"xbzrle":              algorithmInstead(guest.XBZRLE),
		"multifd":             algorithmInstead(guest.Multifd),
		"compress":            algorithmInstead(guest.Compress),
		"auto-converge":       algorithmInstead(guest.AutoConverge),
		"dirty-limit":         algorithmInstead(guest.DirtyLimit),
		"mapped-ram":          algorithmInstead(guest.MappedRAM),
		"background-snapshot": algorithmInstead(guest.BackgroundSnapshot),
		"postcopy-ram":        algorithmInstead(guest.PostCopy) + " or " + guest.Hybrid,
		"postcopy-preempt":    keyInstead("postcopy-preempt"),
		"return-path":         keyInstead("return-path"),
		"switchover-ack":      keyInstead("switchover-ack"),
	}
	reservedParameters = map[string]string{
		"max-bandwidth":             keyInstead("max-bandwidth"),
		"downtime-limit":            keyInstead("downtime-limit"),
		"max-postcopy-bandwidth":    keyInstead("postcopy-bandwidth"),
		"xbzrle-cache-size":         keyInstead("xbzrle-cache"),
		"multifd-channels":          keyInstead("channels"),
		"multifd-compression":       keyInstead("compression"),
		"multifd-zlib-level":        keyInstead("compression-level"),
		"multifd-zstd-level":        keyInstead("compression-level"),
		"compress-level":            keyInstead("compression-level"),
		"compress-threads":          keyInstead("compress-threads"),
		"decompress-threads":        keyInstead("decompress-threads"),
		"cpu-throttle-initial":      keyInstead("throttle-initial"),
		"cpu-throttle-increment":    keyInstead("throttle-increment"),
		"max-cpu-throttle":          keyInstead("throttle-max"),
		"vcpu-dirty-limit":          keyInstead("dirty-limit"),
		"x-vcpu-dirty-limit-period": keyInstead("dirty-limit-period"),
		"zero-page-detection":       keyInstead("zero-page-detection"),
		"tls-creds":                 keyInstead("tls"),
		"tls-hostname":              keyInstead("tls"),
	}
)

func keyInstead(key string) string { return "set action.migrate." + key + " instead" }

func algorithmInstead(name string) string { return keyInstead("algorithm: " + name) }

// overridden calls no for each name that is passed through and is virtscope's own.
func overridden(s guest.Spec, o guest.MigrateOptions, no func(feature, remedy string)) {
	for _, name := range slices.Sorted(maps.Keys(o.Capabilities)) {
		if remedy := reservedCapabilities[name]; remedy != "" {
			no("to pass through capability "+name, remedy)
		}
		if name == pauseBeforeSwitchover && takesDisk(s, o) {
			no("to pass through capability "+name+" with a disk that is copied", "leave it out: it is on, so that the disk is complete")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Parameters)) {
		if remedy := reservedParameters[name]; remedy != "" {
			no("to pass through parameter "+name, remedy)
		}
	}
}
