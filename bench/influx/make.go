package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"virtscope/results"
	"virtscope/results/influx"

	"github.com/influxdata/influxdb-client-go/v2/api/write"
	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// openOrMake makes a run of ten trials if there is none to open. One that is there is copied: shipping leaves a state in the folder.
func openOrMake(from, work string, records int) (*results.Run, error) {
	if from != "" {
		to := filepath.Join(work, filepath.Base(from))
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return nil, err
		}
		return results.Open(to)
	}
	const trials = 10
	var plan []results.Trial
	for i := range trials {
		plan = append(plan, results.Trial{ID: fmt.Sprintf("%04d", i+1), Order: i + 1, Treatment: "rate=8MiB/s", Replicate: i + 1})
	}
	r, err := results.Create(work, results.Manifest{Format: results.ManifestFormat, Run: "run", Name: "bench"}, nil, plan)
	if err != nil {
		return nil, err
	}
	for i := range trials {
		if err := makeTrial(r, i, records/trials); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// makeTrial writes what a usage probe and an echo probe would.
func makeTrial(r *results.Run, i, records int) error {
	a, _, err := r.Begin(r.Plan[i])
	if err != nil {
		return err
	}
	begin := int64(1_790_000_000e9) + int64(i)*int64(time.Hour)
	for k := range records {
		if k%100_000 == 99_999 {
			time.Sleep(200 * time.Millisecond) // the disk keeps up
		}
		rec := results.Record{
			Time: begin + int64(k)*100_003, Host: "client", Source: "echo", Name: "echo.rtt", Value: 1e-6 * float64(k%977), Unit: results.Seconds,
			Attrs: map[string]string{"seq": fmt.Sprint(k)},
		}
		if k%4 == 0 {
			rec.Host, rec.Source, rec.Name, rec.Value, rec.Unit, rec.Attrs = "src", "usage", "process.cpu", float64(k)/3e3, results.Seconds, map[string]string{"process": "qemu"}
		}
		a.Record(rec)
	}
	o := results.Outcome{Trial: r.Plan[i], Attempt: 1, Verdict: results.Completed}
	if err := a.Finish(&o); err != nil {
		return err
	}
	if o.Dropped > 0 {
		return fmt.Errorf("the disk lost %d records of the run that is made", o.Dropped)
	}
	return nil
}

// pointsOf are the points that a run's lines make.
func pointsOf(ctx context.Context, r *results.Run) ([]*write.Point, error) {
	all, err := r.Attempts()
	if err != nil {
		return nil, err
	}
	var points []*write.Point
	before := int64(0)
	for _, a := range all {
		e := influx.NewEncoder(influx.Labels{Run: r.Manifest.Run, Experiment: r.Manifest.Name}, a.Trial, a.Number, before)
		err := results.NewTail(a.Dir).Each(ctx, 1000, func(records []results.Record) error {
			for _, rec := range records {
				line, err := e.Append(nil, rec)
				if err != nil {
					return err
				}
				p, err := parse(line)
				if err != nil {
					return err
				}
				points = append(points, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		before = e.Latest()
	}
	return points, nil
}

func parse(line []byte) (*write.Point, error) {
	d := lineprotocol.NewDecoderWithBytes(line)
	d.Next()
	name, err := d.Measurement()
	if err != nil {
		return nil, err
	}
	p := write.NewPointWithMeasurement(string(name))
	for {
		k, v, err := d.NextTag()
		if err != nil {
			return nil, err
		}
		if k == nil {
			break
		}
		p.AddTag(string(k), string(v))
	}
	for {
		k, v, err := d.NextField()
		if err != nil {
			return nil, err
		}
		if k == nil {
			break
		}
		p.AddField(string(k), v.Interface())
	}
	at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
	return p.SetTime(at), err
}
