package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A condition says which treatments read a key. A key that none reads is most likely meant to have an effect.
type condition struct {
	want  string // with the key, for it to be read
	under []string
	reads func(*Experiment) bool
}

// A keyReader is the condition under which a key, or all keys of a group, are read.
type keyReader struct {
	path string
	condition
}

// readers are those of every key that not all treatments read. The path of a group stands for all its keys. A key is read if
// all entries that stand for it say so.
var readers = slices.Concat(workloadReaders, linkReaders, startReaders, provisionReaders, migrateReaders, bootReaders, checkpointReaders,
	recoverReaders)

// kinds are the workloads that read a key.
func kinds(path string, names ...string) keyReader {
	return keyReader{path, condition{
		want: "workload.kind: " + oneOf(names), under: []string{"workload.kind", "workload.mix"},
		reads: func(e *Experiment) bool { return slices.ContainsFunc(names, e.Workload.Has) },
	}}
}

// value is the value of a key at which another is read.
func value(path, of, want string, is func(*Experiment) bool) keyReader {
	return keyReader{path, condition{want: of + ": " + want, under: []string{of}, reads: is}}
}

var workloadReaders = []keyReader{
	value("workload.mix", "workload.kind", "mix", func(e *Experiment) bool { return e.Workload.Kind == "mix" }),
	kinds("workload.rate", "dirty"),
	kinds("workload.working-set", "dirty", "replay"),
	kinds("workload.pattern", "dirty", "replay"),
	kinds("workload.hot-share", "dirty", "replay"),
	kinds("workload.hot-writes", "dirty", "replay"),
	kinds("workload.zipf", "dirty", "replay"),
	value("workload.hot-share", "workload.pattern", "hot-spot", hotSpot),
	value("workload.hot-writes", "workload.pattern", "hot-spot", hotSpot),
	value("workload.zipf", "workload.pattern", "zipf", func(e *Experiment) bool { return e.Workload.Pattern == "zipf" }),
	kinds("workload.compressibility", "dirty", "replay"),
	kinds("workload.write-size", "dirty", "replay"),
	kinds("workload.delta-size", "dirty", "replay"),
	kinds("workload.trace", "replay"),
	kinds("workload.threads", "cpu"),
	kinds("workload.load", "cpu"),
	kinds("workload.disk", "disk"),
	kinds("workload.net", "net"),
	value("workload.net.requests", "workload.net.kind", "request", netKind("request")),
	value("workload.net.request-size", "workload.net.kind", "request", netKind("request")),
	value("workload.net.response-size", "workload.net.kind", "request", netKind("request")),
	value("workload.net.rate", "workload.net.kind", "stream", netKind("stream")),
	value("workload.net.player-buffer", "workload.net.kind", "stream", netKind("stream")),
	kinds("workload.kv", "kv", "redis"),
	kinds("workload.kv.benchmark", "redis"),
	kinds("probes.load", "net", "kv", "redis"),
}

func hotSpot(e *Experiment) bool { return e.Workload.Pattern == "hot-spot" }

func netKind(kind string) func(*Experiment) bool {
	return func(e *Experiment) bool { return e.Workload.Net.Kind == kind }
}

var linkReaders = []keyReader{
	cut("testbed.link", func(t Testbed) Link { return t.Link }, "down-after"),
	cut("testbed.link", func(t Testbed) Link { return t.Link }, "down-when"),
	cut("testbed.migration-link", Testbed.OfMigration, "down-after"),
	cut("testbed.migration-link", Testbed.OfMigration, "down-when"),
	queue("testbed.link", func(t Testbed) Link { return t.Link }),
	queue("testbed.migration-link", Testbed.OfMigration),
	{"testbed.emulator", condition{
		want: "a delay, jitter or loss of a link", under: underEmulator(),
		reads: func(e *Experiment) bool { return e.Testbed.Link.emulated() || e.Testbed.OfMigration().emulated() },
	}},
}

// queue is the queue of a link, which only a limit of its rate has.
func queue(at string, of func(Testbed) Link) keyReader {
	return keyReader{at + ".queue", condition{
		want: at + ".rate or upload", under: []string{at + ".rate", at + ".upload", at + ".profile"},
		reads: func(e *Experiment) bool { l := of(e.Testbed); return l.Effective().Rate > 0 || l.Upload > 0 },
	}}
}

// underEmulator are the keys that ask for an emulator.
func underEmulator() (paths []string) {
	for _, link := range []string{"testbed.link", "testbed.migration-link"} {
		for _, key := range []string{"delay", "jitter", "loss", "profile"} {
			paths = append(paths, link+"."+key)
		}
	}
	return paths
}

// cut is a key of a link that is read only where the link is cut.
func cut(at string, of func(Testbed) Link, key string) keyReader {
	return keyReader{at + "." + key, condition{
		want: at + ".down-for", under: []string{at + ".down-for"},
		reads: func(e *Experiment) bool { return of(e.Testbed).DownFor > 0 },
	}}
}

// isRead reports whether e, one treatment, reads the key at path.
func isRead(e *Experiment, path string) bool { return unreadBy(e, path) == nil }

// unreadBy is the first reader of the key at path that does not read it in e, or nil.
func unreadBy(e *Experiment, path string) *condition {
	for i := range readers {
		r := &readers[i]
		if (r.path == path || strings.HasPrefix(path, r.path+".")) && !r.reads(e) {
			return &r.condition
		}
	}
	return nil
}

// readKeys collects, over treatments, which of the keys that have readers are read.
type readKeys struct {
	read map[string]bool
	why  map[string]*condition // of a key that the treatment seen first did not read
}

func newReadKeys() *readKeys {
	k := &readKeys{read: map[string]bool{}, why: map[string]*condition{}}
	for _, r := range readers {
		for _, f := range grammar().all {
			if (f.path == r.path || strings.HasPrefix(f.path, r.path+".")) && f.group() == nil {
				k.read[f.path] = false
			}
		}
	}
	return k
}

// add notes what the treatment e reads.
func (k *readKeys) add(e *Experiment) {
	for path, read := range k.read {
		if read {
			continue
		}
		r := unreadBy(e, path)
		k.read[path] = r == nil
		if k.why[path] == nil {
			k.why[path] = r
		}
	}
}

// unread are the keys that no treatment reads, in order.
func (k *readKeys) unread() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(k.read)), func(path string) bool { return k.read[path] })
}

// unused reports a key that no treatment reads. What a parent sets for another kind, algorithm and so on than the child's is
// no mistake.
func (c *checker) unused(k *readKeys) {
	for _, path := range k.unread() {
		r := k.why[path]
		if c.isReported(path) || slices.ContainsFunc(r.under, c.isReported) || c.reported.unknown[path[:strings.LastIndexByte(path, '.')]] {
			continue
		}
		want := fmt.Sprintf("want %s with this key; nothing reads it otherwise", r.want)
		if n := c.factorKey(path); n != nil {
			c.at(n, "factors", path, want)
			continue
		}
		if n := c.buildKey(path); n != nil {
			c.at(n, "builds", path, want)
			continue
		}
		if n := c.root.find(path); n != nil && !c.overridden(n, r.under) {
			c.at(n, path, n.String(), want)
		}
	}
}

// overridden reports whether one of the keys that decide over n is set by a file that extends n's.
func (c *checker) overridden(n *node, by []string) bool {
	return slices.ContainsFunc(by, func(path string) bool {
		d := c.root.find(path)
		return (d != nil && d.layer < n.layer) || (d == nil && c.factorLayer(path) < n.layer)
	})
}
