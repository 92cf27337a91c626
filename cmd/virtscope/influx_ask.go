package main

import (
	"context"
	"fmt"
	"io"
	"time"
	"virtscope/results/influx"
)

// askFor bounds how long a run waits for InfluxDB before it starts.
const askFor = 3 * time.Second

// askInflux looks whether the target would take points, before anything is started. What only the user can mend is an error; of a server that is away, or in
// trouble, it only warns.
func askInflux(ctx context.Context, w io.Writer, t influx.Target, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	answer, err := influx.Probe(ctx, t)
	switch {
	case influx.Stays(err):
		return specError(fmt.Errorf("%w (leave out --influx to run without; nothing was started)", err))
	case err != nil:
		fmt.Fprintf(w, "influx: warning: %v: the run goes on, and ships once it answers\n", err)
	case !answer.Named:
		fmt.Fprintf(w, "influx: warning: a server that does not say that it is InfluxDB answers at %s; whether it would take points is not known\n", t)
	}
	return nil
}
