package provision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

// The programs of QEMU that run on hosts.
const (
	imgTool    = "qemu-img"
	ioTool     = "qemu-io"
	serverTool = "qemu-storage-daemon"
)

// run runs a program on a host to its end and returns what it printed. Cancelling kills it.
func run(ctx context.Context, h host.Host, in io.Reader, name string, args ...string) (string, error) {
	var out, errs bytes.Buffer
	p, err := h.Start(ctx, host.Cmd{Path: name, Args: args, Env: []string{"LC_ALL=C"}, Stdin: in, Stdout: &out, Stderr: &errs})
	if err != nil {
		return "", err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return "", errors.Join(fmt.Errorf("run %s: %w", name, context.Cause(ctx)), p.Kill())
	}
	if err := p.Err(); err != nil {
		const shown = 1000 // B; the reason is at the end
		text := strings.TrimSpace(errs.String())
		return out.String(), fmt.Errorf("run %s: %w: %s", name, err, text[max(0, len(text)-shown):])
	}
	return out.String(), nil
}

// bring makes path on h a copy of a file of this machine, sparse where the file is, without sharing its blocks.
func bring(ctx context.Context, h host.Host, from, path string) error {
	if !here(h) {
		return h.Put(ctx, from, path)
	}
	return made(ctx, h, path, func() error { return copyFile(ctx, h, from, path, "never") })
}

// copyFile copies on a host; reflink is never or always.
func copyFile(ctx context.Context, h host.Host, from, path, reflink string) error {
	sparse := "always"
	if reflink == "always" {
		sparse = "auto" // cp takes nothing else beside it
	}
	_, err := run(ctx, h, nil, "cp", "--sparse="+sparse, "--reflink="+reflink, "--no-preserve=all", "--", from, path)
	return err
}

// made lets f make path, where nothing may be, and removes what a failure leaves there.
func made(ctx context.Context, h host.Host, path string, f func() error) error {
	if _, err := run(ctx, h, nil, "test", "!", "-e", path); err != nil {
		return fmt.Errorf("%s is there already: remove it first: %w", path, err)
	}
	if err := f(); err != nil {
		return errors.Join(err, remove(context.WithoutCancel(ctx), h, path))
	}
	return nil
}

func remove(ctx context.Context, h host.Host, path string) error {
	_, err := run(ctx, h, nil, "rm", "-f", "--", path)
	return err
}

// allocated is how much room a file takes, in B.
func allocated(ctx context.Context, h host.Host, path string) (int64, error) {
	text, err := run(ctx, h, nil, "stat", "--format=%b %B", "--", path)
	if err != nil {
		return 0, err
	}
	blocks, size, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.ParseInt(blocks, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read blocks of %s: %w", path, err)
	}
	b, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read block size of %s: %w", path, err)
	}
	return n * b, nil
}

// record records an event of provisioning.
func record(rec results.Recorder, h host.Host, at time.Time, name string, attrs map[string]string) {
	rec.Record(results.Record{Time: at.UnixNano(), Host: h.Name(), Source: results.SourceRunner, Name: name, Attrs: attrs})
}

// with is attrs and one more.
func with(attrs map[string]string, key string, value int64) map[string]string {
	attrs = maps.Clone(attrs)
	attrs[key] = strconv.FormatInt(value, 10)
	return attrs
}
