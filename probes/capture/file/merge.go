package file

import (
	"errors"
	"fmt"
	"io"
	"math"
	"virtscope/probes/capture"
)

// An Input is a source to merge.
type Input struct {
	Source     capture.Source
	Correction int64 // ns, added to each frame's time: what the source's clock is behind the clock that counts
}

// Tagged is a frame that says where it comes from.
type Tagged struct {
	capture.Frame     // Time is corrected
	Source        int // which input, from 0
}

// A Merged gives the frames of several sources in the order of their times. It takes each source in its own order: a
// frame that is late in its source is late here.
type Merged struct {
	inputs []Input
	heads  []capture.Frame // the next of each input
	state  []headState
}

// A headState says what is known of an input's next frame.
type headState uint8

const (
	unread headState = iota
	ready
	ended
)

// Merge merges sources. They stay the caller's to close, or Close closes them all. Frames at the same time come in the
// order of the inputs, and a frame without a time before the frame that follows it in its source.
func Merge(inputs ...Input) *Merged {
	return &Merged{inputs: inputs, heads: make([]capture.Frame, len(inputs)), state: make([]headState, len(inputs))}
}

// Next gives the next frame; its data is valid until the next call. After the last it returns io.EOF. Any other error
// ends the one source that it names: further calls give the frames of the others.
func (m *Merged) Next() (Tagged, error) {
	first := -1
	for i, s := range m.state {
		if s == unread {
			if err := m.read(i); err != nil {
				return Tagged{}, err
			}
		}
		if m.state[i] == ready && (first < 0 || m.heads[i].Time < m.heads[first].Time) {
			first = i
		}
	}
	if first < 0 {
		return Tagged{}, io.EOF
	}
	m.state[first] = unread // not read yet: that would overwrite the data
	return Tagged{Frame: m.heads[first], Source: first}, nil
}

// read reads the next frame of an input.
func (m *Merged) read(i int) error {
	in := &m.inputs[i]
	f, err := in.Source.Next()
	if err != nil {
		m.state[i] = ended
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("read input %d: %w", i+1, err)
	}
	if f.Time != capture.NoTime {
		f.Time = shift(f.Time, in.Correction)
	}
	m.heads[i], m.state[i] = f, ready
	return nil
}

// shift adds, and stays in range: a correction that is nonsense must not turn the order around.
func shift(t, by int64) int64 {
	switch sum := t + by; {
	case by > 0 && sum < t:
		return math.MaxInt64
	case by < 0 && sum > t:
		return math.MinInt64 + 1
	default:
		return sum
	}
}

// Stats are those of an input.
func (m *Merged) Stats(input int) (capture.Stats, error) { return m.inputs[input].Source.Stats() }

// Close closes all inputs.
func (m *Merged) Close() error {
	var errs []error
	for _, in := range m.inputs {
		errs = append(errs, in.Source.Close())
	}
	return errors.Join(errs...)
}
