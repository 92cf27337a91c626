package main

import (
	"errors"
	"fmt"
	"virtscope/results/influx"
)

// howToName says how this command is told what the target lacks.
func (o *influxOptions) howToName(err error) error {
	url, bucket, database, said := "--url", "--bucket", "--database", ""
	switch {
	case o.prefix != "":
		url, bucket, database = "--influx=URL", "--"+o.prefix+"bucket", "--"+o.prefix+"database"
		said = ", or the experiment's influx.%s"
	case o.mayAsk:
		said = ", or influx.%s of the run's experiment with --as-said"
	}
	switch {
	case errors.Is(err, influx.ErrNoURL):
		return fmt.Errorf("%w: give its URL by %s or INFLUX_URL%s", err, url, about(said, "url"))
	case errors.Is(err, influx.ErrNoBucket):
		return fmt.Errorf("%w: give %s (2, 3) or %s (1.8), INFLUX_BUCKET%s", err, bucket, database, about(said, "bucket"))
	}
	return err
}

func about(said, key string) string {
	if said == "" {
		return ""
	}
	return fmt.Sprintf(said, key)
}
