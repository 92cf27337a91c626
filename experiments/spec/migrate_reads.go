package spec

import "slices"

// algorithms are those of action.migrate that read a key.
func algorithms(path string, names ...string) keyReader {
	return keyReader{"action.migrate." + path, condition{
		want: "action.migrate.algorithm: " + oneOf(names), under: []string{"action.migrate.algorithm"},
		reads: func(e *Experiment) bool {
			return e.Action.Migrate != nil && slices.Contains(names, e.Action.Migrate.Algorithm)
		},
	}}
}

// hypervisor is a key of action.migrate that the scripted driver, which has no hypervisor, does not read.
func hypervisor(path string) keyReader {
	return value("action.migrate."+path, "guest.driver", "qemu", func(e *Experiment) bool { return e.Guest.Driver == "qemu" })
}

// rounds are the algorithms that go through rounds of pre-copy until the rest fits into the downtime limit.
var rounds = []string{"precopy", "xbzrle", "multifd", "compress", "auto-converge", "dirty-limit"}

var migrateReaders = []keyReader{
	algorithms("max-rounds", slices.Concat(rounds, []string{"postcopy", "hybrid", "mapped-ram"})...),
	algorithms("postcopy-start", "postcopy", "hybrid"),
	algorithms("postcopy-preempt", "postcopy", "hybrid"),
	algorithms("postcopy-bandwidth", "postcopy", "hybrid"),
	algorithms("postcopy-recovery", "postcopy", "hybrid"),
	algorithms("pause-after-rounds", rounds...),
	algorithms("xbzrle-cache", "xbzrle"),
	algorithms("channels", "multifd"),
	algorithms("compression", "multifd"),
	algorithms("compression-level", "compress", "multifd"),
	value("action.migrate.compression-level", "action.migrate.compression", "zlib or zstd", compresses),
	algorithms("compress-threads", "compress"),
	algorithms("decompress-threads", "compress"),
	algorithms("throttle-initial", "auto-converge"),
	algorithms("throttle-increment", "auto-converge"),
	algorithms("throttle-max", "auto-converge"),
	algorithms("dirty-limit", "dirty-limit"),
	algorithms("dirty-limit-period", "dirty-limit"),
	value("action.migrate.disk-copy", "guest.disk", "{storage: local}", movesDisk),
	value("action.migrate.disk-writes", "guest.disk", "{storage: local}", movesDisk),
	value("action.migrate.disk-writes", "action.migrate.disk-copy", "mirror", func(e *Experiment) bool {
		return e.Action.Migrate != nil && e.Action.Migrate.DiskCopy == "mirror"
	}),
	value("action.migrate.disk-bandwidth", "guest.disk", "{storage: local}", movesDisk),
	hypervisor("pause-after-rounds"), hypervisor("return-path"), hypervisor("switchover-ack"), hypervisor("zero-page-detection"),
	hypervisor("tls"), hypervisor("cancel-after"), hypervisor("kill-destination-after"), hypervisor("qemu"),
}

// compresses reports whether e's algorithm has a level of compression.
func compresses(e *Experiment) bool {
	m := e.Action.Migrate
	return m != nil && (m.Algorithm != "multifd" || m.Compression != "none")
}

// movesDisk reports whether e's migration moves the disk with the memory.
func movesDisk(e *Experiment) bool { return e.Guest.Disk != nil && e.Guest.Disk.Storage == "local" }
