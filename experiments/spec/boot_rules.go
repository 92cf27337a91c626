package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (c *checker) boot(b Boot) {
	const at = "action.boot."
	if b.Timeout <= 0 {
		c.want("want more than 0", at+"timeout")
		return
	}
	c.hosts(at+"hosts", b.Hosts)
	c.arrivals(b)
	c.ready(b)
	if kind := c.e.Workload.Kind; kind != "idle" {
		c.fleetIsIdle("boot", kind)
	}
	c.ownDisks("boot")
}

// hosts checks that an action's hosts are there.
func (c *checker) hosts(path string, n int) {
	if n > c.e.Testbed.Hosts {
		c.want(fmt.Sprintf("want at most testbed.hosts (%d)", c.e.Testbed.Hosts), path, "testbed.hosts")
	}
}

// fleetIsIdle refuses a workload for guests that an action starts.
func (c *checker) fleetIsIdle(action, kind string) {
	c.want("want idle with action: "+action+": its guests have no workload, "+kind+" or other", "workload.kind", "action."+action)
}

// ownDisks refuses one disk for guests that would all write to it.
func (c *checker) ownDisks(action string) {
	if d := c.e.Guest.Disk; d != nil && d.Storage == "shared" {
		c.want("want local with action: "+action+": each guest writes to a disk of its own", "guest.disk.storage", "action."+action)
	}
}

// arrivals checks that there is one for each guest, before the time is up.
func (c *checker) arrivals(b Boot) {
	const at = "action.boot."
	path := at + "interval"
	switch b.Arrivals {
	case "at-once":
		return
	case "trace":
		path = at + "trace"
		if b.Trace == "" {
			c.want("want action.boot.trace with it: "+arrivalsWant, path, at+"arrivals")
			return
		}
	default:
		if b.Interval <= 0 {
			c.want("want more than 0, or arrivals: at-once", path, at+"arrivals")
			return
		}
	}
	if b.Arrivals == "poisson" {
		// It depends on the seed: this is the mean.
		if mean := float64(b.Interval) * float64(b.Guests-1); mean >= float64(b.Timeout) {
			c.want(fmt.Sprintf("want arrivals of %d guests that end, on average, before action.boot.timeout (%s)", b.Guests, b.Timeout), path, at+"guests", at+"timeout")
		}
		return
	}
	times, err := b.ArrivalTimes(0)
	switch {
	case err != nil:
		c.want(err.Error(), path)
	case slices.Max(times) >= time.Duration(b.Timeout):
		c.want(fmt.Sprintf("want arrivals of %d guests that end before action.boot.timeout (%s); the last is at %s", b.Guests, b.Timeout, Duration(slices.Max(times))),
			path, at+"guests", at+"timeout")
	}
}

// ready checks that what is waited for can be there.
func (c *checker) ready(b Boot) {
	const at = "action.boot."
	g := c.e.Guest
	switch {
	case b.Ready != "echo" && g.Image == "builtin":
		c.want("want echo, or guest.image: debian or a path: the built-in guest serves nothing else", at+"ready", "guest.image")
	case b.Ready == "echo" && g.OwnImage():
		c.want("want ssh, port or http: an image of your own does not answer the client's echo", at+"ready", "guest.image")
	}
	if b.Ready == "http" && (!strings.HasPrefix(b.ReadyPath, "/") || strings.ContainsFunc(b.ReadyPath, func(r rune) bool { return r <= ' ' || r == 0x7f })) {
		c.want("want a path that begins with / and has no spaces, such as /index.html", at+"ready-path")
	}
}

// boots are the conditions under which keys of action.boot are read.
func boots(key, of, want string, is func(Boot) bool) keyReader {
	return value("action.boot."+key, "action.boot."+of, want, func(e *Experiment) bool { return e.Action.Boot != nil && is(*e.Action.Boot) })
}

var bootReaders = []keyReader{
	boots("interval", "arrivals", "fixed or poisson", func(b Boot) bool { return b.Arrivals == "fixed" || b.Arrivals == "poisson" }),
	boots("trace", "arrivals", "trace", func(b Boot) bool { return b.Arrivals == "trace" }),
	boots("ready-port", "ready", "port or http", func(b Boot) bool { return b.Ready == "port" || b.Ready == "http" }),
	boots("ready-path", "ready", "http", func(b Boot) bool { return b.Ready == "http" }),
}

// acts are the actions that read a key.
func acts(path string, names ...string) keyReader {
	return keyReader{path, condition{
		want: "action: " + oneOf(names), under: []string{"action"},
		reads: func(e *Experiment) bool { return slices.Contains(names, e.Action.Kind()) },
	}}
}

var startReaders = []keyReader{
	value("guest.substrate", "guest.start", "substrate", func(e *Experiment) bool { return e.Guest.Start == "substrate" }),
	value("guest.user", "guest.image", "a path", func(e *Experiment) bool { return e.Guest.OwnImage() }),
	value("guest.firmware", "guest.boot", "firmware", func(e *Experiment) bool { return e.Guest.Boot == "firmware" }),
	value("guest.kernel", "guest.boot", "kernel or pvh", func(e *Experiment) bool { return e.Guest.Boot != "firmware" }),
	acts("guest.check", ActionMigrate, ActionCheckpoint, ActionRecover),
	acts("testbed.hosts", ActionBoot, ActionJobs),
}
