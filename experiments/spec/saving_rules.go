package spec

// saving is how e's action saves the guest, or nil.
func (e *Experiment) saving() *Saving {
	switch {
	case e.Action.Checkpoint != nil:
		return &e.Action.Checkpoint.Save
	case e.Action.Recover != nil:
		return &e.Action.Recover.Save
	}
	return nil
}

// saving checks how a guest's state is saved; at is such as action.checkpoint.save.
func (c *checker) saving(at string, s Saving) {
	at += "."
	if s.Format != "stream" {
		const want = " with it, or another format: "
		if s.Mode == "live" {
			c.want("want mode: stop with this format, or format: stream: only a stream is written while the guest runs (background-snapshot)", at+"mode", at+"format")
		}
		if s.Compression != "none" {
			c.want("want none"+want+"only a stream is compressed as it passes; the others are files whose pages have their places", at+"compression", at+"format")
		}
		if s.To == "other" {
			c.want("want disk or memory"+want+"only a stream crosses the link as it is written, and the others would be written twice", at+"to", at+"format")
		}
	}
	if s.Load == "on-demand" && s.Format != "memory-file" {
		c.want("want eager, or format: memory-file: only memory that is a file can be mapped and read as it is touched", at+"load", at+"format")
	}
}

// savedDisk is the key that says how a disk is saved, which only a guest with one reads.
func savedDisk(action string) keyReader {
	return keyReader{"action." + action + ".save.disk", condition{
		want: "guest.disk, or guest.image: debian", under: []string{"guest.disk", "guest.image"},
		reads: func(e *Experiment) bool { return e.Guest.HasDisk() },
	}}
}
