package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"virtscope/analysis/live"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// watchOptions are what the command line says.
type watchOptions struct {
	json   bool
	replay bool
	speed  float64 // of a replay; infinite is as fast as it can be read
	trial  int     // its number in the plan; 0 is all
}

func newWatchCommand() *cobra.Command {
	var o watchOptions
	var speed string
	c := &cobra.Command{
		Use:   "watch RUN|latest",
		Short: "show a run as it happens, from another terminal, or afterwards",
		Long: `Show a run as it happens, from its records: on another terminal than the one that runs it, too. On a terminal it draws
a block that it keeps current; elsewhere it prints a line for each thing that happens. A run that has ended is shown as it
ended, or again as it happened (--replay).`,
		Example: `  virtscope watch latest
  virtscope watch latest --replay --speed 10x --trial 3
  virtscope watch latest --json | jq -c '[.state, .completed, .trial.state]'`,
		Args: oneArg("name one run folder, or latest"),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.speed, err = parseSpeed(speed); err != nil {
				return specError(err)
			}
			if c.Flags().Changed("speed") && !o.replay {
				return specError(errors.New("watch --speed: it is the speed of a replay: add --replay"))
			}
			return watch(c, args[0], o)
		},
	}
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object for each change")
	c.Flags().BoolVar(&o.replay, "replay", false, "show a run that has ended as it happened")
	c.Flags().StringVar(&speed, "speed", "1x", "speed of the replay, such as 1x, 10x, or max")
	c.Flags().IntVar(&o.trial, "trial", 0, "show the trial of that number alone, of a run that has ended")
	return c
}

// parseSpeed reads 10x, 0.5x or max.
func parseSpeed(text string) (float64, error) {
	if text == "max" {
		return math.Inf(1), nil
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(v > 0 && v <= 1e6) {
		return 0, fmt.Errorf("watch --speed %s: want a number such as 1x or 10x, or max", text)
	}
	return v, nil
}

func watch(c *cobra.Command, name string, o watchOptions) error {
	r, err := openRun(c, name)
	switch {
	case err != nil && name == latest:
		return fmt.Errorf("%w (one that was started just now makes its folder after some seconds)", err)
	case err != nil:
		return err
	}
	if o.trial < 0 || o.trial > len(r.Plan) {
		return specError(fmt.Errorf("watch --trial %d: the run has trials 1 to %d", o.trial, len(r.Plan)))
	}
	beQuiet()
	process, unsure := processOf(r)
	if process == live.Working && (o.replay || o.trial > 0) {
		return specError(errors.New("watch --replay, --trial: the run is under way: wait until it has ended, or leave them out"))
	}
	links, why := linksOf(r)
	w := newWatcher(r, o, links)
	w.state.Folder(r.Dir)
	w.state.Only(o.trial)
	w.state.Process(process, reasonOf(unsure))
	over, err := journalOver(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	show := newShower(c.OutOrStdout(), w, showerOptions{
		json: o.json, quick: !o.replay && (process == live.Gone || process == live.Unsure && over), terminal: drawsOn(os.Stdout), colour: os.Getenv("NO_COLOR") == "",
	})
	if why != nil {
		show.note("warning: what the links allow is not known: " + why.Error())
	}
	w.doubt.forever = show.blocks() // the user sees how it stands, and ends it
	if process == live.Unsure && !over {
		show.note("warning: " + w.doubtful(unsure))
	}
	show.start()
	err = w.follow(ctx, show.changed)
	show.finish(err)
	if w.doubt.gaveUp {
		show.note(fmt.Sprintf("warning: nothing new has come for %s: it is followed no longer, and whether it goes on is not known", w.doubt.patience))
	}
	if c.Context().Err() != nil {
		return nil // the user has seen enough; the run goes on
	}
	return err
}

// beQuiet keeps out of the way of the trial that is under way: one processor, when nobody else wants it.
func beQuiet() {
	runtime.GOMAXPROCS(1)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range tasks {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, 19) // as it was, if it may not be
		}
	}
}

// linksOf is what the experiment allows each trial's migration.
func linksOf(r *results.Run) (map[string]live.Link, error) {
	p, err := resumePlan(r)
	if err != nil {
		return nil, err
	}
	links := map[string]live.Link{}
	for _, t := range p.Trials {
		l := limitsOf(t.Spec)
		links[t.ID] = live.Link{Rate: l.Link, Most: l.MaxBandwidth}
	}
	return links, nil
}
