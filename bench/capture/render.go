package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// render sums each tool's rounds. The last column compares CPU s/GB with tcpdump's.
func render(s setup, tools []tool, all map[string][]sample) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "tool\tGB\tseconds\tGbit/s\tCPU s\tCPU s/GB\tmachine CPU s/GB\tframes\tdrops\tpeak MiB\tratio to tcpdump\t")
	gigabytes := s.gigabytes * float64(s.rounds)
	reference := sum(all["tcpdump"])
	for _, t := range tools {
		a := sum(all[t.name])
		fmt.Fprintf(w, "%s\t%.1f\t%.2f\t%.1f\t", t.name, gigabytes, a.seconds, gigabytes*8/a.seconds)
		if len(t.argv) == 0 {
			fmt.Fprintf(w, "-\t-\t%.3f\t-\t-\t-\t-\t\n", a.machine/gigabytes)
			continue
		}
		fmt.Fprintf(w, "%.2f\t%.4f\t%.3f\t%d\t%d\t%.0f\t%.2f\t\n",
			a.cpu, a.cpu/gigabytes, a.machine/gigabytes, a.frames, a.dropped, a.peak, a.cpu/reference.cpu)
	}
	_ = w.Flush() // a strings.Builder takes all
	fmt.Fprintf(&out, "%d rounds of %g GB for each tool in turns; rings of %d MiB; machine CPU is all that was busy, the traffic's ends too\n",
		s.rounds, s.gigabytes, s.ring)
	return out.String()
}

// sum adds samples up; peak is the highest.
func sum(samples []sample) (total sample) {
	for _, s := range samples {
		total.seconds += s.seconds
		total.cpu += s.cpu
		total.machine += s.machine
		total.peak = max(total.peak, s.peak)
		total.frames += s.frames
		total.dropped += s.dropped
	}
	return total
}

// check fails if a run without drops did not see each byte that was pushed.
func check(s setup, samples []sample) error {
	for i, one := range samples {
		if pushed := int64(s.gigabytes * 1e9); one.dropped == 0 && one.payload < pushed {
			return fmt.Errorf("round %d: captured %d B of payload and dropped nothing, but %d B were pushed", i+1, one.payload, pushed)
		}
	}
	return nil
}
