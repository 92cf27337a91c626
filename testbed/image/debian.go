package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// DefaultDebianSize is the size of a Debian disk when the options give none, in B.
const DefaultDebianSize = 2 << 30

// DebianOptions say what a Debian disk is made of.
type DebianOptions struct {
	Packages []string // more than it needs to boot and to be reached; what they need comes with them
	Agent    string   // path of virtscope's agent, see FindInit; empty leaves it out
	// AuthorizedKey is a line of root's authorized_keys; empty is none, and then nobody can log in.
	AuthorizedKey string
	CloudInit     bool   // adds cloud-init, which looks for a seed (NoCloud) alone
	Loader        bool   // adds GRUB, for BIOS and for UEFI
	Size          int64  // B, a multiple of 1 MiB; 0 is DefaultDebianSize. What is not used takes no room
	Format        string // Raw or QCOW2; empty is Raw
	CacheDir      string // made if missing; images in it are reused and never removed
}

// A Debian is a disk with a Debian that boots, and what boots it directly.
type Debian struct {
	Disk   string `json:"-"`      // path; it is only read: give each guest a copy or an overlay
	Format string `json:"format"` // Raw or QCOW2
	Size   int64  `json:"size"`   // B, as the guest sees it
	Kernel string `json:"-"`      // path of its bzImage
	Initrd string `json:"-"`      // path of an initramfs that mounts the disk, which must be the first virtio disk
	Append string `json:"append"` // the kernel's command line for Kernel and Initrd, whole but for the address
	// Release of the kernel, as in uname -r.
	Release  string   `json:"release"`
	Loader   bool     `json:"loader,omitempty"` // it boots by firmware, too: BIOS and UEFI, with the same kernel, initramfs and command line
	Hash     string   `json:"hash"`             // SHA-256 over Disk's, Kernel's and Initrd's content, in hexadecimal
	Packages []string `json:"packages"`         // all that is in it, name=version, sorted
}

const (
	debianDisk   = "disk"
	debianKernel = "vmlinuz"
	debianInitrd = "initrd.cpio"
	debianFacts  = "debian.json"
	// debianGeneration is of what this package puts on a disk: raise it when that changes.
	debianGeneration = "2"
)

// BuildDebian makes a disk image with a Debian that boots, or finds it in the cache: systemd, udev, an ssh server, iproute2
// and the kernel for clouds, from the mirrors that this machine's apt uses. It needs root, mmdebstrap and mke2fs; sfdisk;
// with Loader grub-mkimage with its modules for BIOS and UEFI, mkfs.fat and mtools; for QCOW2 qemu-img. Neither a loop
// device nor a mount outlives it.
//
// All guests of an image have the same ssh host keys; each makes its own machine-id when it first boots. A guest takes
// the address of AddressParam from the kernel's command line, or, booted by firmware, from a string of the SMBIOS (type
// 11) of the same form.
//
// The image appears under its final name only when it is whole and on disk, so concurrent builders and a kill at any time
// are safe. Cancelling ends the tools and leaves nothing; what a killed build left is removed by the next call.
func BuildDebian(ctx context.Context, o DebianOptions) (Debian, error) {
	d, err := buildDebian(ctx, o)
	if err != nil {
		return Debian{}, fmt.Errorf("build Debian disk: %w", err)
	}
	return d, nil
}

// CheckDebian says what BuildDebian with these options lacks here, and how to get it.
func CheckDebian(o DebianOptions) error {
	o, err := checkDebian(o)
	if err != nil {
		return err
	}
	_, err = newDebianBuild("", o)
	return err
}

func buildDebian(ctx context.Context, o DebianOptions) (Debian, error) {
	o, err := checkDebian(o)
	if err != nil {
		return Debian{}, err
	}
	suite, err := readSuite("/etc/os-release")
	if err != nil {
		return Debian{}, err
	}
	if o.CacheDir, err = filepath.Abs(o.CacheDir); err != nil {
		return Debian{}, err
	}
	key, err := debianKey(suite, o)
	if err != nil {
		return Debian{}, err
	}
	final := filepath.Join(o.CacheDir, "debian-"+key)
	sweepRoots(o.CacheDir)
	d, err := readDebian(final)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	b, err := newDebianBuild(suite, o)
	if err != nil {
		return Debian{}, err
	}
	err = inCache(o.CacheDir, final, func(dir string) (string, error) {
		b.dir = dir
		return b.make(ctx)
	})
	if err != nil {
		return Debian{}, err
	}
	return readDebian(final)
}

