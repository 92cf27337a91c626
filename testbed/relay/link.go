package relay

import (
	"errors"
	"fmt"
	"time"
)

// A Port is a TAP device that the relay makes. It vanishes with the relay.
type Port struct {
	Namespace string `json:"namespace"` // path of the network namespace's file
	Name      string `json:"name"`      // of the device; it must not exist
}

// A Link joins two ports. Each direction treats its frames alike and independently of the other.
type Link struct {
	Name string `json:"name"` // in statistics
	A    Port   `json:"a"`
	B    Port   `json:"b"`

	// Delay of each frame, from when it is read from the one device until it is written to the other.
	Delay time.Duration `json:"delay"`
	// Jitter varies the delay of each frame evenly by ±Jitter, at most Delay. Frames overtake one another by it, as they
	// do under netem. Without jitter they keep their order; with it, they may be sent a tenth of Jitter, at most 100 µs,
	// later than they are due, so that several go at once.
	Jitter time.Duration `json:"jitter"`
	// Loss is the probability that a frame is lost, independently of all others.
	Loss float64 `json:"loss"`
	// Seed of the random draws, one for each frame, in the order of arrival. Each direction has a stream of its own.
	Seed uint64 `json:"seed"`

	// Offload lets the devices hand over up to 64 KiB of a TCP stream as one super-frame: several times cheaper, and a
	// super-frame is delayed and lost as one. Without it every frame is one Ethernet frame.
	Offload bool `json:"offload"`
	// MemoryAB and MemoryBA bound what each direction holds, in B, from MinMemory to MaxMemory. Frames that come when
	// it is full are dropped, and counted. A frame takes its length rounded up to 64 B.
	MemoryAB int64 `json:"memoryAB"`
	MemoryBA int64 `json:"memoryBA"`
}

// Bounds of Link.MemoryAB and Link.MemoryBA, in B.
const (
	MinMemory = 1 << 20
	MaxMemory = 1 << 30
)

func (l Link) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("link "+l.Name+": "+format, args...))
	}
	if l.Delay < 0 || l.Jitter < 0 || l.Jitter > l.Delay {
		bad("delay %s ± %s: want no negative time", l.Delay, l.Jitter)
	}
	if !(l.Loss >= 0 && l.Loss <= 1) { // the negation catches NaN
		bad("loss %g: want 0 to 1", l.Loss)
	}
	for _, m := range []int64{l.MemoryAB, l.MemoryBA} {
		if m < MinMemory || m > MaxMemory {
			bad("memory of %d B: want %d to %d", m, MinMemory, MaxMemory)
		}
	}
	return errors.Join(errs...)
}
