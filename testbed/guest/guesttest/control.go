package guesttest

import (
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// The driver and a guest's process talk in lines of JSON: orders on its standard input, reports on its
// standard output. Times are CLOCK_MONOTONIC in ns, which all processes of a machine share.

// An order is something that the guest must do. Each is answered by a report with its ID.
type order struct {
	ID      int64  `json:"id"`
	Op      string `json:"op"`
	At      int64  `json:"at,omitempty"`      // stop, wake: the instant
	Address string `json:"address,omitempty"` // send, save, load: who listens
	State   *state `json:"state,omitempty"`   // adopt
}

const (
	opSend  = "send"  // send the memory; the report carries Bytes. The report Connected comes before.
	opStop  = "stop"  // close the gate at At, or, if At is 0, do not; refused when it is too late for either
	opWake  = "wake"  // open the gate at At, or, if At is 0, do not; refused once it is open
	opThaw  = "thaw"  // open the gate of a guest that stands still, now
	opSave  = "save"  // send a guest that stands still to the unix socket Address; the report carries Bytes
	opLoad  = "load"  // take over from a saved guest that the unix socket Address serves; the report carries Bytes
	opAdopt = "adopt" // take over where the source stopped
	opQuit  = "quit"  // end, once everything was said
)

// A report is what a guest says. Without an ID it is news.
type report struct {
	ID        int64   `json:"id,omitempty"`
	Error     string  `json:"error,omitempty"`
	Bytes     int64   `json:"bytes,omitempty"`
	Ready     bool    `json:"ready,omitempty"`     // the tap is open and the sockets listen
	Connected bool    `json:"connected,omitempty"` // to the destination
	Stopped   *change `json:"stopped,omitempty"`
	Awake     *change `json:"awake,omitempty"`
}

// A change is the closing or opening of the gate, as it was.
type change struct {
	Gate  stamp  `json:"gate"`            // when it closed or opened
	Frame *stamp `json:"frame,omitempty"` // the last frame before, or the first after; nil if there was none
	State *state `json:"state,omitempty"` // of a guest that stopped
}

// A stamp is an instant on both clocks, and how much later the event may have been.
type stamp struct {
	Mono  int64 `json:"mono"`  // ns
	Wall  int64 `json:"wall"`  // ns since the Unix epoch
	Bound int64 `json:"bound"` // ns
}

// A state is what a guest must know to go on as the one that stopped.
type state struct {
	LastTick int64 `json:"last_tick"` // mono
	MaxStep  int64 `json:"max_step"`  // ns, since the last heartbeat
	Beats    int64 `json:"beats"`     // sequence number of the last heartbeat
	Started  int64 `json:"started"`   // mono; when the workload started, 0 if none runs
}

func mono() int64 { return clock(unix.CLOCK_MONOTONIC) }

func clock(id int32) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0 // cannot be: both clocks exist on every Linux
	}
	return ts.Nano()
}

// now reads both clocks; Bound says how long that took.
func now() stamp {
	before := mono()
	wall := clock(unix.CLOCK_REALTIME)
	return stamp{Mono: before, Wall: wall, Bound: mono() - before}
}

// readLines decodes each line of r until it ends.
func readLines[T any](r io.Reader, take func(T)) error {
	d := json.NewDecoder(r)
	for {
		var v T
		err := d.Decode(&v)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a message: %w", err)
		}
		take(v)
	}
}
