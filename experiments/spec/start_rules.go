package spec

import (
	"fmt"
	"path"
	"strings"
)

// substrateFloor is the memory that a docked substrate needs: half of GuestFloor, since its initramfs was unpacked and is gone.
const substrateFloor = GuestFloor / 2

// start checks how the guest begins: from what, into what, with what memory behind it.
func (c *checker) start() {
	if c.e.Guest.Driver != "qemu" {
		c.scriptedStart()
		return
	}
	c.image()
	c.wayIn()
	c.backing()
	switch c.e.Guest.Start {
	case "substrate":
		c.substrate()
	case "warm":
		c.cloned()
		if m := c.e.Action.Migrate; m != nil && movesDisk(c.e) && m.DiskCopy == "incremental" {
			c.want("want cold, or action.migrate.disk-copy: mirror: what was written since the boot is not known of a guest that was restored",
				"guest.start", "action.migrate.disk-copy")
		}
	}
}

// scriptedStart refuses what only a virtual machine has.
func (c *checker) scriptedStart() {
	g := c.e.Guest
	for _, k := range []struct {
		path  string
		asked bool
	}{
		{"guest.start", g.Start != "cold"},
		{"guest.image", g.Image != "builtin"},
		{"guest.boot", g.Boot != "kernel"},
		{"guest.huge-pages", g.HugePages != "none"},
		{"guest.prealloc", g.Prealloc},
		{"provision.method", c.e.Provision.Method != "present"},
	} {
		if k.asked {
			c.want("want guest.driver: qemu with it; the scripted guest is a process", k.path, "guest.driver")
		}
	}
	if kind := c.e.Action.Kind(); kind != "" && kind != ActionMigrate {
		c.want("want guest.driver: qemu with it; the scripted guest can only pretend to migrate", "action."+kind, "guest.driver")
	}
}

// OwnImage reports whether the guest's image is a file of the user's, which has no agent of virtscope.
func (g Guest) OwnImage() bool { return g.Image != "builtin" && g.Image != "debian" }

// HasDisk reports whether there is a disk to save: guest.disk, or that of an image.
func (g Guest) HasDisk() bool { return g.Disk != nil || g.Image != "builtin" }

// isPath reports whether an image is meant as a path, and not as a name that is none.
func isPath(image string) bool { return strings.ContainsAny(image, "/") || path.Ext(image) != "" }

func (c *checker) image() {
	g, w := c.e.Guest, c.e.Workload
	if g.Image == "builtin" {
		return
	}
	if g.OwnImage() && !isPath(g.Image) {
		c.want("want builtin, debian, or a path such as ./debian.qcow2"+didYouMean(g.Image, []string{"builtin", "debian"}), "guest.image")
		return
	}
	if g.Disk != nil {
		c.want("want guest.image: builtin with it, or no guest.disk: an image is the guest's only disk", "guest.disk", "guest.image")
	}
	for _, kind := range []string{"redis", "disk"} {
		if w.Has(kind) {
			c.want("want guest.image: builtin with it; "+kind+" needs what virtscope's own image has", "workload.kind", "workload.mix", "guest.image")
		}
	}
	kind := c.e.Action.Kind()
	if kind == ActionMigrate {
		c.want("want guest.image: builtin with it: a migration moves guest.disk, and would leave the image behind", "guest.image", "action.migrate")
	}
	if g.OwnImage() {
		c.ownImage(kind)
	}
}

// ownImage refuses what asks virtscope's agent, which a user's image does not have.
func (c *checker) ownImage(kind string) {
	if kind == ActionCheckpoint || kind == ActionRecover || kind == ActionJobs {
		c.want("want builtin or debian, or action: boot: there is no agent in an image of your own that the others could ask", "guest.image", "action."+kind)
	}
	if c.e.Guest.Start != "cold" {
		c.want("want cold, or guest.image: builtin or debian: a guest that goes on from a saved state is given its identity by virtscope's agent",
			"guest.start", "guest.image")
	}
	if c.e.Guest.Boot != "firmware" {
		c.want("want firmware with it: the kernel of an image of your own lies on its disk", "guest.boot", "guest.image")
	}
}

