package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

// liveOptions are the flags of run that ship its records while it goes on.
type liveOptions struct {
	influxOptions
	where string // "" not at all, here as the environment and the experiment say, else a URL
	wait  time.Duration
}

// asSaid is --influx without a URL.
const asSaid = "-"

func (o *liveOptions) add(c *cobra.Command) {
	c.Flags().StringVar(&o.where, "influx", "", "ship the records into InfluxDB meanwhile: at this URL, or without one where INFLUX_URL or the experiment says")
	c.Flags().Lookup("influx").NoOptDefVal = asSaid
	c.Flags().DurationVar(&o.wait, "influx-wait", 10*time.Second, "how long to wait for InfluxDB after the last trial")
	o.influxOptions.add(c, "influx-")
}

// checkInflux finds what is wrong with where the records go, before anything is started. They go nowhere without --influx: a file that somebody else
// wrote must not send them, and a token, to where it likes.
func (o *runOptions) checkInflux(ctx context.Context, p *plan.Plan) error {
	said := p.Experiment.Influx
	if o.live.where == "" {
		if said != nil && said.URL != "" {
			fmt.Fprintf(os.Stderr, "influx: the experiment names %s: records are shipped there with --influx only\n", said.URL)
		}
		return nil
	}
	if o.live.where != asSaid {
		o.live.url = o.live.where
	}
	t, err := o.live.target(os.Getenv, said)
	if err != nil {
		return specError(err)
	}
	o.target = &t
	if err := checkSeries(p); err != nil {
		return err
	}
	return askInflux(ctx, os.Stderr, t, askFor)
}

// A live sink ships a run's records while it goes on. Nothing waits for it but the end of the run, for a bounded time.
type liveSink struct {
	shipper *influx.Shipper
	over    atomic.Bool
	done    chan struct{}
	err     error // of shipping; read it after done
	said    bool  // likewise: why it stopped
	cancel  context.CancelFunc
}

// startLive starts to ship. Say is told at once what only the user can mend. The caller calls finish.
func startLive(ctx context.Context, r *results.Run, t influx.Target, say func(string)) *liveSink {
	s := &liveSink{shipper: newShipper(r, t), done: make(chan struct{})}
	s.shipper.Gentle, s.shipper.Over = true, s.over.Load
	// A run that the user interrupts still ships what ended, for as long as finish waits.
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.done)
		s.err = s.shipper.Ship(ctx)
		if s.err != nil && ctx.Err() == nil {
			s.said = true
			say(fmt.Sprintf("influx: %v; the records are kept in %s", s.err, r.Dir))
		}
	}()
	go s.tell(say)
	return s
}

// line is what a status line says of it.
func (s *liveSink) line() string {
	select {
	case <-s.done:
		if s.err != nil {
			return "influx: stopped"
		}
	default:
	}
	at := s.shipper.Status()
	if !at.Known {
		return "influx: begins"
	}
	if at.Trouble != "" {
		return fmt.Sprintf("influx: lags, %s records", grouped(at.Records-at.Lost))
	}
	return fmt.Sprintf("influx: %s records", grouped(at.Records-at.Lost))
}

// finish waits for what is left, up to a time, and says what is shipped and what is not.
func (s *liveSink) finish(ctx context.Context, w io.Writer, wait time.Duration) {
	s.over.Store(true)
	select {
	case <-s.done:
	case <-time.After(wait):
	}
	s.cancel()
	<-s.done
	summarise(w, s.shipper, "")
	if s.err == nil {
		return
	}
	fmt.Fprintln(w, "influx:", s.whyNotAll(wait))
	if !s.shipper.Status().Known {
		fmt.Fprintf(w, "influx: ship it with: %s\n", pushCommand(s.shipper.Run, s.shipper.Target))
		return
	}
	sayRest(context.WithoutCancel(ctx), w, s.shipper)
}

// whyNotAll says why not all was shipped, once.
func (s *liveSink) whyNotAll(wait time.Duration) string {
	switch {
	case s.said:
		return "shipping stopped, for the reason that is said above: not all of the run is there"
	case !errors.Is(s.err, context.Canceled):
		return s.err.Error()
	}
	text := fmt.Sprintf("not all was shipped within %s after the last trial", wait)
	if t := s.shipper.Status().Trouble; t != "" {
		text += ": " + t
	}
	if disk := influx.DiskTrouble(s.err); disk != nil {
		text += "; " + disk.Error()
	}
	return text
}
