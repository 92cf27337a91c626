package agent

import (
	"context"
	"errors"
	"fmt"
)

// Hello waits for the agent's first hello, or, of a guest that was restored and says none, for its first heartbeat, and returns
// the answer to another: the guest is up, and the channel works both ways.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	select {
	case <-c.greeted:
	case <-ctx.Done():
		return Hello{}, c.noHello(context.Cause(ctx))
	case <-c.done:
		return Hello{}, c.noHello(ErrClosed)
	case <-c.lostNow():
		return Hello{}, c.noHello(ErrDisconnected)
	}
	m, err := c.Do(ctx, Request{Op: OpHello})
	if err != nil {
		return Hello{}, err
	}
	if m.Hello == nil {
		return Hello{}, missing(OpHello)
	}
	if m.Hello.Version != Version {
		return Hello{}, fmt.Errorf("greet agent: it speaks version %d of the protocol, not %d: rebuild the guest's init with `make build`",
			m.Hello.Version, Version)
	}
	return *m.Hello, nil
}

func (c *Client) lostNow() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// noHello adds what the agent said last: it may say why the guest does not come up.
func (c *Client) noHello(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lastLog != "" {
		return fmt.Errorf("wait for the agent's hello: %w: the agent's last words: %s", err, c.lastLog)
	}
	return fmt.Errorf("wait for the agent's hello: %w: see the guest's console", err)
}

// Reserve fills static memory with a pattern, in place of what was reserved before.
func (c *Client) Reserve(ctx context.Context, m Memory) error {
	_, err := c.Do(ctx, Request{Op: OpReserve, Memory: &m})
	return err
}

// Start starts the workload. It returns when the working set was filled and the workload runs.
func (c *Client) Start(ctx context.Context, w Workload) error {
	_, err := c.Do(ctx, Request{Op: OpStart, Workload: &w})
	return err
}

// Stop stops the workload and returns what it did.
func (c *Client) Stop(ctx context.Context) (Progress, error) {
	m, err := c.Do(ctx, Request{Op: OpStop})
	if err != nil {
		return Progress{}, err
	}
	if m.Progress == nil {
		return Progress{}, missing(OpStop)
	}
	return *m.Progress, nil
}

// Verify verifies all memory that the agent wrote. The workload must be stopped. Corrupt memory is a
// verdict, not an error.
func (c *Client) Verify(ctx context.Context) (Verdict, error) {
	m, err := c.Do(ctx, Request{Op: OpVerify})
	if err != nil {
		return Verdict{}, err
	}
	if m.Verdict == nil {
		return Verdict{}, missing(OpVerify)
	}
	return *m.Verdict, nil
}

func missing(op string) error {
	return fmt.Errorf("ask agent to %s: %w", op, errors.New("the reply is empty: rebuild the guest's init with `make build`"))
}
