package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A tool captures.
type tool struct {
	name string
	argv []string // none: nothing captures
	// counts reads what the tool printed.
	counts func(printed string) (c counts, err error)
}

// counts are what a tool says of itself.
type counts struct {
	frames, dropped int64
	payload         int64 // B; -1: it does not say
}

// A sample is one measurement.
type sample struct {
	seconds float64
	cpu     float64 // s, of the tool
	peak    float64 // MiB, of the tool
	machine float64 // s, busy in all
	counts
}

// table measures and prints.
func table(ctx context.Context, s setup) error {
	tools := []tool{
		{name: "(none)"},
		{
			name:   "tcpdump",
			argv:   []string{"tcpdump", "-i", s.device, "-w", "/dev/null", "-s", "0", "-B", strconv.Itoa(s.ring << 10)},
			counts: tcpdumpCounts,
		},
		{
			name:   "ring",
			argv:   s.own("ring"),
			counts: ringCounts,
		},
		{
			name:   "ring + decoding",
			argv:   append(s.own("ring"), "-decode"),
			counts: ringCounts,
		},
	}
	all := make(map[string][]sample)
	for range s.rounds {
		for _, t := range tools {
			one, err := measure(ctx, s, t)
			if err != nil {
				return fmt.Errorf("measure %s: %w", t.name, err)
			}
			all[t.name] = append(all[t.name], one)
		}
	}
	fmt.Print(render(s, tools, all))
	return errors.Join(check(s, all["ring"]), check(s, all["ring + decoding"]))
}

// own is the command line of this program in another mode.
func (s setup) own(mode string) []string {
	return []string{
		s.self, "-mode", mode, "-address", s.address.String(), "-device", s.device,
		"-gb", fmt.Sprint(s.gigabytes), "-ring", strconv.Itoa(s.ring),
	}
}

// measure pushes once, while t captures.
func measure(ctx context.Context, s setup, t tool) (sample, error) {
	receiver, err := start(ctx, s.sink, s.own("sink"))
	if err != nil {
		return sample{}, err
	}
	defer receiver.kill()
	if err := receiver.await(ready, 10*time.Second); err != nil {
		return sample{}, err
	}
	var capturer *process
	if len(t.argv) > 0 {
		if capturer, err = start(ctx, s.sink, t.argv); err != nil {
			return sample{}, err
		}
		defer capturer.kill()
		if err := capturer.await(ready, 10*time.Second); err != nil {
			return sample{}, err
		}
	}
	before, err := busy()
	if err != nil {
		return sample{}, err
	}
	pusher, err := start(ctx, s.source, s.own("push"))
	if err != nil {
		return sample{}, err
	}
	defer pusher.kill()
	if err := pusher.wait(); err != nil {
		return sample{}, err
	}
	after, err := busy()
	if err != nil {
		return sample{}, err
	}
	out := sample{machine: after - before, counts: counts{payload: -1}}
	if out.seconds, err = strconv.ParseFloat(strings.TrimSpace(pusher.printed()), 64); err != nil {
		return sample{}, fmt.Errorf("read the pusher's time: %w", err)
	}
	if err := receiver.wait(); err != nil {
		return sample{}, err
	}
	if capturer == nil {
		return out, nil
	}
	if err := capturer.interrupt(); err != nil {
		return sample{}, err
	}
	out.cpu, out.peak = capturer.cpu(), capturer.peak()
	out.counts, err = t.counts(capturer.printed())
	return out, err
}

// tcpdumpCounts reads what tcpdump prints at its end.
func tcpdumpCounts(printed string) (counts, error) {
	c := counts{payload: -1}
	for line := range strings.Lines(printed) {
		var n int64
		switch {
		case strings.Contains(line, "packets captured"), strings.Contains(line, "packet captured"):
			if _, err := fmt.Sscan(line, &n); err != nil {
				return c, fmt.Errorf("read %q: %w", line, err)
			}
			c.frames = n
		case strings.Contains(line, "dropped by kernel"):
			if _, err := fmt.Sscan(line, &n); err != nil {
				return c, fmt.Errorf("read %q: %w", line, err)
			}
			c.dropped = n
			return c, nil
		}
	}
	return c, fmt.Errorf("read tcpdump's counts: they are not in %q", printed)
}

// ringCounts reads what mode ring prints.
func ringCounts(printed string) (c counts, err error) {
	_, last, _ := strings.Cut(printed, "\n")
	if _, err := fmt.Sscanf(last, "%d captured, %d dropped, %d B of payload", &c.frames, &c.dropped, &c.payload); err != nil {
		return c, fmt.Errorf("read the ring's counts in %q: %w", printed, err)
	}
	return c, nil
}
