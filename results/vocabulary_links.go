package results

// SourceRelay is the frame relay that delays, varies and loses the frames of links where the kernel cannot.
const SourceRelay = "relay"

// What the relay did of each direction of each emulated link in the whole trial, beside ProbeCPU of its threads. Attrs: link
// (link, migration-link), host (whose end), dir (up: the host sends; down: it receives). Where it takes super-frames, one
// counts once.
const (
	RelayFrames = "relay.frames" // 1: frames that came
	RelayLost   = "relay.lost"   // 1: frames that were lost on purpose, by Link.Loss
	// RelayDropped is 1: frames that were lost and should not have been. Attrs: cause (memory: more was under way than the
	// relay may hold; ring: the relay came too late to read them; refused: the other device did not take them).
	RelayDropped = "relay.dropped"
	// RelayLate is s: the mean time by which frames were sent later than they were due. Attrs: p50, p99, max (s), ms (1:
	// frames that were late by a millisecond or more). Not recorded if none was sent.
	RelayLate = "relay.late"
)
