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
	switch kv := []string{"workload.kv.keys", "workload.kv.value-size", "workload.kind"}; w.Serves() {
	case "kv":
		// A fifth more than the values, for keys and what each entry costs.
		values := w.KV.holds(func(size Bytes) Bytes { return size * 6 / 5 })
		ds = append(ds, demand{values, fmt.Sprintf("%d keys × value-size %s × 1.2", w.KV.Keys, w.KV.ValueSize), kv})
	case "redis":
		entries := w.KV.holds(func(size Bytes) Bytes { return (size*5/4 + redisEntry) * 10 / 7 })
		text := fmt.Sprintf("%d keys × (value-size %s × 1.25 + %s) / 0.7, the share that redis may fill", w.KV.Keys, w.KV.ValueSize, redisEntry)
		ds = append(ds, demand{entries, text, kv}, demand{redisFloor, redisFloor.String() + " for redis-server", nil})
	}
	if check > 0 && !c.e.Action.Fleet() { // guests that an action starts hold none
		ds = append(ds, demand{check, "guest.check " + check.String(), []string{"guest.check"}})
	}
	return ds
}

// holds is what the keys take with so much for each, -1 if the values are too long.
func (kv KVLoad) holds(each func(size Bytes) Bytes) Bytes {
	if kv.ValueSize > maxValue { // keys have a maximum too, so that the product fits
		return -1
	}
	return Bytes(kv.Keys) * each(kv.ValueSize)
}

// redisEntry is what redis keeps of a key beside its value: Redis 7.0 with jemalloc 5.3 took 106 B more than a value's place,
// which is up to a quarter longer than the value (170 B for one of 64 B, 1370 B for one of 1 KiB). The guest lets it fill at
// most 0.7 of what is available when it starts, and refuses what is beyond (maxmemory, noeviction).
const redisEntry Bytes = 128

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
