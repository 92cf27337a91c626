// Command influx compares how fast a finished run is shipped into a real InfluxDB with what the official client's batched writer alone reaches with the
// same points, in turns.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
	"virtscope/results"
	"virtscope/results/influx"
	"virtscope/results/influx/influxtest"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
)

func main() {
	influxd := flag.String("influxd", "", "the server; by default the one that the repository's tools hold")
	run := flag.String("run", "", "run folder to ship; by default one is made")
	records := flag.Int("records", 200_000, "of the run that is made")
	rounds := flag.Int("rounds", 5, "how often each side writes")
	batch := flag.Uint("batch", 5000, "points in a batch of the client alone; 5000 is its default")
	push := flag.String("push", "", "the third side: this virtscope's influx push, a process of its own that also derives annotations and metrics of each trial")
	virtscope := flag.String("soak", "", "instead, push a run by this program, killing it in the middle, and count what arrived")
	kills := flag.Int("kills", 3, "of the soak")
	flag.Parse()
	var err error
	if *virtscope != "" {
		err = soak(context.Background(), *virtscope, *influxd, *records, *kills)
	} else {
		err = bench(context.Background(), *influxd, *run, *push, *records, *rounds, *batch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/influx:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, influxd, from, push string, records, rounds int, batch uint) (err error) {
	path, err := influxtest.FindDaemon(influxd)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "bench-influx-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	r, err := openOrMake(from, work, records)
	if err != nil {
		return err
	}
	points, err := pointsOf(ctx, r)
	if err != nil {
		return err
	}
	d, err := influxtest.StartDaemon(path, work, false)
	if err != nil {
		return err
	}
	defer d.Kill()
	sides := []side{
		{"virtscope", func(db string) error { return ship(ctx, r, d.URL, db) }},
		{"client alone", func(db string) error { return clientAlone(d.URL, db, points, batch) }},
	}
	if push != "" {
		sides = append(sides, side{"influx push", func(db string) error { return pushAll(ctx, push, r, d.URL, db) }})
	}
	rates := map[string][]float64{}
	for i := range rounds + 1 {
		for k := range sides {
			s := sides[(k+i)%len(sides)] // each is first in turn
			rate, err := s.time(ctx, d, fmt.Sprintf("r%d_%d", i, k), int64(len(points)))
			if err != nil {
				return err
			}
			if i == 0 {
				continue // the server grows its caches
			}
			rates[s.name] = append(rates[s.name], rate)
			fmt.Printf("round %d\t%-12s\t%7.0f points/s\n", i, s.name, rate)
		}
	}
	alone := median(rates[sides[1].name])
	fmt.Printf("%d points, medians of %d rounds; the client's batched writer alone %.0f points/s\n", len(points), rounds, alone)
	for _, s := range sides {
		if s.name != sides[1].name {
			fmt.Printf("%-12s\t%7.0f points/s, ratio %.2f\n", s.name, median(rates[s.name]), median(rates[s.name])/alone)
		}
	}
	return nil
}

// A side writes all points into a database.
type side struct {
	name  string
	write func(db string) error
}

func (s side) time(ctx context.Context, d *influxtest.Daemon, db string, want int64) (rate float64, err error) {
	if _, err := d.Query(ctx, "", "CREATE DATABASE "+db, "", ""); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := s.write(db); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	n, err := countRecords(ctx, d, db)
	if err != nil {
		return 0, err
	}
	if n != want {
		return 0, fmt.Errorf("%s: %d points are there, want %d", s.name, n, want)
	}
	_, err = d.Query(ctx, "", "DROP DATABASE "+db, "", "")
	return float64(want) / took.Seconds(), err
}

// ship is the whole way: from the folder on disk, with its state.
func ship(ctx context.Context, r *results.Run, url, db string) error {
	return (&influx.Shipper{Run: r, Target: influx.Target{URL: url, Bucket: db}}).Ship(ctx)
}

// pushAll is what a user runs: the program, from its start to its end.
func pushAll(ctx context.Context, virtscope string, r *results.Run, url, db string) error {
	if err := os.RemoveAll(filepath.Join(r.Dir, influx.Dir)); err != nil { // the state of the round before, of another database
		return err
	}
	out, err := exec.CommandContext(ctx, virtscope, "influx", "push", r.Dir, "--url", url, "--bucket", db).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// countRecords counts the points that are records.
func countRecords(ctx context.Context, d *influxtest.Daemon, db string) (int64, error) {
	n, err := d.Count(ctx, db, "trial")
	for _, derived := range []string{influx.MeasurementTrial, influx.MeasurementAnnotation} {
		if err != nil {
			return 0, err
		}
		var k int64
		k, err = d.CountOf(ctx, db, derived, "trial")
		n -= k
	}
	return n, err
}

// clientAlone writes points that are in memory.
func clientAlone(url, db string, points []*write.Point, batch uint) error {
	client := influxdb2.NewClientWithOptions(url, "", influxdb2.DefaultOptions().SetBatchSize(batch))
	defer client.Close()
	w := client.WriteAPI("", db)
	failed := make(chan error, 1)
	errs := w.Errors()
	go func() {
		for err := range errs {
			select {
			case failed <- err:
			default:
			}
		}
	}()
	for _, p := range points {
		w.WritePoint(p)
	}
	w.Flush()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
