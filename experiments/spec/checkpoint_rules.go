package spec

func (c *checker) checkpoint(k Checkpoint) {
	const at = "action.checkpoint."
	c.saving("action.checkpoint.save", k.Save)
	if k.Timeout <= 0 {
		c.want("want more than 0", at+"timeout")
	}
	if k.Count > 1 && k.Interval <= 0 {
		c.want("want more than 0", at+"interval")
	}
	if k.Damage != "none" && k.Restore == "none" {
		c.want("want same or other with it: what is damaged is there for its restore to be refused", at+"restore", at+"damage")
	}
	if k.Save.Disk == "incremental" && c.e.Guest.HasDisk() && k.Count < 2 {
		c.want("want action.checkpoint.count of at least 2 with it: the first one is full", at+"save.disk", at+"count")
	}
}

// checkpoints are the conditions under which keys of action.checkpoint are read.
func checkpoints(key, of, want string, is func(Checkpoint) bool) keyReader {
	return value("action.checkpoint."+key, "action.checkpoint."+of, want, func(e *Experiment) bool {
		return e.Action.Checkpoint != nil && is(*e.Action.Checkpoint)
	})
}

var checkpointReaders = []keyReader{
	checkpoints("interval", "count", "2 or more", func(k Checkpoint) bool { return k.Count > 1 }),
	checkpoints("save.load", "restore", "same or other", func(k Checkpoint) bool { return k.Restore != "none" }),
	savedDisk(ActionCheckpoint),
}
