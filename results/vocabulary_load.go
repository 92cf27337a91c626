package results

// Sources of loads from outside.
const (
	SourceLoad      = "load"      // the load client: what it asks of the guest
	SourceBenchmark = "benchmark" // redis-benchmark
)

// What the load client sees. It sums up over bins of attr "bin" (s), the first of which begins at a multiple of it; Time is
// the bin's begin. A request counts in the bin in which it was due, and its latency from then on: no omission is
// coordinated with the server's stalls. Every record has attr "kind" as LoadInfo has it: several clients may run at once.
const (
	LoadInfo = "load.info" // event, at the start; Attrs: kind (request, stream, bulk, kv, redis), rate (what is asked: 1/s, or B/s of a stream), arrivals, connections, bin (s), on (the host it runs on)
	// LoadRequests is 1: requests due in the bin. Attrs: outcome (ok; failed: an error or a broken connection; pending: not
	// answered when the client stopped). Bins without any are not recorded.
	LoadRequests = "load.requests"
	// LoadLatency is s: the longest latency of the bin's answered requests. Attrs: histogram (HdrHistogram V2, base64, in µs),
	// count, late (s: by how much the client itself was late at most with the bin's requests, which is part of their latency).
	LoadLatency   = "load.latency"
	LoadAnswers   = "load.answers"   // 1: requests that were answered as asked, by arrival of the answer in the bin; recorded for empty bins too between the first and the last
	LoadBytes     = "load.bytes"     // B: received from the guest in the bin, by arrival; recorded for empty bins too between the first and the last. The last bin is as long as the client ran, in both
	LoadReconnect = "load.reconnect" // event: a connection broke and was made anew; Attrs: error

	// Of a stream. Time is on the client's clock.
	StreamLost     = "stream.lost"     // 1: datagrams that never came; Time is when the first one after them came
	StreamStall    = "stream.stall"    // s: Time is its begin; the player had nothing to play. Attrs: buffer (s); open (true), if the observation ended before the stall did
	StreamReceived = "stream.received" // 1: datagrams of the whole trial; Time is the client's end. Attrs: late (1: behind a later one), duplicate (1), silent (s: since the last one came; none if none did), interval (s: one plays for so long), played (s: since the player first played; none if it never did)

	// BenchmarkResult is what redis-benchmark itself reports over its whole run: 1/s or s. Attrs: test (SET, GET), stat (rps, mean, min, p50, p95, p99, max), pass (from 1: it runs over and over; Time is the pass's end), duration (s, of the pass).
	BenchmarkResult = "benchmark.result"
	BenchmarkFailed = "benchmark.failed" // event: a pass ended with an error; Attrs: error, pass
)

// What the guest says of its workloads beside GuestDirtied. Attrs as there.
const (
	GuestAsked     = "guest.asked"      // B, cumulative: what the workload should have written by then; recorded with GuestDirtied where a rate is set
	GuestWork      = "guest.work"       // 1, cumulative: operations; Attrs: kind (cpu, disk, net, kv, redis), bytes (B, cumulative), late (s), mono; error, when it ended by itself
	GuestDiskStall = "guest.disk.stall" // s: a write longer than 50 ms of guest time; Attrs: mono (ns, its end)
	GuestDiskTimes = "guest.disk.times" // s: the longest write of a tenth of a second; Attrs: mono, counts (comma-separated: entry i counts those below 2^i µs and not below half of that)
)

// What happens to links and beside the migration. Source is SourceRunner.
const (
	LinkDown = "link.down" // event; Attrs: link (link, migration-link), host
	LinkUp   = "link.up"   // event; Attrs as above
	Fault    = "fault"     // event: something was done on purpose; Attrs: kind (cancel, kill-destination, pause, recover; stop-guest: the guest was stopped at the source in the middle of its migration; continue: the source did not go on by itself; take-back: a destination that had not resumed the guest was ended, so that it could go on at the source)

	// Cross-traffic, cumulative payload, sampled each tenth of a second. Attrs: direction (forward, reverse), flow.
	TrafficSent     = "traffic.sent"     // B
	TrafficReceived = "traffic.received" // B
)

// More of the hypervisor's own counters (QAPI query-migrate and query-jobs). Attrs as MigrationTransferred.
const (
	MigrationThrottle       = "migration.throttle"         // 1: share of CPU time that auto-converge takes from the guest: cpu-throttle-percentage / 100
	MigrationXBZRLEBytes    = "migration.xbzrle.bytes"     // B, cumulative: xbzrle-cache.bytes
	MigrationXBZRLEPages    = "migration.xbzrle.pages"     // 1, cumulative
	MigrationXBZRLEMisses   = "migration.xbzrle.misses"    // 1, cumulative: cache-miss
	MigrationXBZRLEOverflow = "migration.xbzrle.overflow"  // 1, cumulative: pages whose difference was not worth it
	MigrationPageRequests   = "migration.page-requests"    // 1, cumulative: ram.postcopy-requests
	MigrationPrecopyBytes   = "migration.precopy.bytes"    // B, cumulative: ram.precopy-bytes
	MigrationDowntimeBytes  = "migration.downtime.bytes"   // B: ram.downtime-bytes
	MigrationPostcopyBytes  = "migration.postcopy.bytes"   // B, cumulative: ram.postcopy-bytes
	MigrationMultifdBytes   = "migration.multifd.bytes"    // B, cumulative: ram.multifd-bytes
	MigrationCompressRate   = "migration.compression.rate" // 1: compression.compression-rate, of what was compressed

	// The copy of the disk. Attrs: job (mirror, backup), pass (of backup, from 1).
	DiskCopyBegin = "disk.copy.begin" // event: a job was started
	DiskCopyReady = "disk.copy.ready" // event: the mirror follows the disk, or a pass of the backup is done
	DiskCopyEnd   = "disk.copy.end"   // event: the destination's disk is complete, and no more is copied
	DiskCopied    = "disk.copied"     // B, cumulative: offset of the job (query-block-jobs)
	DiskToCopy    = "disk.to-copy"    // B: len of the job
)

// Flows of FlowBytes and FlowPayload: attr "flow".
const (
	FlowMigration = "migration" // memory and device state
	FlowDisk      = "disk"      // the copy of the disk, by NBD
	FlowClient    = "client"    // between the client and the guest
)
