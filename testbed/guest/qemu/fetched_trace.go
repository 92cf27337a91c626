package qemu

import (
	"regexp"
	"strconv"
	"time"
)

// A readTrace adds up what QEMU reads of the image behind a disk's overlay, by QEMU's trace of its block layer (block/trace-events:
// bdrv_open_common, bdrv_co_preadv_part). query-blockstats does not say it: it counts what devices ask for, and nothing of a node.
type readTrace struct {
	overlay string // path
	opened  bool   // the overlay's own node was
	backing string // the address by which QEMU names the node behind it; "" until it was opened
	bytes   int64
	at      time.Time // when the last of them was asked for
}

var (
	openEvent = regexp.MustCompile(`^\d+@\d+\.\d+:bdrv_open_common bs (0x[0-9a-f]+) filename "(.*)" flags 0x[0-9a-f]+ format_name "([^"]*)"$`)
	readEvent = regexp.MustCompile(`^\d+@(\d+)\.(\d{6}):bdrv_co_preadv_part bs (0x[0-9a-f]+) offset -?\d+ bytes (\d+) flags 0x[0-9a-f]+$`)
)

// formats are the drivers of nodes that read an image, and not the file or the server on which it lies.
var formats = map[string]bool{"raw": true, "qcow2": true}

// take reads a line without its end; what is no line of the trace is passed over.
func (r *readTrace) take(text string) {
	if m := readEvent.FindStringSubmatch(text); m != nil {
		if m[3] == r.backing {
			r.add(m[1], m[2], m[4])
		}
		return
	}
	m := openEvent.FindStringSubmatch(text)
	if m == nil || r.backing != "" || !formats[m[3]] {
		return
	}
	// The first image that is opened after the overlay is the one behind it, and that behind that comes later.
	switch {
	case m[2] == r.overlay:
		r.opened = true
	case r.opened:
		r.backing = m[1]
	}
}

func (r *readTrace) add(sec, usec, bytes string) {
	n, err := strconv.ParseInt(bytes, 10, 64)
	s, errS := strconv.ParseInt(sec, 10, 64)
	us, errU := strconv.ParseInt(usec, 10, 64)
	if err != nil || errS != nil || errU != nil || r.bytes+n < r.bytes {
		return
	}
	r.bytes, r.at = r.bytes+n, time.Unix(s, us*1000)
}
