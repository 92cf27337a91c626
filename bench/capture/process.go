package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process runs in a network namespace.
type process struct {
	cmd  *exec.Cmd
	out  buffer
	done chan struct{}
	err  error // once done is closed
}

// A buffer takes what a process prints; it may be read meanwhile.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (p *process) printed() string {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.bytes.String()
}

// start starts argv in a named namespace. ip becomes argv, so that its CPU time is argv's.
func start(ctx context.Context, namespace string, argv []string) (*process, error) {
	p := &process{done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", namespace}, argv...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// await waits until the process has printed text.
func (p *process) await(text string, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(p.printed(), text) {
			return nil
		}
		select {
		case <-p.done:
			return p.explain(errors.New("it ended at once"))
		default:
		}
	}
	return p.explain(fmt.Errorf("it did not print %q within %v", text, limit))
}

func (p *process) explain(err error) error {
	return fmt.Errorf("run %s: %w: %s", strings.Join(p.cmd.Args, " "), err, strings.TrimSpace(p.printed()))
}

// wait waits until the process has ended well.
func (p *process) wait() error {
	<-p.done
	if p.err != nil {
		return p.explain(p.err)
	}
	return nil
}

// interrupt ends the process as Control-C does.
func (p *process) interrupt() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return p.explain(err)
	}
	return p.wait()
}

// kill ends what still runs.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// cpu is the CPU time that the process took, in s. It must have ended.
func (p *process) cpu() float64 {
	s := p.cmd.ProcessState
	return (s.UserTime() + s.SystemTime()).Seconds()
}

// peak is the most memory that the process had, its rings included, in MiB. It must have ended.
func (p *process) peak() float64 {
	u, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return math.NaN()
	}
	return float64(u.Maxrss) / 1024
}
