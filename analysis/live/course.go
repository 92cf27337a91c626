package live

import (
	"strings"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// course is what the hypervisors say of how a migration goes on. What was not told is nil.
type course struct {
	failed    *edges.Edge // the first status of the source that says that it ends without success
	cancel    *edges.Edge // it was cancelled on purpose
	completed *edges.Edge // of the source
	copied    *edges.Edge // what the destination needs was sent: the first "completed" of either side, or "postcopy-active", after the stop
	switched  bool        // to post-copy
	snapshot  bool        // the guest is to run on where it is
}

// take takes in a status of either side. Stop is nil while the guest has not.
func (c *course) take(status string, at edges.Edge, source bool, stop *edges.Edge) {
	switch {
	case status == "completed":
		if source {
			set(&c.completed, at)
		}
	case !source:
		return
	case status == "postcopy-active":
		c.switched = true
	case status == "failed", status == "failing", status == "cancelling", status == "cancelled":
		set(&c.failed, at)
		return
	default:
		return
	}
	if stop != nil && at.Time >= stop.Time {
		set(&c.copied, at)
	}
}

func set(e **edges.Edge, at edges.Edge) {
	if *e == nil {
		*e = &at
	}
}

// ending is what broke the migration off.
func (c *course) ending() *edges.Edge {
	if c.cancel != nil && c.failed != nil {
		return c.cancel
	}
	return c.failed
}

// sent is when the source sends no more of memory: the first of what ends the migration from t on, or else the action's end; 0 if none is told. A
// guest that runs at the destination ends no post-copy.
func (t *trial) sent(from int64) int64 {
	c := &t.course
	list := []*edges.Edge{c.failed, c.completed}
	if !c.switched && !c.snapshot {
		list = append(list, c.copied)
		_, resume := t.switches.pair()
		list = append(list, resume)
	}
	end := t.actionEnd
	for _, e := range list {
		if e != nil && e.Time >= from && (end == 0 || e.Time < end) {
			end = e.Time
		}
	}
	return end
}

func (t *trial) status(r *results.Record, at int64) {
	stop, _ := t.switches.pair()
	s := r.Attrs["status"]
	t.course.take(s, t.edge(r, at), r.Host == t.switches.source, stop)
	switch {
	case strings.HasPrefix(s, "postcopy"):
		t.step(at, "post-copy"+strings.TrimPrefix(strings.TrimPrefix(s, "postcopy"), "-active"))
	case s == "failed" || s == "cancelled":
		t.step(at, "the migration is "+s)
	}
}
