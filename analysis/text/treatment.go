package text

// Treatment names a treatment in a table; that of an experiment without factors has no name of its own.
func Treatment(name string) string {
	if name == "" {
		return "all trials"
	}
	return name
}
