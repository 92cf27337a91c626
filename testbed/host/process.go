package host

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// killWait is how long the kernel may take to end a killed process; one in uninterruptible sleep takes longer.
	killWait = 10 * time.Second
	// outputWait is how long output may be drained after a process and its group have ended.
	outputWait = 2 * time.Second
)

// A process is a child that leads its process group.
type process struct {
	cmd  *exec.Cmd
	pid  int
	done chan struct{}
	err  error // valid after done

	mu    sync.Mutex
	ended bool // it will be reaped, after which its PID may be another's: nobody may signal it
}

// start must run on the worker's thread. The end of ctx does not end the process.
func start(ctx context.Context, c Cmd) (*process, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.Path, c.Args...)
	if len(c.Env) > 0 {
		cmd.Env = append(cmd.Environ(), c.Env...)
	}
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdin, c.Stdout, c.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = outputWait
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, pid: cmd.Process.Pid, done: make(chan struct{})}
	go p.reap()
	return p, nil
}

// reap waits for the end without reaping, so that the group's number is still taken while what is left of
// the group is killed, then reaps.
func (p *process) reap() {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	p.ended = true
	_ = unix.Kill(-p.pid, unix.SIGKILL) // an empty group is the usual case
	p.mu.Unlock()
	p.err = p.cmd.Wait()
	close(p.done)
}

func (p *process) PID() int              { return p.pid }
func (p *process) Done() <-chan struct{} { return p.done }
func (p *process) Err() error            { <-p.done; return p.err }

// signal signals the whole group, unless the process has ended.
func (p *process) signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil
	}
	if err := unix.Kill(-p.pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %s to process group %d: %w", unix.SignalName(sig), p.pid, err)
	}
	return nil
}

// Stop sends SIGTERM to the process's group, and SIGKILL once ctx is done.
func (p *process) Stop(ctx context.Context) error {
	if err := p.signal(unix.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return p.Kill()
	}
}

// Kill sends SIGKILL to the process's group and waits for its end, though not for ever.
func (p *process) Kill() error {
	if err := p.signal(unix.SIGKILL); err != nil {
		return err
	}
	return p.wait()
}

func (p *process) wait() error {
	timeout := time.NewTimer(killWait + outputWait)
	defer timeout.Stop()
	select {
	case <-p.done:
		return nil
	case <-timeout.C:
		return fmt.Errorf("process %d (%s) was killed and still lives after %s: see /proc/%d/stack", p.pid, p.cmd.Path, killWait, p.pid)
	}
}

// processes are those that a host started and that have not ended.
type processes struct {
	mu   sync.Mutex
	live map[*process]struct{}
}

func (ps *processes) add(p *process) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.live == nil {
		ps.live = make(map[*process]struct{})
	}
	ps.live[p] = struct{}{}
	go func() {
		<-p.done
		ps.mu.Lock()
		defer ps.mu.Unlock()
		delete(ps.live, p)
	}()
}

// killAll kills them all at once, then waits for each.
func (ps *processes) killAll() error {
	ps.mu.Lock()
	var all []*process
	for p := range ps.live {
		all = append(all, p)
	}
	ps.mu.Unlock()
	var errs []error
	for _, p := range all {
		errs = append(errs, p.signal(unix.SIGKILL))
	}
	for _, p := range all {
		errs = append(errs, p.wait())
	}
	return errors.Join(errs...)
}
