package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
	"virtscope/results"
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

func newInfluxPushCommand() *cobra.Command {
	var o influxOptions
	var again bool
	var giveUp time.Duration
	c := &cobra.Command{
		Use:   "push RUN",
		Short: "ship a run's records into InfluxDB: what was not accepted yet",
		Long: `push ships what InfluxDB has not accepted yet, by the state in the run's folder influx. It goes on where an earlier one stopped, however that
ended, and follows a run that is under way to its end. The same point twice is one point: --again changes nothing on a server that has all of them.
What the server refuses for what it is stands in the run's folder with the server's reason, and push then exits with 1.`,
		Example: `  virtscope influx push latest --url http://localhost:8086 --database bench
  INFLUX_TOKEN=… virtscope influx push latest --url https://influx.example:8086 --org lab --bucket bench`,
		Args: noURL("the argument is a run: give the server by --url", oneArg("name one run folder, or latest")),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := openRun(c, args[0])
			if err != nil {
				return specError(err)
			}
			target, err := o.ofRun(r)
			if err != nil {
				return specError(err)
			}
			s := newShipper(r, target)
			s.Again, s.GiveUp = again, giveUp
			return push(c, s)
		},
	}
	o.add(c, "")
	o.addAsSaid(c)
	c.Flags().BoolVar(&again, "again", false, "ship all again, such as to a server that lost its data")
	c.Flags().DurationVar(&giveUp, "give-up-after", 2*time.Minute, "stop when the server has taken nothing for so long; 0 never")
	return c
}

// push ships in the foreground.
func push(c *cobra.Command, s *influx.Shipper) error {
	done := make(chan error, 1)
	go func() { done <- s.Ship(c.Context()) }()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	begin := time.Now()
	for {
		select {
		case err := <-done:
			return pushed(c, s, time.Since(begin), err)
		case <-tick.C:
			fmt.Fprintln(os.Stderr, "influx:", progressLine(s.Status()))
		}
	}
}

func progressLine(s influx.Status) string {
	if !s.Known {
		return "not begun"
	}
	line := grouped(s.Records-s.Lost) + " records shipped"
	if s.Refused > 0 {
		line += fmt.Sprintf(", %s lines refused", grouped(s.Refused))
	}
	if s.Trouble != "" {
		line += ", waiting: " + s.Trouble
	}
	return line
}

// pushed says what came of it.
func pushed(c *cobra.Command, s *influx.Shipper, took time.Duration, err error) error {
	w := c.OutOrStdout()
	summarise(w, s, fmt.Sprintf(" in %.1f s (%s/s)", took.Seconds(), grouped(int64(float64(s.Status().Sent)/took.Seconds()))))
	if c.Context().Err() != nil {
		return &codedError{exitInterrupted, fmt.Errorf("interrupted: go on with virtscope influx push %s", s.Run.Dir)}
	}
	if err != nil && !s.Status().Known {
		return err // nothing was begun: what is left is as before, or another process knows it
	}
	if err != nil {
		sayRest(context.WithoutCancel(c.Context()), w, s)
		return err
	}
	sayWhetherMore(w, s.Run, processOf)
	if n := s.Status().Refused; n > 0 {
		return fmt.Errorf("%s refused %s lines: %s in the run's folder has them with the reasons", s.Target, grouped(n), s.RefusedFile())
	}
	if n := damaged(s); n > 0 {
		return fmt.Errorf("%s that ended could not be read whole, or not be annotated: see what is said with ! above", plural(int64(n), "attempt"))
	}
	return nil
}

// damaged counts the attempts that have an outcome, and with which something is wrong. What a kill cut off is as it should be.
func damaged(s *influx.Shipper) (n int) {
	state, err := influx.ReadState(s.Run, s.Target)
	if err != nil {
		return 0 // summarise has said how far it came
	}
	all, err := s.Run.Attempts()
	if err != nil {
		return 0
	}
	for _, known := range state.Attempts {
		ended := slices.ContainsFunc(all, func(a results.Attempted) bool {
			return a.Ended && a.Trial.ID == known.Trial && a.Number == known.Attempt
		})
		if ended && known.Note != "" {
			n++
		}
	}
	return n
}

func summarise(w io.Writer, s *influx.Shipper, how string) {
	at := s.Status()
	if !at.Known {
		return // it did not begin: the error says why, and how much is there is not known here
	}
	fmt.Fprintf(w, "influx: %s took %s records of %s", s.Target, grouped(at.Records-at.Lost), s.Run.Manifest.Run)
	switch {
	case at.Sent > 0:
		fmt.Fprintf(w, ", %s of them now%s", grouped(at.Sent), how)
	case at.Records > at.Lost: // whether it still has them was not asked
		fmt.Fprint(w, " before, as the run's folder says, and none now (push --again ships them again)")
	}
	if at.Retries > 0 {
		fmt.Fprintf(w, ", %s requests made again", grouped(at.Retries))
	}
	fmt.Fprintln(w)
	if at.Refused > 0 {
		fmt.Fprintf(w, "influx: %s refused; they are in %s, with the reasons\n", plural(at.Refused, "line"), s.RefusedFile())
	}
	if state, err := influx.ReadState(s.Run, s.Target); err == nil {
		for _, note := range state.Notes() {
			fmt.Fprintln(w, "influx: !", note)
		}
	}
}

// countFor bounds how long what is left is counted.
const countFor = 5 * time.Second

// sayRest says what the target does not have, and what ships it.
func sayRest(ctx context.Context, w io.Writer, s *influx.Shipper) {
	ctx, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	rest, err := influx.Unshipped(ctx, s.Run, s.Target)
	if err != nil {
		fmt.Fprintln(w, "influx: what is left to ship is not known:", err)
		return
	}
	const most = 10
	for i, r := range rest {
		if i == most {
			fmt.Fprintf(w, "influx: not shipped: %d more attempts\n", len(rest)-most)
			break
		}
		fmt.Fprintln(w, "influx: not shipped:", restLine(r))
	}
	if len(rest) > 0 {
		fmt.Fprintf(w, "influx: ship the rest with: %s\n", pushCommand(s.Run, s.Target))
	}
}

func restLine(r influx.Rest) string {
	line := fmt.Sprintf("trial %d", r.Trial.Order)
	if r.Attempt > 1 {
		line += fmt.Sprintf(", attempt %d", r.Attempt)
	}
	switch from := grouped(r.From + 1); {
	case r.Records == 0:
		return line + ": how it ended, and its annotations"
	case r.Records < 0:
		return line + ", from record " + from + " on: an unknown number, as counting took too long"
	default:
		return line + ", from record " + from + " on: " + plural(r.Records, "record")
	}
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(n) + " " + what + "s"
}

// pushCommand ships a run to a target. Secrets are left to the environment.
func pushCommand(r *results.Run, t influx.Target) string {
	line := fmt.Sprintf("virtscope influx push %s --url %s", shellWord(r.Dir), shellWord(t.URL))
	if t.Org != "" {
		line += " --org " + shellWord(t.Org)
	}
	line += " --bucket " + shellWord(t.Bucket)
	if t.CAFile != "" {
		line += " --ca " + shellWord(t.CAFile)
	}
	return line
}
