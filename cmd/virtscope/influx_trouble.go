package main

import (
	"fmt"
	"time"
	"virtscope/results/influx"
)

// sayTroubleAfter is how long a server may take nothing until that is said.
const sayTroubleAfter = 5 * time.Second

// A troubleTeller says once when a server has begun to take nothing, and once when it takes records again.
type troubleTeller struct {
	target influx.Target
	since  time.Time // of what was said; zero if nothing is to be taken back
}

// see is what there is to say now; "" is nothing.
func (t *troubleTeller) see(at influx.Status, now time.Time) string {
	switch {
	case at.Trouble == "" && !t.since.IsZero():
		lasted := now.Sub(t.since).Round(time.Second)
		t.since = time.Time{}
		return fmt.Sprintf("influx: %s takes records again, after %s", t.target, lasted)
	case at.Trouble != "" && t.since.IsZero() && now.Sub(at.Since) >= sayTroubleAfter:
		t.since = at.Since
		return fmt.Sprintf("influx: %s has taken nothing for %s: %s: it is tried again, and the run goes on", t.target, now.Sub(at.Since).Round(time.Second), at.Trouble)
	}
	return ""
}

// tell says it until the run is over: then finish does.
func (s *liveSink) tell(say func(string)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	t := troubleTeller{target: s.shipper.Target}
	for {
		select {
		case <-s.done:
			return
		case now := <-tick.C:
			if s.over.Load() {
				return
			}
			if text := t.see(s.shipper.Status(), now); text != "" {
				say(text)
			}
		}
	}
}
