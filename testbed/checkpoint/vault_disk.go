package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"virtscope/testbed/guest"
)

// qemuImg is the tool that reads a chain of qcow2 files.
const qemuImg = "qemu-img"

// disk makes the guest's disk at its path on this host: a full copy, so that the checkpoint may be pruned while the guest runs.
func (r *restoring) disk(ctx context.Context) error {
	d := r.spec.Disk
	if _, saved := r.chain[0].Role(RoleDisk); d == nil && !saved {
		return nil
	}
	if d == nil || d.Paths[r.here.Host.Name()] == "" {
		return fmt.Errorf("make the guest's disk: it has no path on %s", r.here.Host.Name())
	}
	var files []string // the newest first
	for _, m := range r.chain {
		f, ok := m.Role(RoleDisk)
		if !ok {
			return fmt.Errorf("make the guest's disk: checkpoint %s has none", m.ID)
		}
		path, err := r.file(ctx, m.ID, f)
		if err != nil {
			return err
		}
		files = append(files, path)
	}
	if err := flatten(ctx, files, d.Paths[r.here.Host.Name()], d.Format); err != nil {
		return fmt.Errorf("make the guest's disk: %w", err)
	}
	return nil
}

// A layer is a qcow2 image in the words of QEMU's block layer (QAPI BlockdevOptions). What its own header says of a backing
// file does not count.
type layer struct {
	Driver   string   `json:"driver"`
	ReadOnly bool     `json:"read-only"`
	File     protocol `json:"file"`
	Backing  *layer   `json:"backing"` // null is none
}

type protocol struct {
	Driver   string `json:"driver"`
	Filename string `json:"filename"`
}

// stack names a chain of images as one, the newest first.
func stack(files []string) (string, error) {
	var top *layer
	for i := len(files) - 1; i >= 0; i-- {
		top = &layer{Driver: "qcow2", ReadOnly: true, File: protocol{"file", files[i]}, Backing: top}
	}
	text, err := json.Marshal(top)
	return "json:" + string(text), err
}

// flatten makes one image of a chain, in place of what is at path.
func flatten(ctx context.Context, files []string, path, format string) error {
	chain, err := stack(files)
	if err != nil {
		return err
	}
	tool, err := exec.LookPath(qemuImg)
	if err != nil {
		return &guest.NotSupportedError{
			Feature: "to restore a disk", Where: "this machine", Err: err, Remedy: "install it with `apt-get install qemu-utils`",
		}
	}
	temporary := path + ".restored"
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, tool, "convert", "-q", "-O", format, chain, temporary)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		_ = os.Remove(temporary)
		return fmt.Errorf("run %s convert: %w: %s", qemuImg, errors.Join(ctx.Err(), err), bytes.TrimSpace(said.Bytes()))
	}
	return os.Rename(temporary, path)
}
