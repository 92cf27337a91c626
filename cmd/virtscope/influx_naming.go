package main

import (
	"errors"
	"fmt"
	"virtscope/results/influx"
)

// howToName says how this command is told what the target lacks.
func (o *influxOptions) howToName(err error) error {
	switch {
	case errors.Is(err, influx.ErrNoURL):
		flag := "--url"
		if o.prefix != "" {
			flag = "--influx=URL"
		}
		return fmt.Errorf("%w: give its URL by %s or INFLUX_URL%s", err, flag, o.saidBy("url"))
	case errors.Is(err, influx.ErrNoBucket):
		return fmt.Errorf("%w: give --%sbucket (2, 3) or --%sdatabase (1.8), or INFLUX_BUCKET%s", err, o.prefix, o.prefix, o.saidBy("bucket"))
	}
	return err
}

// saidBy is how an experiment may say it, where this command reads one.
func (o *influxOptions) saidBy(key string) string {
	switch {
	case o.prefix != "":
		return ", or the experiment's influx." + key
	case o.mayAsk:
		return fmt.Sprintf(", or influx.%s of the run's experiment with --as-said", key)
	}
	return ""
}
