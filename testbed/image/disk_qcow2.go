package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"virtscope/testbed/guest"
)

// qemuImg is the tool that reads and writes qcow2.
const qemuImg = "qemu-img"

// makeQCOW2 makes a qcow2 image with the content of the raw one.
func makeQCOW2(ctx context.Context, path string, size int64, filled float64, seed uint64) (err error) {
	if filledBytes(size, filled) == 0 {
		if err := runImg(ctx, "create", "-q", "-f", QCOW2, path, strconv.FormatInt(size, 10)); err != nil {
			return err
		}
		return syncFile(path)
	}
	if _, err := findImg(); err != nil {
		return err // before the work
	}
	raw, err := scratch(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(raw)) }()
	if err := writeRaw(ctx, raw, size, filled, seed); err != nil {
		return err
	}
	if err := runImg(ctx, "convert", "-q", "-f", Raw, "-O", QCOW2, raw, path); err != nil {
		return err
	}
	return syncFile(path)
}

// scratch makes an empty file beside path.
func scratch(path string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".disk-*")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// CheckQCOW2 says what is missing for disks in the format qcow2, as a *guest.NotSupportedError.
func CheckQCOW2() error {
	_, err := findImg()
	return err
}

func findImg() (string, error) {
	path, err := exec.LookPath(qemuImg)
	if err != nil {
		return "", &guest.NotSupportedError{
			Feature: "a disk in format " + QCOW2, Where: "this machine", Err: err,
			Remedy: "install it with `apt-get install qemu-utils`, or set guest.disk.format: raw",
		}
	}
	return path, nil
}

// runImg runs qemu-img.
func runImg(ctx context.Context, args ...string) error {
	path, err := findImg()
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s %s: %w: %s", qemuImg, args[0], errors.Join(ctx.Err(), err), bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
