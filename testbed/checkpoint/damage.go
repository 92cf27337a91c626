package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"virtscope/results"
)

// The kinds of damage.
const (
	DamageTruncate = "truncate" // the second half of the memory's file is cut off
	DamageFlip     = "flip"     // one bit in its middle is another
)

// Damage damages a checkpoint's memory on purpose, and records CheckpointDamaged.
func (v *Vault) Damage(ctx context.Context, id, kind string, rec results.Recorder) error {
	at, err := v.find(id)
	if err != nil {
		return err
	}
	m, err := at.c.Get(id)
	if err != nil {
		return err
	}
	f, ok := m.Role(RoleMemory)
	if !ok || f.Size == 0 || ctx.Err() != nil {
		return fmt.Errorf("damage checkpoint %s: %w", id, errors.Join(ctx.Err(), errors.New("it has no memory")))
	}
	path := at.c.Path(id, f.Name)
	if err := damage(path, kind, f.Size/2); err != nil {
		return fmt.Errorf("damage checkpoint %s: %w", id, err)
	}
	v.record(rec, results.CheckpointDamaged, id, map[string]string{
		"kind": kind, "file": f.Name, "offset": strconv.FormatInt(f.Size/2, 10),
	})
	return nil
}

func damage(path, kind string, offset int64) (err error) {
	if err := os.Chmod(path, 0o644); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Chmod(0o444), f.Close()) }()
	switch kind {
	case DamageTruncate:
		return f.Truncate(offset)
	case DamageFlip:
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, offset); err != nil {
			return err
		}
		b[0] ^= 1
		_, err := f.WriteAt(b, offset)
		return err
	}
	return fmt.Errorf("kind %q: want %s or %s", kind, DamageTruncate, DamageFlip)
}
