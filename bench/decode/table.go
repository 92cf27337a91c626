package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// A tool reads the capture.
type tool struct {
	name   string
	argv   []string
	rounds int
}

// A sample is one measurement.
type sample struct {
	wall, cpu float64 // s
	peak      float64 // MiB
}

// table measures and prints.
func table(ctx context.Context, s setup) error {
	info, err := os.Stat(s.file)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	tools := []tool{
		{"cat FILE >/dev/null", []string{"cat", s.file}, s.rounds},
		{"virtscope pcap FILE", []string{s.virtscope, "pcap", s.file}, s.rounds},
		// A heuristic of tshark may take made-up payload for something that it must reassemble, and is slower by
		// orders of magnitude then: its reassembly is off, which favours it.
		{"tshark -q -z conv,tcp -r FILE", []string{"tshark", "-o", "tcp.desegment_tcp_streams:FALSE", "-q", "-z", "conv,tcp", "-r", s.file}, 1},
	}
	if _, err := measure(ctx, tools[0]); err != nil { // into the page cache
		return err
	}
	best := make([]sample, len(tools))
	for round := range s.rounds {
		for i, t := range tools {
			if round >= t.rounds {
				continue
			}
			one, err := measure(ctx, t)
			if err != nil {
				return err
			}
			if round == 0 || one.wall < best[i].wall {
				best[i] = one
			}
		}
	}
	fmt.Print(render(float64(info.Size())/1e9, tools, best))
	return nil
}

// measure runs a tool once; what it prints is thrown away.
func measure(ctx context.Context, t tool) (sample, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return sample{}, fmt.Errorf("measure: %w", err)
	}
	defer null.Close()
	var said strings.Builder
	c := exec.CommandContext(ctx, t.argv[0], t.argv[1:]...)
	c.Stdout, c.Stderr = null, &said
	at := time.Now()
	if err := c.Run(); err != nil {
		return sample{}, errors.Join(fmt.Errorf("run %s: %w", strings.Join(t.argv, " "), err), errors.New(said.String()))
	}
	one := sample{wall: time.Since(at).Seconds(), peak: math.NaN()}
	one.cpu = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		one.peak = float64(u.Maxrss) / 1024
	}
	return one, nil
}

// render compares the best of each tool. Ratios are of wall time.
func render(gigabytes float64, tools []tool, best []sample) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "tool\tGB\ts\tGB/s\tCPU s\tpeak MiB\tvirtscope is faster by")
	const ours = 1
	for i, t := range tools {
		b := best[i]
		fmt.Fprintf(w, "%s\t%.2f\t%.3f\t%.2f\t%.3f\t%.0f\t%.2f ×\n", t.name, gigabytes, b.wall, gigabytes/b.wall, b.cpu, b.peak, b.wall/best[ours].wall)
	}
	_ = w.Flush() // a strings.Builder takes all
	return out.String()
}
