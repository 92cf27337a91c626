package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/results/influx"
	"virtscope/results/influx/influxtest"
)

// soak pushes a run of many records by the program, kills it some times in the middle, and counts what the server has in the end.
func soak(ctx context.Context, virtscope, influxd string, records, kills int) (err error) {
	path, err := influxtest.FindDaemon(influxd)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "soak-influx-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	begin := time.Now()
	r, err := openOrMake("", work, records)
	if err != nil {
		return err
	}
	fmt.Printf("a run of %d records, made in %.0f s\n", records, time.Since(begin).Seconds())
	d, err := influxtest.StartDaemon(path, work, false)
	if err != nil {
		return err
	}
	defer d.Kill()
	if _, err := d.Query(ctx, "", "CREATE DATABASE soak", "", ""); err != nil {
		return err
	}
	p := pusher{virtscope: virtscope, run: r, target: influx.Target{URL: d.URL, Bucket: "soak"}}
	for i := range kills {
		if err := p.killed(ctx, int64(records)*int64(i+1)/int64(kills+1)); err != nil {
			return err
		}
	}
	if err := p.push(ctx, 0); err != nil {
		return err
	}
	return p.check(ctx, d, int64(records))
}

type pusher struct {
	virtscope string
	run       *results.Run
	target    influx.Target
}

// killed pushes until so many records are settled, and kills the program.
func (p *pusher) killed(ctx context.Context, at int64) error {
	err := p.push(ctx, at)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Success() {
		return fmt.Errorf("the push to be killed at %d ended by itself: %w", at, err)
	}
	n, err := p.settled()
	fmt.Printf("killed with %d records settled\n", n)
	return err
}

func (p *pusher) settled() (int64, error) {
	s, err := influx.ReadState(p.run, p.target)
	if err != nil {
		return 0, err
	}
	return s.Settled(), nil
}

// push runs the program, and kills it once so many records are settled; 0 lets it end.
func (p *pusher) push(ctx context.Context, killAt int64) error {
	before, err := p.settled()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.virtscope, "influx", "push", p.run.Dir, "--url", p.target.URL, "--bucket", p.target.Bucket)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	most := "an unknown amount"
	for {
		select {
		case err := <-done:
			after, stateErr := p.settled()
			fmt.Printf("pushed %d records in %.1f s, %s of memory at most\n", after-before, time.Since(begin).Seconds(), most)
			if err != nil && killAt == 0 {
				return fmt.Errorf("%w: %s", err, out.String())
			}
			return errors.Join(err, stateErr)
		case <-time.After(50 * time.Millisecond):
		}
		if now := peak(cmd.Process.Pid); now != "" {
			most = now
		}
		if n, err := p.settled(); err == nil && killAt > 0 && n >= killAt {
			_ = cmd.Process.Kill()
		}
	}
}

// peak is the most that a process has had in memory so far, as Linux says; "" if it is gone. (What wait says counts from its parent's on.)
func peak(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

func (p *pusher) check(ctx context.Context, d *influxtest.Daemon, want int64) error {
	n, err := countRecords(ctx, d, p.target.Bucket)
	if err != nil {
		return err
	}
	settled, err := p.settled()
	if err != nil {
		return err
	}
	fmt.Printf("%d points are there, and %d records settled, of %d\n", n, settled, want)
	if n != want || settled != want {
		return errors.New("not every record is one point")
	}
	return nil
}
