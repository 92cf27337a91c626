package results

// LeftOut are the trials that the journal says were not needed, with the reason. One that began later is none.
func (r *Run) LeftOut() (map[string]string, error) {
	entries, err := r.Entries()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, e := range entries {
		switch e.Event {
		case TrialSkip:
			out[e.Trial] = e.Reason
		case TrialBegin:
			delete(out, e.Trial)
		}
	}
	return out, nil
}
