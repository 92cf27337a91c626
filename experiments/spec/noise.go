package spec

// Noise is how much may go on at the machine while a trial is measured. A trial above a limit is named in the report with the reason; it
// stays in all figures, unless action says otherwise.
type Noise struct {
	// Steal is the share of the CPUs' time that this machine's own hypervisor may give to others. Default: 0.01.
	Steal float64 `yaml:"steal" json:"steal" jsonschema:"minimum=0,maximum=1"`
	// Others is the share of the CPUs' time that anything else than virtscope and what it started may use. Default: 0.1.
	Others float64 `yaml:"others" json:"others" jsonschema:"minimum=0,maximum=1"`
	// PSICPU is the share of the time in which some task may wait for a CPU. The experiment's own tasks wait, too: set it where they
	// should not. Default: 1 (no limit).
	PSICPU float64 `yaml:"psi-cpu" json:"psi-cpu" jsonschema:"minimum=0,maximum=1"`
	// PSIIO is the share of the time in which all tasks may wait for a disk; likewise. Default: 1 (no limit).
	PSIIO float64 `yaml:"psi-io" json:"psi-io" jsonschema:"minimum=0,maximum=1"`
	// PSIMemory is the share of the time in which some task may wait for memory. Default: 0.01.
	PSIMemory float64 `yaml:"psi-memory" json:"psi-memory" jsonschema:"minimum=0,maximum=1"`
	// Outliers is how many robust standard deviations a trial's noise may lie above the median of its treatment; 0 compares no trials.
	// Default: 3.5.
	Outliers float64 `yaml:"outliers" json:"outliers" jsonschema:"minimum=0,maximum=1000"`
	// Action on a completed trial that is above one of the limits: flag names it; invalid makes it invalid, so that it is run again as retries
	// allow. A trial that is only an outlier is named in either case. Default: flag.
	Action string `yaml:"action" json:"action" jsonschema:"enum=flag,enum=invalid"`
}

// DefaultNoise is the limits with every default filled in.
func DefaultNoise() Noise {
	return Noise{Steal: 0.01, Others: 0.1, PSICPU: 1, PSIIO: 1, PSIMemory: 0.01, Outliers: 3.5, Action: "flag"}
}
