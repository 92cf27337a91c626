package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// ManifestFormat is the version of the manifest that this program writes, and the only one that it reads.
const ManifestFormat = 1

// manifestName is the file that makes a folder a checkpoint. It is written last.
const manifestName = "manifest.json"

// manifestMost is how long a manifest may be, in B: it names 64 B of hash for each ChunkSize of its files.
const manifestMost = 64 << 20

// The roles of a checkpoint's files.
const (
	RoleMemory = "memory" // the migration stream, the mapped-ram file or the copy of the memory file
	RoleState  = "state"  // the devices' state, beside a copy of the memory file
	RoleDisk   = "disk"   // qcow2: the whole disk, or what was written since Manifest.Parent
)

// The compressions of a file.
const (
	CompressionNone = "none"
	CompressionZstd = "zstd"
)

// A Manifest says what a checkpoint is and what its files hold.
type Manifest struct {
	Version     int         `json:"virtscope_checkpoint"` // ManifestFormat
	ID          string      `json:"id"`
	Guest       string      `json:"guest"`
	Created     time.Time   `json:"created"`
	Mode        string      `json:"mode"`             // stop or live
	Format      string      `json:"format"`           // one of guest's Format constants
	Compression string      `json:"compression"`      // none or zstd
	Load        string      `json:"load"`             // eager or on-demand: how its restore was asked for
	Parent      string      `json:"parent,omitempty"` // the checkpoint whose disk the incremental disk goes on from; "" is a full disk, or none
	Files       []File      `json:"files"`
	Spec        Fingerprint `json:"spec"`
	Sum         Sum         `json:"sha256"` // of this manifest as it is written, with a Sum of zeros
}

// A File is one of a checkpoint's files, as it lies on disk.
type File struct {
	Name        string `json:"name"` // in the checkpoint's folder
	Role        string `json:"role"`
	Size        int64  `json:"size"` // B
	Raw         int64  `json:"raw"`  // B before compression
	Compression string `json:"compression"`
	Sum         Sum    `json:"sha256"` // of the whole file
	Chunk       int64  `json:"chunk"`  // B of each chunk but the last, which may be shorter
	Chunks      []Sum  `json:"chunks"` // SHA-256 of each
}

// A Fingerprint is what a guest must be like to be restored from a checkpoint.
type Fingerprint struct {
	Driver  string   `json:"driver"`
	Version string   `json:"version,omitempty"` // of the hypervisor that saved it, for the reader; "" is not known
	Machine string   `json:"machine,omitempty"` // "" is the driver's default
	Memory  int64    `json:"memory"`            // B
	VCPUs   int      `json:"vcpus"`
	Devices []string `json:"devices,omitempty"` // such as "disk qcow2 67108864"
}

// Role returns the file with a role, or false.
func (m *Manifest) Role(role string) (File, bool) {
	for _, f := range m.Files {
		if f.Role == role {
			return f, true
		}
	}
	return File{}, false
}

// Size is what all its files take, in B.
func (m *Manifest) Size() (sum int64) {
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// Raw is what all its files held before compression, in B.
func (m *Manifest) Raw() (sum int64) {
	for _, f := range m.Files {
		sum += f.Raw
	}
	return sum
}

// encode is the manifest's text, with its sum.
func (m *Manifest) encode() ([]byte, error) {
	sealed := *m
	text, err := sealed.unsealed()
	if err != nil {
		return nil, err
	}
	sealed.Sum = sha256.Sum256(text)
	return json.MarshalIndent(&sealed, "", " ")
}

// unsealed is what the manifest's sum is of.
func (m *Manifest) unsealed() ([]byte, error) {
	bare := *m
	bare.Sum = Sum{}
	return json.Marshal(&bare)
}

// ReadManifest reads a manifest and checks that it is whole, was not changed, and names nothing outside its folder.
func ReadManifest(r io.Reader) (*Manifest, error) {
	text, err := io.ReadAll(io.LimitReader(r, manifestMost+1))
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if len(text) > manifestMost {
		return nil, fmt.Errorf("read manifest: longer than %d B: it is none", manifestMost)
	}
	m := &Manifest{}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(m); err != nil {
		return nil, fmt.Errorf("read manifest: %w: it is damaged, or of another version of virtscope", err)
	}
	if m.Version != ManifestFormat {
		return nil, fmt.Errorf("read manifest: it has format %d, want %d: use the virtscope that wrote it", m.Version, ManifestFormat)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	// One text alone says this, so a change of any byte is found, also of one that no field holds.
	again, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if !bytes.Equal(again, text) {
		return nil, errors.New("read manifest: it does not hold what was written (SHA-256): it is damaged: use another checkpoint")
	}
	return m, nil
}

// validName is what a checkpoint and its files may be called: one element of a path, and nothing hidden.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

func checkName(what, name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%s %q is no name: want letters, digits, dots, dashes and underlines, up to 128", what, name)
	}
	return nil
}

// check looks at what the manifest says, not at the files.
func (m *Manifest) check() error {
	errs := []error{checkName("checkpoint", m.ID), checkName("guest", m.Guest)}
	if m.Parent != "" {
		errs = append(errs, checkName("parent", m.Parent))
	}
	if m.Parent == m.ID {
		errs = append(errs, fmt.Errorf("checkpoint %q is its own parent", m.ID))
	}
	if len(m.Files) == 0 {
		errs = append(errs, errors.New("it names no files"))
	}
	names, roles := map[string]bool{manifestName: true}, map[string]bool{}
	for _, f := range m.Files {
		if names[f.Name] || roles[f.Role] {
			errs = append(errs, fmt.Errorf("file %q (%s) is named twice", f.Name, f.Role))
		}
		names[f.Name], roles[f.Role] = true, true
		errs = append(errs, f.check())
	}
	return errors.Join(errs...)
}

func (f File) check() error {
	if err := checkName("file", f.Name); err != nil {
		return err
	}
	switch {
	case f.Role != RoleMemory && f.Role != RoleState && f.Role != RoleDisk:
		return fmt.Errorf("file %q has role %q: want memory, state or disk", f.Name, f.Role)
	case f.Compression != CompressionNone && f.Compression != CompressionZstd:
		return fmt.Errorf("file %q has compression %q: want none or zstd", f.Name, f.Compression)
	case f.Size < 0 || f.Raw < 0 || f.Compression == CompressionNone && f.Raw != f.Size:
		return fmt.Errorf("file %q has a size of %d B and %d B before compression (%s)", f.Name, f.Size, f.Raw, f.Compression)
	case f.Chunk < 1 || f.chunks() != int64(len(f.Chunks)):
		return fmt.Errorf("file %q has %d hashes of chunks of %d B for %d B", f.Name, len(f.Chunks), f.Chunk, f.Size)
	}
	return nil
}

// chunks is how many chunks a file of its size has.
func (f File) chunks() int64 {
	n := f.Size / f.Chunk
	if f.Size%f.Chunk > 0 {
		n++
	}
	return n
}
