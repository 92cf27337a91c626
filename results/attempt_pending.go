package results

// Pending is how many records wait to be written. Who makes records faster than a disk takes them waits until there are few.
func (a *Attempt) Pending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.pending)
}
