package image

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// wanted is what the guest needs a driver for: its bus, its network card, its disk and the agent's port.
var wanted = []string{"virtio_pci", "virtio_net", "virtio_blk", "virtio_console"}

// welcome is what some guests need: the bus of a machine without PCI, and the balloon. A kernel without them boots the others.
// vCPUs that are plugged in need no module: ACPI's processor driver is never one.
var welcome = []string{"virtio_mmio", "virtio_balloon"}

// A moduleTree is what depmod knows of a kernel. Paths are relative to the folder of modules.dep.
type moduleTree struct {
	path    map[string]string   // by module name
	needs   map[string][]string // paths by path, the direct and indirect dependencies
	builtin map[string]bool     // by module name
}

func readModuleTree(dir string) (moduleTree, error) {
	t := moduleTree{path: map[string]string{}, needs: map[string][]string{}, builtin: map[string]bool{}}
	for _, file := range []struct {
		name  string
		parse func(io.Reader) error
	}{
		{"modules.dep", t.parseDep},
		{"modules.builtin", t.parseBuiltin},
	} {
		f, err := os.Open(filepath.Join(dir, file.name))
		if err != nil {
			return t, err
		}
		err = file.parse(f)
		f.Close()
		if err != nil {
			return t, fmt.Errorf("parse %s: %w", f.Name(), err)
		}
	}
	return t, nil
}

// parseDep reads modules.dep: lines of "path: path…".
func (t moduleTree) parseDep(r io.Reader) error {
	return eachLine(r, func(line string) error {
		module, needs, found := strings.Cut(line, ":")
		if !found {
			return fmt.Errorf("line %q has no colon", line)
		}
		if !validModule(module) {
			return fmt.Errorf("line %q begins with no module path", line)
		}
		for need := range strings.FieldsSeq(needs) {
			if !validModule(need) {
				return fmt.Errorf("line %q names %q, which is no module path", line, need)
			}
			t.needs[module] = append(t.needs[module], need)
		}
		t.path[moduleName(module)] = module
		return nil
	})
}

// parseBuiltin reads modules.builtin: a path a line.
func (t moduleTree) parseBuiltin(r io.Reader) error {
	return eachLine(r, func(line string) error {
		t.builtin[moduleName(line)] = true
		return nil
	})
}

func eachLine(r io.Reader, f func(string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f(line); err != nil {
			return err
		}
	}
	return lines.Err()
}

// validModule reports whether p is a path below the modules' folder.
func validModule(p string) bool {
	return moduleName(p) != "" && filepath.IsLocal(p) && !strings.ContainsAny(p, " \t\x00")
}

// moduleName is the kernel's name of the module in a file: hyphens are underscores.
func moduleName(p string) string {
	base, _, _ := strings.Cut(path.Base(p), ".ko")
	if base == "." || base == "/" || base == ".." {
		return ""
	}
	return strings.ReplaceAll(base, "-", "_")
}

// has reports whether a module is there, or built in.
func (t moduleTree) has(name string) bool {
	_, ok := t.path[name]
	return ok || t.builtin[name]
}

// modulesFor lists what an image of this kernel is given.
func (t moduleTree) modulesFor() ([]string, error) {
	names := slices.Clone(wanted)
	for _, name := range welcome {
		if t.has(name) {
			names = append(names, name)
		}
	}
	return t.closure(names)
}

// closure returns the paths of the named modules and of what they need, each after what it needs. What is
// built into the kernel is left out.
func (t moduleTree) closure(names []string) ([]string, error) {
	var order []string
	done := map[string]bool{}
	var visit func(p string)
	visit = func(p string) {
		if done[p] || t.builtin[moduleName(p)] {
			return
		}
		done[p] = true // before the dependencies: a cycle must end
		for _, need := range t.needs[p] {
			visit(need)
		}
		order = append(order, p)
	}
	for _, name := range names {
		if t.builtin[name] {
			continue
		}
		p, ok := t.path[name]
		if !ok {
			return nil, fmt.Errorf("find module %s: neither in modules.dep nor in modules.builtin: take a kernel with virtio drivers", name)
		}
		visit(p)
	}
	return order, nil
}
