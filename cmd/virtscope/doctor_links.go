package main

import (
	"time"
	"virtscope/testbed"
)

// links says what can shape links, and what emulates their delay, jitter and loss.
func (d *doctor) links() {
	d.optional("link rate (tbf)", testbed.Check(bed(testbed.Link{Rate: 1e6})), "yes")

	const what = "link delay, jitter, loss"
	emulated := bed(testbed.Link{Delay: time.Millisecond})
	emulated.Emulator = testbed.EmulatorNetem
	missing := testbed.Check(emulated)
	if missing == nil {
		d.optional(what, nil, "netem")
		return
	}
	emulated.Emulator = testbed.EmulatorRelay
	d.optional(what, testbed.Check(emulated), "the frame relay, as this kernel has no netem")
}