// wayIn checks where the kernel comes from, and what the machine type can do.
func (c *checker) wayIn() {
	g := c.e.Guest
	if g.Boot == "firmware" && g.Image == "builtin" {
		c.want("want kernel or pvh, or guest.image: debian or a path: the built-in guest has no disk to load a kernel from", "guest.boot", "guest.image")
	}
	if !g.microvm() {
		return
	}
	if g.Boot == "firmware" {
		c.want("want kernel or pvh, or guest.qemu.machine: q35: microvm has no firmware that boots from a disk", "guest.boot", "guest.qemu.machine")
	}
	if g.Start == "substrate" && g.Substrate.VCPUs < g.VCPUs {
		c.want(fmt.Sprintf("want guest.substrate.vcpus (now %d) as many as guest.vcpus (%d), or guest.qemu.machine: q35: microvm has no vCPUs that can be plugged in",
			g.Substrate.VCPUs, g.VCPUs),
			"guest.substrate.vcpus", "guest.vcpus", "guest.qemu.machine")
	}
}

func (g Guest) microvm() bool {
	name, _, _ := strings.Cut(g.QEMU.Machine, ",")
	return name == "microvm"
}

// hugePage is the size of a page in B; 0 is an ordinary one.
func (g Guest) hugePage() Bytes {
	return map[string]Bytes{"2MiB": 2 << 20, "1GiB": 1 << 30}[g.HugePages]
}

// backing checks what holds the guest's memory.
func (c *checker) backing() {
	g := c.e.Guest
	size := g.hugePage()
	if size > 0 && g.Memory%size != 0 {
		c.want(fmt.Sprintf("want guest.memory (now %s) of whole pages of %s", g.Memory, size), "guest.huge-pages", "guest.memory")
	}
	s := c.e.saving()
	file := g.Start == "substrate" || s != nil && s.Format == "memory-file"
	where := []string{"guest.start"}
	if s != nil && s.Format == "memory-file" {
		where = []string{"action." + c.e.Action.Kind() + ".save.format"}
	}
	if size > 0 && file {
		c.want("want none: this memory is a file that is mapped in ordinary pages", append([]string{"guest.huge-pages"}, where...)...)
	}
	demand := g.Start == "substrate" || s != nil && s.Load == "on-demand"
	if g.Prealloc && demand {
		c.want("want no prealloc with it: it touches all the memory that would be read as it is needed", append([]string{"guest.prealloc"}, where...)...)
	}
}

// substrate checks what guests are cloned from.
func (c *checker) substrate() {
	g := c.e.Guest
	s := g.Substrate
	if kind := c.e.Action.Kind(); kind != "" && !c.e.Action.Fleet() {
		c.want("want cold or warm, or action: boot or jobs with it: they activate clones of a substrate", "guest.start", "action."+kind)
	}
	switch {
	case s.Memory%mib != 0:
		c.want("want whole MiB, such as "+(s.Memory/mib*mib+mib).String(), "guest.substrate.memory")
	case s.Memory < substrateFloor:
		c.want(fmt.Sprintf("want at least %s: the kernel and the agent of a docked guest", substrateFloor), "guest.substrate.memory")
	case s.Memory > g.Memory:
		c.want(fmt.Sprintf("want at most guest.memory (%s): a balloon only takes", g.Memory), "guest.substrate.memory", "guest.memory")
	}
	if s.VCPUs > g.VCPUs {
		c.want(fmt.Sprintf("want at most guest.vcpus (%d): vCPUs are plugged in at activation, not taken away", g.VCPUs), "guest.substrate.vcpus", "guest.vcpus")
	}
	c.cloned()
}

// cloned checks guests that go on from a saved state.
func (c *checker) cloned() {
	if c.e.Provision.Method != "present" {
		c.want("want present, or guest.start: cold with it: a guest that was saved goes on with the disk that it was saved with",
			"provision.method", "guest.start")
	}
}
