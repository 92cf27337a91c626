package image

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kdomanski/iso9660"
)

// SeedLabel is the volume label by which cloud-init's data source NoCloud finds a seed, and by which the guest may mount it.
const SeedLabel = "cidata"

// A Seed is what cloud-init is told at a guest's first boot (data source NoCloud). Only Hostname, InstanceID, Address and MAC are
// required.
type Seed struct {
	Hostname   string   // of the guest: letters, digits and hyphens
	InstanceID string   // what is done once for an instance is done again when it changes
	User       string   // who may log in, and become root without a password; "" leaves the image's users as they are
	Keys       []string // public keys of User in OpenSSH's form, one line each
	Address    string   // CIDR of the card; there is no DHCP
	MAC        string   // of the card that gets Address
	// Files are put on the seed's own file system, read-only and executable, by path: lower-case letters, digits, hyphens and
	// underscores, one dot a name, at most 28 characters a name.
	Files map[string][]byte
	Run   []string // shell commands as root, late in the first boot, each of which may fail
}

// MakeSeed writes s to path as an ISO 9660 image that holds meta-data, user-data and network-config: the same seed gives the same
// bytes. What was at path is replaced at once, or, on an error, stays.
func MakeSeed(path string, s Seed) error {
	files, err := s.files()
	if err != nil {
		return fmt.Errorf("make seed: %w", err)
	}
	data, err := makeISO(SeedLabel, files)
	if err != nil {
		return fmt.Errorf("make seed: %w", err)
	}
	if err := replaceFile(path, data); err != nil {
		return fmt.Errorf("make seed: %w", err)
	}
	return nil
}

// files are those of the seed's file system.
func (s Seed) files() (map[string][]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	files := maps.Clone(s.Files)
	if files == nil {
		files = map[string][]byte{}
	}
	for name, document := range map[string]any{"meta-data": s.metaData(), "user-data": s.userData(), "network-config": s.network()} {
		if _, ok := files[name]; ok {
			return nil, fmt.Errorf("%s is the seed's own: choose another name", name)
		}
		text, err := cloudYAML(document)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		files[name] = text
	}
	files["user-data"] = append([]byte("#cloud-config\n"), files["user-data"]...)
	return files, nil
}

var (
	seedHost = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	seedUser = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)
	// What an ISO 9660 name keeps of a path; the library would replace the rest.
	seedFile = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]{1,8})?$`)
)

const seedFileName = 28 // the longest name, with its version number 30

func (s Seed) check() error {
	switch {
	case !seedHost.MatchString(s.Hostname):
		return fmt.Errorf("hostname %q: want up to 63 letters, digits and hyphens", s.Hostname)
	case strings.TrimSpace(s.InstanceID) == "":
		return errors.New("instance id: want one, such as the trial's and the guest's name")
	case s.User != "" && !seedUser.MatchString(s.User):
		return fmt.Errorf("user %q: want up to 32 lower-case letters, digits, hyphens and underscores", s.User)
	case s.User == "" && len(s.Keys) > 0:
		return errors.New("keys: want a user with them")
	}
	for _, key := range s.Keys {
		if len(strings.Fields(key)) < 2 || strings.ContainsAny(key, "\r\n") {
			return fmt.Errorf("key %.20q: want a line such as ssh-ed25519 AAAA…", key)
		}
	}
	if _, err := netip.ParsePrefix(s.Address); err != nil {
		return fmt.Errorf("address %q: want a CIDR such as 10.77.0.10/24", s.Address)
	}
	if mac, err := net.ParseMAC(s.MAC); err != nil || len(mac) != 6 {
		return fmt.Errorf("MAC %q: want six bytes such as 52:54:00:77:00:10", s.MAC)
	}
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		for name := range strings.SplitSeq(path, "/") {
			if !seedFile.MatchString(name) || len(name) > seedFileName {
				return fmt.Errorf("file %q: want names of up to %d lower-case letters, digits, hyphens and underscores, with at most one dot", path, seedFileName)
			}
		}
	}
	return nil
}

// The dates of the volume in its descriptor, ECMA-119 8.4.26, 8.4.27 and 8.4.29: 17 bytes each, from the image's begin.
const (
	volumeDescriptor = 16 * 2048
	volumeCreated    = volumeDescriptor + 813
	volumeModified   = volumeDescriptor + 830
	volumeEffective  = volumeDescriptor + 864
)

// makeISO is an ISO 9660 image of files, the same for the same ones: the library's dates are replaced by "not specified".
func makeISO(label string, files map[string][]byte) (data []byte, err error) {
	w, err := iso9660.NewWriter()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Cleanup()) }()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.AddFile(bytes.NewReader(files[name]), name); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := w.WriteTo(&b, label); err != nil {
		return nil, err
	}
	unspecified := append(bytes.Repeat([]byte{'0'}, 16), 0)
	for _, at := range []int{volumeCreated, volumeModified, volumeEffective} {
		copy(b.Bytes()[at:], unspecified)
	}
	return b.Bytes(), nil
}

// replaceFile puts data at path, under its name only when it is whole.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
