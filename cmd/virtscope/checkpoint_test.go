package main

import (
	"bytes"
	"time"
	"virtscope/testbed/checkpoint"

	"github.com/rogpeppe/go-internal/testscript"
)

// makeCatalogue is the scripts' command `catalogue FOLDER`: it writes a catalogue with a chain of two disks, full and c2 since full, and a
// newer checkpoint without a disk, last, as a run would.
func makeCatalogue(ts *testscript.TestScript, _ bool, args []string) {
	c, err := checkpoint.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	for i, m := range []checkpoint.Manifest{{ID: "full"}, {ID: "c2", Parent: "full"}, {ID: "last"}} {
		d, err := c.Begin()
		ts.Check(err)
		files := map[string]string{"memory": checkpoint.RoleMemory}
		if m.ID != "last" {
			files["disk.qcow2"] = checkpoint.RoleDisk
		}
		for name, role := range files {
			w, err := d.Create(name, role, checkpoint.CompressionNone)
			ts.Check(err)
			_, err = w.Write(bytes.Repeat([]byte(m.ID), 3<<20/len(m.ID)))
			ts.Check(err)
			f, err := w.Close()
			ts.Check(err)
			d.Add(f)
		}
		m.Guest, m.Mode, m.Format, m.Compression = "guest", "stop", "stream", checkpoint.CompressionNone
		m.Created = time.Date(2030, 1, 1, 0, 0, i, 0, time.UTC)
		ts.Check(d.Commit(m))
	}
}
