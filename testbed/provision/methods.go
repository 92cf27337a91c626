package provision

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// make makes the disk of a guest on host i.
func (p *Provisioner) make(ctx context.Context, i int, path string) error {
	h := p.c.Hosts[i]
	return made(ctx, h.Host, path, func() error {
		switch p.c.Method {
		case Copy:
			if p.c.From == FromHost {
				return copyFile(ctx, h.Host, p.template(h), path, "never")
			}
			// By the image server, so that the bytes cross the link; the server tells where the template has holes.
			_, err := run(ctx, h.Host, nil, imgTool, "convert", "-q", "-t", "unsafe", "-f", raw, "-O", p.c.Template.Format, p.plan[p.ask[i]].url(), path)
			return err
		case Reflink:
			return copyFile(ctx, h.Host, p.template(h), path, "always")
		case Overlay:
			return p.overlay(ctx, h.Host, p.template(h), p.c.Template.Format, path)
		}
		return p.overlay(ctx, h.Host, p.plan[p.ask[i]].url(), raw, path)
	})
}

// overlay makes a qcow2 over a template. It does not open the template: the guest's first read is the first to reach it.
func (p *Provisioner) overlay(ctx context.Context, h host.Host, backing, format, path string) error {
	_, err := run(ctx, h, nil, imgTool, "create", "-q", "-u", "-f", qcow2, "-b", backing, "-F", format, path, strconv.FormatInt(p.c.Template.Size, 10))
	return err
}

// OverlayOf makes a qcow2 of so many B over a disk that lies on the host itself, and that nobody writes to as long as the overlay is in use.
func OverlayOf(ctx context.Context, h host.Host, disk, format, path string, size int64) error {
	if _, err := run(ctx, h, nil, imgTool, "create", "-q", "-u", "-f", qcow2, "-b", disk, "-F", format, path, strconv.FormatInt(size, 10)); err != nil {
		return fmt.Errorf("make an overlay of %s: %w", disk, err)
	}
	return nil
}

// checkReflink shares a block on each host, to see whether its file system can.
func (p *Provisioner) checkReflink(ctx context.Context) error {
	for _, h := range p.c.Hosts {
		if err := tryReflink(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func tryReflink(ctx context.Context, h HostConfig) error {
	one, two := filepath.Join(h.Dir, ".reflink-1"), filepath.Join(h.Dir, ".reflink-2")
	defer func() {
		_ = remove(context.WithoutCancel(ctx), h.Host, one)
		_ = remove(context.WithoutCancel(ctx), h.Host, two)
	}()
	if _, err := run(ctx, h.Host, strings.NewReader(strings.Repeat("x", 4096)), "dd", "of="+one, "status=none"); err != nil {
		return fmt.Errorf("write to %s: %w", h.Dir, err)
	}
	err := copyFile(ctx, h.Host, one, two, "always")
	if err == nil || ctx.Err() != nil {
		return err
	}
	fs, fsErr := run(ctx, h.Host, nil, "stat", "--file-system", "--format=%T", "--", h.Dir)
	if fsErr != nil {
		return fsErr
	}
	return &guest.NotSupportedError{
		Feature: "provision.method: reflink", Where: fmt.Sprintf("file system %s of %s on %s", strings.TrimSpace(fs), h.Dir, h.Host.Name()), Err: err,
		Remedy: "put the testbed's folder on xfs or btrfs, or set provision.method: overlay",
	}
}
