package spec

import "fmt"

// The size of KVM's dirty ring in entries: QEMU takes powers of two from 1024 to 65536 (accel kvm, dirty-ring-size).
const minDirtyRing = 1024

func (c *checker) guest() {
	g := c.e.Guest
	if g.Check%page != 0 {
		c.want("want whole pages of 4KiB, or 0 for no check", "guest.check")
	}
	if g.Driver != "qemu" {
		c.scripted()
		return
	}
	if g.Memory%mib != 0 {
		c.want("want whole MiB, such as "+(g.Memory/mib*mib+mib).String(), "guest.memory")
	}
	ring := g.QEMU.DirtyRing
	switch {
	case ring == 0:
	case ring < minDirtyRing || ring&(ring-1) != 0:
		c.want(fmt.Sprintf("want 0 or a power of two from %d to 65536", minDirtyRing), "guest.qemu.dirty-ring")
	case g.Accel == "tcg":
		c.want("want guest.accel: kvm or auto with it: the dirty ring is KVM's", "guest.qemu.dirty-ring", "guest.accel")
	}
}

// scripted refuses what the scripted guest, a process that answers probes, cannot do.
func (c *checker) scripted() {
	if kind := c.e.Workload.Kind; kind != "idle" {
		c.want("want guest.driver: qemu with it; the scripted guest has no workload", "workload.kind", "guest.driver")
	}
	if c.e.Guest.Disk != nil {
		c.want("want guest.driver: qemu with it; the scripted guest has no disk", "guest.disk", "guest.driver")
	}
	if m := c.e.Action.Migrate; m != nil && m.Algorithm != "precopy" {
		c.want("want precopy, or guest.driver: qemu with it; the scripted guest has no memory to copy", "action.migrate.algorithm", "guest.driver")
	}
}

// A demand is memory that the guest needs, and the keys that ask for it.
type demand struct {
	amount Bytes
	text   string
	paths  []string
}

// memory checks that the guest's memory holds what the experiment asks for.
func (c *checker) memory() {
	g := c.e.Guest
	if g.Driver != "qemu" {
		return // the scripted guest is a process: it has no memory of its own to fit into
	}
	need, sum := GuestFloor, GuestFloor.String()+" for the kernel and the agent"
	paths := []string{"guest.memory"}
	for _, d := range c.demands() {
		if d.amount < 0 || need+d.amount < 0 {
			c.want("want amounts that fit into a guest's memory", d.paths...)
			return
		}
		need, sum = need+d.amount, sum+" + "+d.text
		paths = append(paths, d.paths...)
	}
	if g.Memory < need {
		c.want(fmt.Sprintf("want guest.memory (now %s) of at least %s: %s", g.Memory, (need+mib-1)/mib*mib, sum), paths...)
	}
}

func (c *checker) demands() []demand {
	w, check := c.e.Workload, c.e.Guest.Check
	var ds []demand
	if w.Has("dirty") || w.Has("replay") {
		ds = append(ds, demand{w.WorkingSet, "workload.working-set " + w.WorkingSet.String(), []string{"workload.working-set"}})
	}
	if kind := w.Serves(); kind == "kv" || kind == "redis" {
		// A fifth more than the values, for keys and what each entry costs.
		values := Bytes(-1)
		if w.KV.ValueSize <= maxValue { // and keys have a maximum, so that the product fits
			values = Bytes(w.KV.Keys) * w.KV.ValueSize * 6 / 5
		}
		ds = append(ds, demand{
			values, fmt.Sprintf("%d keys × value-size %s × 1.2", w.KV.Keys, w.KV.ValueSize),
			[]string{"workload.kv.keys", "workload.kv.value-size", "workload.kind"},
		})
		if kind == "redis" {
			ds = append(ds, demand{redisFloor, redisFloor.String() + " for redis-server", nil})
		}
	}
	if check > 0 {
		ds = append(ds, demand{check, "guest.check " + check.String(), []string{"guest.check"}})
	}
	return ds
}

// redisFloor is what redis-server needs beside its data: the program, its libraries and its buffers.
const redisFloor Bytes = 48 << 20

// disk checks the guest's disk.
func (c *checker) disk() {
	d := c.e.Guest.Disk
	if d == nil {
		if c.e.Workload.Has("disk") {
			c.want("want guest.disk with it, such as guest: {disk: {size: 256MiB}}: what the workload writes to", "workload.kind", "workload.mix")
		}
		return
	}
	if d.Size < mib || d.Size%mib != 0 {
		c.want("want whole MiB, at least one", "guest.disk.size", "guest.disk")
	}
}
