package results

// SourceWire is who observes by decoding a migration's packets.
const SourceWire = "wire"

// What the decoders of probes/wire record. Host names the vantage whose clock stamped Time, and Time is that of the packet.
// Attr "stream" (1, 2, …) numbers the migrations of a capture in the order in which they begin, and stands on every
// one of them. An edge that is known within bounds only has attrs "earliest" and "latest" (ns since the epoch):
// the truth lies between them, Time included. Attr "inferred" is "true" on what was concluded from a stream's shape
// (volumes, gaps, announcements) and not read from it. Counts and sums are exact, unless attr "atleast" is "true": then packets
// are missing, and the truth is that or more.
const (
	// WireMigration: event, a migration begins. Attrs: format (qemu, tls, unknown), start (header: its first byte was
	// seen; middle: the capture began later), client, server (address:port, client is the source host), page (B), machine, version
	// (of the stream format), postcopy, multifd, … (configuration that the stream tells) where they are known; of a stream that cannot be decoded:
	// tls (its version), limited (true: it was sent in the windows of a rate limiter), evidence (why it is taken for a migration:
	// volume alone, or a guest moved meanwhile).
	WireMigration = "wire.migration"
	// WireMigrationEnd: event. Attrs: how (complete: its end mark was read; fin, reset: the connection ended before;
	// cut: the capture ended before; refused by the destination: it said so on the return path).
	WireMigrationEnd = "wire.migration.end"

	// WireChannel: event, a TCP connection of the migration begins. Attrs: channel (main, multifd-<id>, preempt,
	// nbd-<n>), client, server.
	WireChannel = "wire.channel"
	// At the end, per channel. Attrs: channel, dir (forward: source host to destination host; reverse).
	WireChannelBytes     = "wire.channel.bytes"     // B: distinct payload bytes of the TCP stream that passed
	WireChannelResent    = "wire.channel.resent"    // B: payload that passed again (TCP retransmissions)
	WireChannelMissing   = "wire.channel.missing"   // B: payload that passed, as acknowledgements and sequence numbers show, and is not in the capture
	WireChannelUndecoded = "wire.channel.undecoded" // B: payload that was captured and not understood
	WireChannelReordered = "wire.channel.reordered" // 1: segments that came behind a later one
	WireChannelLast      = "wire.channel.last"      // event: the last payload byte of dir passed

	// WireStage: event, a stage begins. Attrs: stage (one of the Stage constants), earliest, latest; of an inferred one: from (the
	// evidence), provided (an assumption that nothing in the capture confirms).
	WireStage = "wire.stage"

	// WireRound: event, Value n: pre-copy round n begins (1 is the first pass over memory). Attrs: earliest, latest,
	// how (start; again: pages show a synchronisation; final: the guest's stop begins it; postcopy: pages sent after RUN).
	WireRound = "wire.round"
	// Sums over round Attrs round; the stop-and-copy's pages are those of the last round. Recorded when the round is over.
	WireRoundBytes  = "wire.round.bytes"  // B: stream bytes of all forward channels that passed in it, headers of records included
	WireRoundPages  = "wire.round.pages"  // 1: page records; Attrs: kind (one of the Page constants)
	WireRoundResent = "wire.round.resent" // 1: distinct pages that an earlier round had sent: they were dirtied again; Attrs: block, or none for all blocks
	WireRoundSpan   = "wire.round.span"   // 1: the working set: distinct pages that the round sent; Attrs: block, or none for all

	// Totals at the end (and at "how: cut").
	WirePages     = "wire.pages"      // 1: page records; Attrs: kind
	WirePageBytes = "wire.page.bytes" // B: stream bytes of the page records with their headers; Attrs: kind; method (none, zlib, zstd, …) of kind multifd
	// WirePagesTwice is 1: pages that passed twice without a synchronisation between, as QEMU 7.2 sends some with multifd; they
	// are among WirePages both times.
	WirePagesTwice = "wire.pages.twice"
	// WireSyncs is 1: dirty bitmap synchronisations that the stream proves, in the sense of QEMU's ram.dirty-sync-count. QEMU
	// makes others that leave no trace in the stream, whenever what is left falls below what downtime-limit allows: so it is
	// a lower bound (attr atleast).
	WireSyncs  = "wire.syncs"
	WireBlock  = "wire.block"  // B: length of a RAM block; Attrs: block, page (B)
	WireDevice = "wire.device" // B: state of one device, with its section header and footer; Attrs: device, instance

	// Post-copy.
	// WirePageRequests is 1: pages that the destination asked for. The one without attr answer is the total; the others say what
	// became of them: answer is sent, crossed (the page was on its way when it was asked for), repeated, none or unknown.
	WirePageRequests = "wire.page.requests"
	WirePageFault    = "wire.page.fault" // s: from a page's request to its last byte on the wire; Attrs: stat (count, min, p50, p90, p99, max, mean)

	// Storage mirror over NBD, at its end; each connection to the destination's NBD server is a stream of its own. Attrs: export,
	// where it is known; atleast.
	WireMirror           = "wire.mirror"            // event, the connection begins. Attrs: client, server, start (header, middle), handshake (fixed, newstyle, oldstyle), replies (simple, structured, extended), how (as WireMigrationEnd, and disconnect: the client said so)
	WireMirrorSize       = "wire.mirror.size"       // B: size of the export, as the server tells; Attrs: minimum, preferred, maximum (B of a request)
	WireMirrorFirst      = "wire.mirror.first"      // event: the first write, write-zeroes or trim request began to pass; Attrs: latest, if an earlier one may be missing
	WireMirrorLast       = "wire.mirror.last"       // event: the last one has passed; Attrs: earliest, if a later one may be missing
	WireMirrorWrites     = "wire.mirror.writes"     // 1: write, write-zeroes and trim requests that passed whole; Attrs: command
	WireMirrorBytes      = "wire.mirror.bytes"      // B: of the export that they cover (only those of a write pass on the wire); Attrs: command
	WireMirrorDistinct   = "wire.mirror.distinct"   // B: of sectors of 512 B that they touched, those that the server refused too (see errors)
	WireMirrorAgain      = "wire.mirror.again"      // B: of sectors of 512 B that they touched when an earlier one had; Attrs: after (write: a write had touched the sector, so that the guest dirtied it again; none: whatever had, as a source may zero all first)
	WireMirrorOther      = "wire.mirror.other"      // 1: other requests; Attrs: command (read, flush, cache, block-status, disconnect)
	WireMirrorErrors     = "wire.mirror.errors"     // 1: requests that the server refused; Attrs: command, error (an errno's name, as the protocol has it)
	WireMirrorUnanswered = "wire.mirror.unanswered" // 1: requests without an answer at the end; Attrs: command
	WireMirrorLatency    = "wire.mirror.latency"    // s: from a request's last byte to the last of its answer; Attrs: command, stat (count, min, p50, p90, p99, max, mean)
	WireMirrorEncrypted  = "wire.mirror.encrypted"  // event: TLS begins (STARTTLS): of what follows nothing is told. Attrs: offset (B in the stream of the server), packet

	// WireDamage: event: the stream makes no sense, or bytes are missing. Attrs: channel, dir, offset (B in the TCP
	// stream), packet (number in the capture, from 1), detail.
	WireDamage = "wire.damage"
	// WireResync: event: decoding goes on. Attrs: channel, dir, offset, packet, skipped (B that were not understood).
	WireResync = "wire.resync"

	// Of a stream that cannot be decoded, at its end.
	WireStageBytes = "wire.stage.bytes" // B: forward payload of a stage, TLS included, retransmissions not; Attrs: stage, least, most (the truth is between them), inferred
	WireGap        = "wire.gap"         // s: Time is its begin; no forward payload passed for so long; Attrs: periodic (true: a window of the source's rate limiter began behind it)
	WirePlaintext  = "wire.plaintext"   // B: what TLS carried forward, headers, tags and handshake left out; Attrs: least, most, cipher (number of the suite), inferred
	WireUntold     = "wire.untold"      // event: something cannot be inferred; Attrs: what (a stage, plaintext), detail (why)

	// What the frames say of a guest. Attrs: mac; vantage ports as "port".
	WireGuest         = "wire.guest"          // event: a guest was told from other stations; Attrs: how (announced, moved, asked)
	WireGuestLast     = "wire.guest.last"     // event: its last frame from port before it moved
	WireGuestFirst    = "wire.guest.first"    // event: its first frame from port after it moved, announcements left out
	WireGuestAnnounce = "wire.guest.announce" // event: Attrs: kind (rarp, garp), port
	WireGuestSilence  = "wire.guest.silence"  // s: Time is its begin; no frame of the guest passed for so long; Attrs: port (of the frame before), next (port of the frame after)
	WireGuestStale    = "wire.guest.stale"    // s: from the first frame behind the new port to the last frame for the guest that was still delivered to the old one; Attrs: port, frames

	// WireBytes is the forward payload in bins, for drawing. Attrs: bin (s), kind (stream).
	WireBytes = "wire.bytes" // B
)

// Stages of a migration on the wire.
const (
	StageSetup       = "setup"         // header, configuration and the RAM blocks' list
	StagePreCopy     = "pre-copy"      // round 1 begins
	StageStopCopy    = "stop-and-copy" // the source's guest has stopped: what is left of memory is sent
	StageDeviceState = "device state"  // devices are sent
	StagePostCopy    = "post-copy"     // the destination was told to run
	StageSwitchOver  = "switch-over"   // everything was sent; the destination has not answered yet
	StageRunning     = "running"       // the destination shows that the guest runs there
	StageDone        = "done"          // the last packet of its connections passed
)

// Kinds of page records.
const (
	PageNormal     = "normal"     // sent whole
	PageZero       = "zero"       // all bytes alike: one byte was sent
	PageXBZRLE     = "xbzrle"     // the difference from what was sent before
	PageCompressed = "compressed" // deflated (capability compress, QEMU before 9.1)
	PageMultifd    = "multifd"    // announced by a multifd packet and sent whole, or compressed, in it
	PageUnknown    = "unknown"    // bytes of page records that were lost: at least so many pages
)
