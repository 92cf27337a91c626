package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"
)

// A Starter starts processes in the client's network; host.Host is one.
type Starter interface {
	Start(ctx context.Context, c host.Cmd) (host.Process, error)
}

// BenchmarkConfig is what redis-benchmark does.
type BenchmarkConfig struct {
	Host        string         // the client; its clock stamps the records
	On          Starter        // the client
	Target      netip.AddrPort // of the guest's redis-server
	Path        string         // of redis-benchmark (Debian: redis-tools); "" looks for it in PATH
	Connections int            // -c; 0 is 4
	Requests    int            // -n: of each test in each pass; 0 is 2000
	Keys        int            // -r; 0 is 10000
	ValueSize   int            // B, -d; 0 is 1024
}

// NewBenchmark makes a probe that runs redis-benchmark over and over, for its own figures: SET, then GET, then again. Unlike
// the load client it is a closed loop: each connection asks again once it was answered, as fast as it goes, so a stall
// counts as one slow request a connection. Both then load the guest.
//
// It is armed when it was started first. After each pass, which has asked Requests times for each test, it records
// BenchmarkResult; a pass that was under way at the end is left out, so there may be none. A pass that fails, because the
// guest does not answer, is recorded as BenchmarkFailed, and the next begins after a second. Refused from the start,
// redis-benchmark 7.0 tries for ever: then there is nothing. Output that makes no sense is an error.
func NewBenchmark(c BenchmarkConfig) probes.Probe {
	c.Path = or(c.Path, "redis-benchmark")
	c.Connections = or(c.Connections, 4)
	c.Requests = or(c.Requests, 2000)
	c.Keys = or(c.Keys, 10000)
	c.ValueSize = or(c.ValueSize, 1024)
	return &benchmark{c}
}

type benchmark struct{ conf BenchmarkConfig }

// Name implements probes.Probe.
func (b *benchmark) Name() string { return results.SourceBenchmark }

// benchmarkPause is how long after a failed pass the next begins.
const benchmarkPause = time.Second

// stopLimit is how long redis-benchmark may take to end.
const stopLimit = 2 * time.Second

// Run implements probes.Probe. ProbeCPU is this program's own: the process is another's.
func (b *benchmark) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	meter := probes.NewMeter(b.conf.Host, results.SourceBenchmark)
	defer meter.Record(rec)
	for pass := 1; ctx.Err() == nil; pass++ {
		begin := time.Now()
		figures, failed, err := b.pass(ctx, armed)
		switch {
		case ctx.Err() != nil && err == nil:
			return nil
		case err != nil:
			return fmt.Errorf("benchmark from %s on %v: %w", b.conf.Host, b.conf.Target, err)
		case failed != nil:
			b.record(rec, results.BenchmarkFailed, 0, results.Event, map[string]string{"error": failed.Error(), "pass": strconv.Itoa(pass)})
			pause(ctx, benchmarkPause)
		}
		for _, f := range figures {
			b.record(rec, results.BenchmarkResult, f.value, f.unit, map[string]string{
				"test": f.test, "stat": f.stat, "pass": strconv.Itoa(pass), "duration": inSeconds(time.Since(begin)),
			})
		}
		armed = func() {}
	}
	return nil
}

func (b *benchmark) record(rec results.Recorder, name string, v float64, u results.Unit, attrs map[string]string) {
	rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: b.conf.Host, Source: results.SourceBenchmark, Name: name, Value: v, Unit: u, Attrs: attrs,
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pass runs redis-benchmark once. Failed is why it ended with an error, which is the guest's doing.
func (b *benchmark) pass(ctx context.Context, armed func()) (figures []figure, failed, err error) {
	var out, complaint bytes.Buffer
	p, err := b.conf.On.Start(ctx, host.Cmd{Path: b.conf.Path, Args: b.conf.args(), Stdout: &out, Stderr: &complaint})
	if ctx.Err() != nil {
		if err == nil {
			err = p.Kill()
		}
		return nil, nil, ignore(err, ctx.Err())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start redis-benchmark (Debian: redis-tools): %w", err)
	}
	armed()
	select {
	case <-p.Done():
	case <-ctx.Done():
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		return nil, nil, p.Stop(stopping)
	}
	if err := p.Err(); err != nil {
		return nil, fmt.Errorf("redis-benchmark: %w: %s", err, cut(bytes.TrimSpace(append(complaint.Bytes(), out.Bytes()...)))), nil
	}
	figures, err = parseBenchmark(&out)
	return figures, nil, err
}

// ignore is err unless it is cause.
func ignore(err, cause error) error {
	if errors.Is(err, cause) {
		return nil
	}
	return err
}

// args are such that redis-benchmark says what it measured, and nothing else: --csv prints no progress.
func (c BenchmarkConfig) args() []string {
	return []string{
		"-h", c.Target.Addr().String(), "-p", strconv.Itoa(int(c.Target.Port())), "-c", strconv.Itoa(c.Connections),
		"-n", strconv.Itoa(c.Requests), "-d", strconv.Itoa(c.ValueSize), "-r", strconv.Itoa(c.Keys),
		"-t", "set,get", "--precision", "3", "--csv",
	}
}
