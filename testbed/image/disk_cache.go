package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// PrepareDisk is MakeDisk by way of a cache: the image is made once in dir, which is made if missing, and copied to path
// each time, so that what a trial writes to its disk never reaches the cache. Concurrent callers and a kill at any time are
// safe. Images in the cache are never removed.
func PrepareDisk(ctx context.Context, dir, path string, size int64, filled float64, format string, seed uint64) error {
	if err := checkDisk(size, filled, format); err != nil {
		return fmt.Errorf("prepare disk %s: %w", path, err)
	}
	if filledBytes(size, filled) == 0 {
		return MakeDisk(ctx, path, size, filled, format, seed) // there is nothing to keep
	}
	cached := filepath.Join(dir, diskName(size, filled, format, seed))
	if _, err := os.Stat(cached); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make disk cache: %w", err)
		}
		if err := MakeDisk(ctx, cached, size, filled, format, seed); err != nil {
			return err
		}
		if err := os.Chmod(cached, 0o444); err != nil {
			return fmt.Errorf("protect disk in the cache: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("look into disk cache: %w", err)
	}
	return CopyDisk(ctx, cached, path)
}

// diskName is the name of a disk's content in the cache.
func diskName(size int64, filled float64, format string, seed uint64) string {
	content := strings.Join([]string{
		"1", // the generation of diskSource: raise it when what is made changes
		strconv.FormatInt(size, 10), strconv.FormatInt(filledBytes(size, filled), 10), format, strconv.FormatUint(seed, 10),
	}, " ")
	sum := sha256.Sum256([]byte(content))
	return "disk-" + hex.EncodeToString(sum[:8]) + "." + format
}
