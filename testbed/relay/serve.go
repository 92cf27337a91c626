package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// What the controller and the relay say to each other, one JSON value a line: first a setup and its answer, then any number
// of requests for statistics, each with its answer. The end of the input ends the relay.
type (
	setup struct {
		Links []Link `json:"links"`
	}
	request struct{}
	answer  struct {
		Error string  `json:"error,omitempty"`
		Stats []Stats `json:"stats,omitempty"`
	}
)

// Serve is the relay's process: it makes the links that the controller asks for on in, carries frames, and returns when in
// ends. The process must do nothing else: Serve sets up Go's runtime for it.
func Serve(in io.Reader, out io.Writer) error {
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	var s setup
	if err := requests.Decode(&s); err != nil {
		return fmt.Errorf("read the links: %w", err)
	}
	// Each direction must get a processor of Go's at once when it wakes. Nothing is allocated for a frame, so there is
	// nothing to collect.
	runtime.GOMAXPROCS(2*len(s.Links) + 2)
	debug.SetGCPercent(-1)
	w, err := open(s.Links)
	if err != nil {
		return errors.Join(err, answers.Encode(answer{Error: err.Error()}))
	}
	defer w.close()
	if err := answers.Encode(answer{}); err != nil {
		return fmt.Errorf("say that the links are up: %w", err)
	}
	for {
		var r request
		switch err := requests.Decode(&r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read a request: %w", err)
		}
		var a answer
		for _, d := range w.directions {
			a.Stats = append(a.Stats, d.snapshot())
		}
		if err := answers.Encode(a); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

// works is what runs.
type works struct {
	fds        []int
	directions []*direction
}

// open makes all devices, then starts all directions. On an error nothing is left.
func open(links []Link) (*works, error) {
	w := &works{}
	for _, l := range links {
		if err := w.add(l); err != nil {
			w.closeDevices()
			return nil, err
		}
	}
	for _, d := range w.directions {
		go d.run()
	}
	return w, nil
}

func (w *works) add(l Link) error {
	if err := l.validate(); err != nil {
		return err
	}
	var fds [2]int
	for i, p := range []Port{l.A, l.B} {
		fd, err := openTap(p, l.Offload)
		if err != nil {
			return err
		}
		fds[i] = fd
		w.fds = append(w.fds, fd)
	}
	ab, err := newDirection(l, l.A, l.B, fds[0], fds[1], l.MemoryAB, 0)
	if err != nil {
		return err
	}
	ba, err := newDirection(l, l.B, l.A, fds[1], fds[0], l.MemoryBA, 1)
	if err != nil {
		return errors.Join(err, unix.Close(ab.bell))
	}
	w.directions = append(w.directions, ab, ba)
	return nil
}

func (w *works) close() {
	for _, d := range w.directions {
		d.end()
	}
	w.closeDevices()
}

func (w *works) closeDevices() {
	for _, fd := range w.fds {
		_ = unix.Close(fd)
	}
}
