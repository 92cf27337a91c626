package checkpoint

import (
	"errors"
	"fmt"
)

// Prune keeps the newest so many checkpoints, at least 1, and those that their disks go on from, and removes the others. It returns what it removed, also with an error. What is in use stays and is no error; what cannot be read
// stays and counts for nothing: it may be a user's only copy.
func (c *Catalogue) Prune(keep int) (removed []string, err error) {
	if keep < 1 {
		return nil, fmt.Errorf("prune checkpoints: want to keep at least 1, got %d", keep)
	}
	list, err := c.List()
	if err != nil {
		return nil, fmt.Errorf("prune checkpoints: %w", err)
	}
	parents := map[string]string{}
	var readable []string // the oldest first
	for _, e := range list {
		if e.Err == nil {
			readable = append(readable, e.ID)
			parents[e.ID] = e.Manifest.Parent
		}
	}
	needed := map[string]bool{}
	for _, id := range readable[max(0, len(readable)-keep):] {
		for ; id != "" && !needed[id]; id = parents[id] {
			needed[id] = true
		}
	}
	// Children before what they go on from: a kill in between leaves no chain without its begin.
	var errs []error
	left := childrenOf(parents)
	for i := len(readable) - 1; i >= 0; i-- {
		id := readable[i]
		if needed[id] || left[id] > 0 {
			continue
		}
		err := c.remove(id)
		if errors.Is(err, ErrInUse) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, id)
		left[parents[id]]--
	}
	return removed, errors.Join(errs...)
}

// childrenOf counts how many go on from each.
func childrenOf(parents map[string]string) map[string]int {
	n := map[string]int{}
	for _, parent := range parents {
		n[parent]++
	}
	return n
}
