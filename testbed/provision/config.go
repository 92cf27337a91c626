package provision

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

const (
	raw   = "raw"
	qcow2 = "qcow2"
)

const defaultFanout = 4

// servers reports whether a method needs image servers.
func (c Config) servers() bool {
	return c.Method == NBD || c.Method == Tree || c.Method == Copy && c.From == FromStore
}

// checked returns the configuration with what it leaves open filled in.
func (c Config) checked() (Config, error) {
	if c.From == "" {
		c.From = FromStore
	}
	if c.Fanout == 0 {
		c.Fanout = defaultFanout
	}
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	switch {
	case !slices.Contains([]string{Present, Copy, Reflink, Overlay, NBD, Tree}, c.Method):
		return c, errors.New("no such method: use present, copy, reflink, overlay, nbd or tree")
	case c.From != FromHost && c.From != FromStore:
		return c, fmt.Errorf("from %q: use host or store", c.From)
	case c.Fanout < 1:
		return c, fmt.Errorf("fanout %d: it must be at least 1", c.Fanout)
	case c.Prefetch && c.Method != NBD && c.Method != Tree:
		return c, errors.New("only nbd and tree can prefetch")
	case c.Port < 1 || c.Port > 65000: // levels of caches come on top
		return c, fmt.Errorf("port %d: it must be between 1 and 65000", c.Port)
	}
	if err := c.Template.check(); err != nil {
		return c, err
	}
	if err := c.checkHosts(); err != nil {
		return c, err
	}
	return c, checkTools(c)
}

func (t Template) check() error {
	switch {
	case t.Format != raw && t.Format != qcow2:
		return fmt.Errorf("template's format %q: use raw or qcow2", t.Format)
	case t.Size <= 0 || t.Size%512 != 0:
		return fmt.Errorf("template's size %d B: it must be a multiple of 512 above 0", t.Size)
	case !filepath.IsAbs(t.Path):
		return fmt.Errorf("template's path %q: give it whole, from / on", t.Path)
	}
	info, err := os.Stat(t.Path)
	if err != nil {
		return fmt.Errorf("find the template: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("template %s is no file", t.Path)
	}
	return nil
}

func (c Config) checkHosts() error {
	if len(c.Hosts) == 0 {
		return errors.New("no hosts are given")
	}
	names, dirs := map[string]bool{}, map[string]bool{}
	for _, h := range c.Hosts {
		if h.Host == nil {
			return errors.New("a host is missing")
		}
		name := h.Host.Name()
		switch {
		case names[name]:
			return fmt.Errorf("host %s is given twice", name)
		case !filepath.IsAbs(h.Dir):
			return fmt.Errorf("folder %q of host %s: give it whole, from / on", h.Dir, name)
		case dirs[filepath.Clean(h.Dir)]:
			return fmt.Errorf("folder %s of host %s is another host's, too", h.Dir, name)
		}
		names[name], dirs[filepath.Clean(h.Dir)] = true, true
		if err := checkAddr(h.Addr); err != nil && (c.Method == Tree || c.Prefetch) {
			return fmt.Errorf("address of host %s: %w", name, err)
		}
	}
	if !c.servers() {
		return nil
	}
	if c.Store.Host == nil {
		return errors.New("no store is given: it needs an image server")
	}
	if err := checkAddr(c.Store.Addr); err != nil {
		return fmt.Errorf("address of store %s: %w", c.Store.Host.Name(), err)
	}
	if !here(c.Store.Host) && c.Store.Dir == "" {
		return fmt.Errorf("store %s is another machine: give it a folder for the template", c.Store.Host.Name())
	}
	return nil
}

func checkAddr(addr string) error {
	_, err := netip.ParseAddr(addr)
	return err
}

// here reports whether a host has this machine's files.
func here(h host.Host) bool {
	_, ok := h.(host.Doer)
	return ok
}

// checkTools says what is missing on this machine, which hosts that are namespaces share.
func checkTools(c Config) error {
	var tools []string
	if c.servers() || c.Method == Overlay {
		tools = append(tools, imgTool)
	}
	if c.servers() {
		tools = append(tools, serverTool)
	}
	if c.Prefetch {
		tools = append(tools, ioTool)
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return &guest.NotSupportedError{
				Feature: "provision.method: " + c.Method, Where: "this machine", Err: err, Remedy: "install it with `apt-get install qemu-utils`",
			}
		}
	}
	return nil
}
