package results

// MoreOf says that a run has more trials of some treatments of another.
type MoreOf struct {
	Run  string   `json:"run"`            // the first, which has the whole experiment
	Look int      `json:"look"`           // from 2: which look at its treatments this one makes possible
	Only []string `json:"only,omitempty"` // treatments; none of them is all
}
