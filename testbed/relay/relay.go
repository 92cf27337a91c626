package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"virtscope/testbed/host"
)

// A Relay is a running relay process. Its methods are safe for concurrent use.
type Relay struct {
	process host.Process
	stderr  *opening

	mu      sync.Mutex // held while a question is asked
	in      *os.File
	out     *os.File
	answers *json.Decoder
}

// answerLimit is how long the relay may take to answer. It has nothing else to do; a machine under load may be slow.
const answerLimit = 20 * time.Second

// Start starts a relay on a host: command is a program, with its arguments, that runs Serve between its standard input and
// output. When Start returns, the devices exist and have a carrier once they are up. The caller closes the relay, after
// which the devices are gone. If this program dies, the relay ends.
func Start(ctx context.Context, h host.Host, command []string, links []Link) (*Relay, error) {
	if len(command) == 0 {
		return nil, errors.New("start the frame relay: its command is not set")
	}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the frame relay: %w", err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the frame relay: %w", err), childIn.Close(), in.Close())
	}
	r := &Relay{in: in, out: out, answers: json.NewDecoder(out), stderr: &opening{}}
	r.process, err = h.Start(ctx, host.Cmd{
		Path: command[0], Args: command[1:], Stdin: childIn, Stdout: childOut, Stderr: r.stderr,
	})
	err = errors.Join(err, childIn.Close(), childOut.Close())
	if err == nil {
		_, err = r.ask(ctx, setup{Links: links})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the frame relay: %w", err), r.Close(ctx))
	}
	return r, nil
}

// Stats are the statistics of both directions of each link, in the order of the links, A to B before B to A. A relay or a
// direction that has ended is an error, beside the statistics that there are.
func (r *Relay) Stats(ctx context.Context) ([]Stats, error) {
	a, err := r.ask(ctx, request{})
	if err != nil {
		return nil, fmt.Errorf("ask the frame relay for statistics: %w", err)
	}
	var errs []error
	for _, s := range a.Stats {
		if s.Error != "" {
			errs = append(errs, fmt.Errorf("frame relay of %s, %s to %s: %s", s.Link, s.From, s.To, s.Error))
		}
	}
	return a.Stats, errors.Join(errs...)
}

// ask sends one line and reads the answer.
func (r *Relay) ask(ctx context.Context, question any) (answer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	deadline := time.Now().Add(answerLimit)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := errors.Join(ctx.Err(), r.in.SetDeadline(deadline), r.out.SetDeadline(deadline)); err != nil {
		return answer{}, err
	}
	var a answer
	err := json.NewEncoder(r.in).Encode(question)
	if err == nil {
		err = r.answers.Decode(&a)
	}
	if err != nil {
		return answer{}, fmt.Errorf("%w (it said %q)", err, r.stderr.String())
	}
	if a.Error != "" {
		return answer{}, errors.New(a.Error)
	}
	return a, nil
}

// PID is the relay's process.
func (r *Relay) PID() int { return r.process.PID() }

// Done is closed when the relay has ended: nobody carries frames any more.
func (r *Relay) Done() <-chan struct{} { return r.process.Done() }

// Close ends the relay and waits until it has ended. It is idempotent.
func (r *Relay) Close(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range []*os.File{r.in, r.out} {
		if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("end the frame relay: %w", err)
		}
	}
	if r.process == nil {
		return nil
	}
	// It has nothing to save. SIGKILL ends its threads, and its devices, without waiting for it to be scheduled.
	if err := r.process.Kill(); err != nil {
		return fmt.Errorf("end the frame relay: %w", err)
	}
	return nil
}

// An opening keeps the begin of what a process says on its standard error.
type opening struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *opening) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := 4096 - t.text.Len(); room > 0 {
		t.text.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

func (t *opening) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.text.String())
}
