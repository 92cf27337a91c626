package agent

import (
	"context"
	"fmt"
	"time"
)

// Forget makes the guest give up its identity, to be saved as one that others are cloned from. Its card is down afterwards.
func (c *Client) Forget(ctx context.Context) error {
	_, err := c.Do(ctx, Request{Op: OpForget})
	return err
}

// Identify gives the guest an identity; what is empty stays as it is. It returns what the guest's kernel then has, once the card is
// up with it. That it is what was asked for is for the caller to compare.
func (c *Client) Identify(ctx context.Context, id Identity) (Identity, error) {
	return c.identity(ctx, Request{Op: OpIdentify, Identity: &id, Patience: patience(ctx)})
}

// Identity returns the identity that the guest has.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	return c.identity(ctx, Request{Op: OpIdentity})
}

func (c *Client) identity(ctx context.Context, r Request) (Identity, error) {
	m, err := c.Do(ctx, r)
	if err != nil {
		return Identity{}, err
	}
	if m.Identity == nil {
		return Identity{}, missing(r.Op)
	}
	return *m.Identity, nil
}

// VCPUs makes the guest run on n vCPUs, which are plugged in or about to be, and returns how many it runs on: at least n. It
// takes none out of use.
func (c *Client) VCPUs(ctx context.Context, n int) (int, error) {
	m, err := c.Do(ctx, Request{Op: OpVCPUs, VCPUs: n, Patience: patience(ctx)})
	if err != nil {
		return 0, err
	}
	if m.VCPUs < n {
		return m.VCPUs, fmt.Errorf("ask agent to use %d vCPUs: it runs on %d", n, m.VCPUs)
	}
	return m.VCPUs, nil
}

// Job has the guest begin a job. It returns once the guest has taken it; the channel then gives one JobDone, when it is done. The
// channel is closed without one when the client is closed.
//
// The job that the guest runs, or ran last, is not begun again: a client of a guest that was restored asks for it anew, with the
// same ID, to hear of its end.
func (c *Client) Job(ctx context.Context, j Job) (<-chan JobDone, error) {
	done := make(chan JobDone, 1)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, fmt.Errorf("ask agent to %s: %w", OpJob, ErrClosed)
	}
	if c.jobs[j.ID] != nil {
		c.mu.Unlock()
		return nil, fmt.Errorf("ask agent to %s: job %d was asked for and is not done", OpJob, j.ID)
	}
	c.jobs[j.ID] = done // before it is asked for: a short one may be done first
	c.mu.Unlock()
	if _, err := c.Do(ctx, Request{Op: OpJob, Job: &j}); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.jobs[j.ID] == done {
			delete(c.jobs, j.ID)
		}
		return nil, err
	}
	return done, nil
}

// Boot returns how the guest started.
func (c *Client) Boot(ctx context.Context) (Boot, error) {
	m, err := c.Do(ctx, Request{Op: OpBoot})
	if err != nil {
		return Boot{}, err
	}
	if m.Boot == nil {
		return Boot{}, missing(OpBoot)
	}
	return *m.Boot, nil
}

// Units returns what systemd says of the guest's start. It is an error while the start is not over, and without systemd.
func (c *Client) Units(ctx context.Context) (Units, error) {
	m, err := c.Do(ctx, Request{Op: OpUnits})
	if err != nil {
		return Units{}, err
	}
	if m.Units == nil {
		return Units{}, missing(OpUnits)
	}
	return *m.Units, nil
}

// patience is what is left until the deadline, in ns, less what a reply takes; 0 without one.
func patience(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	left := time.Until(deadline)
	return max(1, int64(left-left/10))
}
