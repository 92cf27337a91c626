package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func (m *machine) osRelease() (string, error) {
	text, err := m.text("etc/os-release")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(value), `"`), nil
		}
	}
	return "", errors.New("/etc/os-release has no PRETTY_NAME")
}

// packages adds the installed versions of QEMU and of the kernels, of which one is the guest's. It reads
// dpkg's own database, which other distributions do not have.
func (m *machine) packages(add func(name, value string, err error)) {
	const path, qemu = "var/lib/dpkg/status", "qemu-system-x86"
	f, err := os.Open(filepath.Join(m.root, path))
	if err != nil {
		add("package."+qemu, "", plain(path, err))
		add("package.linux-image", "", plain(path, err))
		return
	}
	defer f.Close()
	installed, err := installedVersions(f, func(name string) bool {
		return name == qemu || strings.HasPrefix(name, "linux-image-")
	})
	if err != nil {
		err = fmt.Errorf("read /%s: %w", path, err)
		add("package."+qemu, "", err)
		add("package.linux-image", "", err)
		return
	}
	kernels := false
	for _, p := range installed {
		add("package."+p.name, p.version, nil)
		kernels = kernels || p.name != qemu
	}
	if !slices.ContainsFunc(installed, func(p pkg) bool { return p.name == qemu }) {
		add("package."+qemu, "not installed", nil)
	}
	if !kernels {
		add("package.linux-image", "not installed", nil)
	}
}

type pkg struct{ name, version string }

// installedVersions reads a dpkg status file: stanzas of "Key: value" lines between blank lines.
func installedVersions(r io.Reader, want func(name string) bool) ([]pkg, error) {
	var found []pkg
	var p pkg
	installed := false
	flush := func() {
		if installed && p.version != "" && want(p.name) {
			found = append(found, p)
		}
		p, installed = pkg{}, false
	}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case strings.TrimSpace(line) == "":
			flush()
		case key == "Package":
			p.name = value
		case key == "Version":
			p.version = value
		case key == "Status":
			installed = strings.HasSuffix(value, " installed")
		}
		if errors.Is(err, io.EOF) {
			flush()
			slices.SortFunc(found, func(a, b pkg) int { return strings.Compare(a.name, b.name) })
			return found, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
