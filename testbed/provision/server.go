package provision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"virtscope/testbed/host"
)

// startPatience is how long an image server may take until it answers.
const startPatience = 30 * time.Second

// startServers starts the plan's servers, each when the one that it asks answers.
func (p *Provisioner) startServers(ctx context.Context) error {
	store := p.plan[0]
	template := p.c.Template.Path
	if store.dir != "" {
		template = filepath.Join(store.dir, "template."+p.c.Template.Format)
		p.undo.Push("remove "+template, func(ctx context.Context) error { return remove(ctx, store.host, template) })
		if err := bring(ctx, store.host, p.c.Template.Path, template); err != nil {
			return fmt.Errorf("bring the template to store %s: %w", store.host.Name(), err)
		}
	}
	for i, s := range p.plan {
		args := storeArguments(s, template, p.c.Template.Format)
		if i > 0 {
			if err := p.makeCache(ctx, s); err != nil {
				return err
			}
			args = cacheArguments(s, p.plan[s.parent])
		}
		process, err := serve(ctx, s, args)
		if err != nil {
			return fmt.Errorf("start image server on %s: %w", s.host.Name(), err)
		}
		p.undo.Push("stop image server on "+s.host.Name(), process.Stop)
	}
	return p.account()
}

// makeCache makes the empty file of a cache.
func (p *Provisioner) makeCache(ctx context.Context, s server) error {
	path := s.cache()
	p.undo.Push("remove "+path, func(ctx context.Context) error { return remove(ctx, s.host, path) })
	_, err := run(ctx, s.host, nil, imgTool, "create", "-q", "-f", qcow2, path, strconv.FormatInt(p.c.Template.Size, 10))
	if err != nil {
		return fmt.Errorf("make a cache on %s: %w", s.host.Name(), err)
	}
	return nil
}

// storeArguments are of a server that has the template: read-only, through the page cache of its host (cache mode writeback).
func storeArguments(s server, path, format string) []string {
	return append([]string{
		"--blockdev", "driver=file,node-name=file,read-only=on,filename=" + option(path),
		"--blockdev", "driver=" + format + ",node-name=image,read-only=on,file=file",
	}, exportArguments(s)...)
}

// cacheArguments are of a server that asks another for each cluster (64 KiB) once, and keeps it.
func cacheArguments(s, parent server) []string {
	return append([]string{
		"--blockdev", "driver=file,node-name=file,filename=" + option(s.cache()),
		"--blockdev", "driver=nbd,node-name=above,read-only=on,export=" + export + ",server.type=inet,server.host=" + parent.addr +
			",server.port=" + strconv.Itoa(parent.port),
		"--blockdev", "driver=qcow2,node-name=cache,file=file,backing=above",
		"--blockdev", "driver=copy-on-read,node-name=image,file=cache",
	}, exportArguments(s)...)
}

func exportArguments(s server) []string {
	return []string{
		"--nbd-server", "addr.type=inet,addr.host=" + s.addr + ",addr.port=" + strconv.Itoa(s.port) + ",max-connections=0", // 0: any number
		"--export", "type=nbd,id=export,node-name=image,writable=off,name=" + export,
	}
}

// option quotes a value for QEMU's comma-separated options.
func option(v string) string { return strings.ReplaceAll(v, ",", ",,") }

// serve starts a server and returns when it answers.
func serve(ctx context.Context, s server, args []string) (host.Process, error) {
	if greeted(ctx, s) == nil { // its answers would be taken for ours
		return nil, fmt.Errorf("another image server is at %s: end it, or take another port", s.address())
	}
	var said bytes.Buffer
	process, err := s.host.Start(ctx, host.Cmd{Path: serverTool, Args: args, Stdout: &said, Stderr: &said})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		err := greeted(ctx, s)
		if err == nil {
			return process, nil
		}
		select {
		case <-process.Done():
			return nil, fmt.Errorf("%s ended: %w: %s", serverTool, process.Err(), bytes.TrimSpace(said.Bytes()))
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("no answer at %s: %w", s.address(), err), process.Kill())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// greeted reads the begin of the greeting that an NBD server sends (NBDMAGIC, proto.md of NBD).
func greeted(ctx context.Context, s server) error {
	conn, err := s.host.Dial(ctx, "tcp", s.address())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	magic := make([]byte, 8)
	if _, err := io.ReadFull(conn, magic); err != nil {
		return err
	}
	if string(magic) != "NBDMAGIC" {
		return fmt.Errorf("%s serves something else: %q", s.address(), magic)
	}
	return nil
}
