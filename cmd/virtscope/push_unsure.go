package main

import (
	"fmt"
	"io"
	"virtscope/analysis/live"
	"virtscope/results"
)

const pushRest = "push again for the rest"

// sayWhetherMore says of a run that was shipped to its end, as far as its Shipper could tell, what is to be known of whether there will be more: a file
// system that cannot tell is taken for a run that ended.
func sayWhetherMore(w io.Writer, r *results.Run, ask func(*results.Run) (live.Process, error)) {
	process, unsure := ask(r)
	if process == live.Working {
		fmt.Fprintln(w, "influx: ! what was there was sent, and a process works on the run: once it has ended, "+pushRest)
		return
	}
	if over, err := journalOver(r); process == live.Gone || err == nil && over {
		return
	}
	fmt.Fprintf(w, "influx: ! what is there was sent; whether a process still works on the run is not known: %v: if one does, %s\n", unsure, pushRest)
}