// inCache lets a folder be made in the cache, and gives it its final name. Another builder may have been faster: then its
// folder is taken.
func inCache(cache, final string, make func(dir string) (made string, err error)) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("make image cache: %w", err)
	}
	dir, release, err := claimRoot(cache)
	if err != nil {
		return fmt.Errorf("write to image cache: %w", err)
	}
	defer release()
	made, err := make(dir)
	if err != nil {
		return err
	}
	if err := os.Rename(made, final); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write to image cache: %w", err)
	}
	if err := syncDir(cache); err != nil {
		return fmt.Errorf("write to image cache: %w", err)
	}
	return nil
}

// readDebian reads what is known of a disk in its folder of the cache.
func readDebian(dir string) (Debian, error) {
	data, err := os.ReadFile(filepath.Join(dir, debianFacts))
	if err != nil {
		return Debian{}, fmt.Errorf("look into image cache: %w", err)
	}
	var d Debian
	if err := json.Unmarshal(data, &d); err != nil {
		return Debian{}, fmt.Errorf("read facts of the Debian disk: %w: remove %s", err, dir)
	}
	d.Disk = filepath.Join(dir, debianDisk+"."+d.Format)
	d.Kernel, d.Initrd = filepath.Join(dir, debianKernel), filepath.Join(dir, debianInitrd)
	for _, path := range []string{d.Disk, d.Kernel, d.Initrd} {
		if _, err := os.Stat(path); err != nil {
			return Debian{}, fmt.Errorf("look into image cache: %v: remove %s", err, dir) //nolint:errorlint // it is there, but damaged
		}
	}
	return d, nil
}

// sshKey is a line of authorized_keys without options (sshd(8)).
var sshKey = regexp.MustCompile(`^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-zA-Z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\n]*)?$`)

// checkDebian returns the options with what they leave open filled in.
func checkDebian(o DebianOptions) (DebianOptions, error) {
	if o.Size == 0 {
		o.Size = DefaultDebianSize
	}
	if o.Size < 512<<20 || o.Size%(1<<20) != 0 {
		return o, fmt.Errorf("size %d B: it must be a multiple of 1 MiB, and at least 512 MiB", o.Size)
	}
	if o.Format == "" {
		o.Format = Raw
	}
	if o.Format != Raw && o.Format != QCOW2 {
		return o, fmt.Errorf("format %q: use %s or %s", o.Format, Raw, QCOW2)
	}
	o.AuthorizedKey = strings.TrimSpace(o.AuthorizedKey)
	if o.AuthorizedKey != "" && !sshKey.MatchString(o.AuthorizedKey) {
		return o, errors.New("the authorized key is no line of a public key: give the content of a .pub file")
	}
	var err error
	o.Packages, err = checkPackages(debianPackages(o))
	return o, err
}

// debianPackages are those that are asked for by name.
func debianPackages(o DebianOptions) []string {
	packages := append([]string{"systemd", "systemd-sysv", "udev", "openssh-server", "iproute2", debianKernelPackage, "initramfs-tools"}, o.Packages...)
	if o.CloudInit {
		packages = append(packages, "cloud-init")
	}
	return packages
}

const debianKernelPackage = "linux-image-cloud-amd64"

// baseKey names the packages of a disk in the cache.
func baseKey(suite string, packages []string) string {
	return shortHash(debianGeneration, suite, strings.Join(packages, ","))
}

// debianKey names a disk in the cache by all that goes into it.
func debianKey(suite string, o DebianOptions) (string, error) {
	agent := ""
	if o.Agent != "" {
		data, err := os.ReadFile(o.Agent)
		if err != nil {
			return "", fmt.Errorf("read the agent: %w", err)
		}
		agent = shortHash(string(data))
	}
	return shortHash(baseKey(suite, o.Packages), agent, AgentUnit, o.AuthorizedKey, strconv.FormatBool(o.CloudInit), strconv.FormatBool(o.Loader),
		strconv.FormatInt(o.Size, 10), o.Format), nil
}

// shortHash is a name for parts, which hold no zero byte or are the only one.
func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
