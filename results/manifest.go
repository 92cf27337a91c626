package results

import "time"

// ManifestFormat is the version of a run folder's layout.
const ManifestFormat = 1

// A Manifest says what reproduces a run.
type Manifest struct {
	Format   int       `json:"format"`
	Run      string    `json:"run"`   // the run's id: its folder's name
	Short    string    `json:"short"` // 8 hex digits that namespaces and runtime folders of the run carry
	Name     string    `json:"name"`  // the experiment's
	Question string    `json:"question,omitempty"`
	Created  time.Time `json:"created"`
	Tool     Tool      `json:"tool"`
	SpecHash string    `json:"spec_sha256"` // of experiment.yaml in the run folder
	Sources  []Source  `json:"sources,omitempty"`
	Seed     uint64    `json:"seed"`
	MoreOf   *MoreOf   `json:"more_of,omitempty"` // nil: the whole experiment
	Factors  []Factor  `json:"factors,omitempty"`
	Stop     *StopRule `json:"stop_when,omitempty"`
	Facts    []Fact    `json:"facts"` // about the machine and its tools, when the run began
}

// A Tool is the program that made a run.
type Tool struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source; "+dirty" when it was changed
	Go       string `json:"go"`
}

// A Source is a file that the experiment was read from.
type Source struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// A Factor is what varies, with its levels in the experiment's order.
type Factor struct {
	Path   string   `json:"path"`
	Levels []string `json:"levels"`
}
