package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Inspect returns the format, Raw or QCOW2, and the size (B, as a guest sees it) of a user's image. It refuses other formats, and a
// qcow2 that lies over another image or is encrypted: give it whole. What is no known format counts as raw, as it does for QEMU. It needs qemu-img.
func Inspect(path string) (format string, size int64, err error) {
	format, size, err = inspect(path)
	if err != nil {
		return "", 0, fmt.Errorf("look into image %s: %w", path, err)
	}
	return format, size, nil
}

// inspectLimit is how long qemu-img may take to read a header.
const inspectLimit = 30 * time.Second

func inspect(path string) (string, int64, error) {
	path, err := filepath.Abs(path) // qemu-img would take a prefix such as nbd: for a protocol
	if err != nil {
		return "", 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, errors.New("it is no file")
	}
	tool, err := findImg()
	if err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), inspectLimit)
	defer cancel()
	var said strings.Builder
	cmd := exec.CommandContext(ctx, tool, "info", "--force-share", "--output=json", path)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", 0, fmt.Errorf("run %s info: %w: %s", qemuImg, err, strings.TrimSpace(said.String()))
	}
	return parseInfo(out)
}

// parseInfo reads what qemu-img info prints (ImageInfo, block-core.json).
func parseInfo(text []byte) (string, int64, error) {
	var info struct {
		Format    *string `json:"format"`
		Size      *int64  `json:"virtual-size"`
		Backing   string  `json:"backing-filename"`
		Encrypted bool    `json:"encrypted"`
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return "", 0, fmt.Errorf("read what %s says: %w", qemuImg, err)
	}
	switch {
	case info.Format == nil || info.Size == nil:
		return "", 0, fmt.Errorf("read what %s says: format or virtual-size is missing", qemuImg)
	case *info.Format != Raw && *info.Format != QCOW2:
		return "", 0, fmt.Errorf("its format is %s: convert it with `qemu-img convert -O qcow2`", *info.Format)
	case info.Backing != "":
		return "", 0, fmt.Errorf("it lies over %s: make it whole with `qemu-img convert -O qcow2`", info.Backing)
	case info.Encrypted:
		return "", 0, errors.New("it is encrypted: convert it to an image that is not")
	case *info.Size <= 0:
		return "", 0, fmt.Errorf("its size is %d B", *info.Size)
	}
	return *info.Format, *info.Size, nil
}
