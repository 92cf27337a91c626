// Package capture observes frames: it finds the guest's own, the announcements after a migration, and how
// much the migration itself sends.
package capture

import (
	"math"
	"virtscope/probes/capture/packet"
)

// NoTime is the time of a frame whose source does not know when it passed (a simple packet block of pcapng).
const NoTime = math.MinInt64

// A Frame is one captured frame.
type Frame struct {
	Data      []byte // from the link header on, cut at the snap length; valid until the next call of Next
	Length    int    // B, as it passed; at least len(Data). A super-frame that an offload merged is one frame.
	Time      int64  // ns since the Unix epoch, when the kernel saw it; NoTime is not known
	Interface int    // index of the interface where it passed; in a file, the number of its interface block from 0
	Link      packet.Link

	// VLAN is the id of a tag that is not in Data because the kernel or the hardware took it off; 0 is none. Length
	// leaves the tag's 4 B out of account.
	VLAN     uint16
	Outgoing bool // live, and the capturing machine sent it; files do not tell
}

// A Source gives frames.
type Source interface {
	// Next returns the next frame, in the order in which the source has them; their times may be out of
	// order by a little. After the last frame it returns io.EOF.
	Next() (Frame, error)
	// Stats says how many frames there were. It is exact once Next has returned io.EOF.
	Stats() (Stats, error)
	Close() error
}

// Stats are the totals of a source.
type Stats struct {
	Frames  int64 // given by Next
	Dropped int64 // seen, and lost before Next could give them
	Full    int64 // live: how often the ring ran full
}
