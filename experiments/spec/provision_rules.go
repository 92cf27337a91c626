package spec

// provision checks how the guest's disk comes to its host.
func (c *checker) provision() {
	p, g := c.e.Provision, c.e.Guest
	if p.Method == "present" || g.Driver != "qemu" {
		return
	}
	if !g.HasDisk() {
		c.want("want present, or guest.image: debian or a path, or guest.disk: there is no disk to bring", "provision.method", "guest.image")
	}
	if kind := c.e.Action.Kind(); kind != "" && !c.e.Action.Fleet() {
		c.want("want present, or action: boot or jobs with it: they count a disk's way to its host as part of a start", "provision.method", "action."+kind)
	}
}

// provisioned are the methods of provision that read a key.
func provisioned(key, want string, names ...string) keyReader {
	return value("provision."+key, "provision.method", want, func(e *Experiment) bool {
		for _, name := range names {
			if e.Provision.Method == name {
				return true
			}
		}
		return false
	})
}

var provisionReaders = []keyReader{
	provisioned("from", "copy", "copy"),
	provisioned("fanout", "tree", "tree"),
	provisioned("prefetch", "nbd or tree", "nbd", "tree"),
}
