package spec

// Paper is a publication whose experiment this one repeats, and what it published.
type Paper struct {
	// Citation: authors, title, and where it appeared. Required.
	Citation string `yaml:"citation" json:"citation"`
	// DOI of it, such as 10.1145/1508293.1508301. Default: none.
	DOI string `yaml:"doi,omitempty" json:"doi,omitempty"`
	// URL where it can be read. Default: none.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// Year in which it appeared. Default: not said.
	Year int `yaml:"year,omitempty" json:"year,omitempty" jsonschema:"minimum=1950,maximum=2100"`
	// Changes of this experiment against the paper's: scale, hardware, hypervisor, workload. Default: none.
	Changes string `yaml:"changes,omitempty" json:"changes,omitempty"`
	// Published is what the paper says, each with what is compared with it: docs/papers.md has its keys. Default: nothing.
	Published []Published `yaml:"published,omitempty" json:"published,omitempty"`
}

// Published is one figure, or relation, of a paper.
type Published struct {
	// Name of what was published, in a few words. Required.
	Name string `yaml:"name" json:"name" jsonschema:"required"`
	// Kind: value (of a metric at where), each (the same of each treatment at where), ratio (the metric at where over that at against), change (that ratio less 1), share (the
	// metric at where over the amount that of names), spread (its largest median over its smallest, of the treatments at where), more
	// and less (it is more, or less, at where than at against), grows (its median rises from level to level of over, whatever the
	// other factors), none (nothing of this experiment is compared with it: it is told). Default: value.
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=value,enum=each,enum=ratio,enum=change,enum=share,enum=spread,enum=more,enum=less,enum=grows,enum=none"`
	// Metric of ours, as trials.csv names it, such as downtime. Required but for none.
	Metric string `yaml:"metric,omitempty" json:"metric,omitempty"`
	// Where: the level of each factor that it is compared at. One treatment, or, for each, spread and grows, those that have the levels.
	Where At `yaml:"where,omitempty" json:"where,omitempty"`
	// Against: the treatment that where is held against, in the same way. For ratio, change, more and less.
	Against At `yaml:"against,omitempty" json:"against,omitempty"`
	// Over is the factor of grows.
	Over string `yaml:"over,omitempty" json:"over,omitempty"`
	// Of is the path of an amount of data that share divides by, such as workload.working-set; in pages of 4 KiB where the metric counts pages.
	Of string `yaml:"of,omitempty" json:"of,omitempty"`
	// Value that was published, in unit.
	Value *float64 `yaml:"value,omitempty" json:"value,omitempty"`
	// Low end of what was published, in unit. Alone: at least so much.
	Low *float64 `yaml:"low,omitempty" json:"low,omitempty"`
	// High end of what was published, in unit. Alone: at most so much.
	High *float64 `yaml:"high,omitempty" json:"high,omitempty"`
	// Unit of value, low and high. Required with them.
	Unit string `yaml:"unit,omitempty" json:"unit,omitempty" jsonschema:"enum=1,enum=%,enum=s,enum=ms,enum=us,enum=min,enum=B,enum=kB,enum=MB,enum=GB,enum=KiB,enum=MiB,enum=GiB,enum=B/s,enum=MB/s,enum=MiB/s,enum=Mbit/s,enum=Gbit/s,enum=J,enum=W"`
	// Conditions under which it was measured.
	Conditions string `yaml:"conditions,omitempty" json:"conditions,omitempty"`
	// Source in the paper: abstract, table or figure. Required.
	Source string `yaml:"source" json:"source" jsonschema:"required"`
	// Recalled: it is from memory, and not checked against the text. Default: false.
	Recalled bool `yaml:"recalled,omitempty" json:"recalled,omitempty"`
	// Comparable: yes (the numbers are held against each other), in-trend (which way it goes is), no (both are told, none is judged). Required.
	Comparable string `yaml:"comparable" json:"comparable" jsonschema:"enum=yes,enum=in-trend,enum=no,required"`
	// Why it is not comparable, or in trend alone; or what limits a yes. Required but for yes.
	Why string `yaml:"why,omitempty" json:"why,omitempty"`
}

// At maps factors to levels, as the file writes them.
type At map[string]string

// publishedUnits are how many of a base unit (s, B, B/s, J, W, or 1) each unit is.
var publishedUnits = map[string]struct {
	factor float64
	base   string
}{
	"1": {1, "1"}, "%": {0.01, "1"},
	"s": {1, "s"}, "ms": {1e-3, "s"}, "us": {1e-6, "s"}, "min": {60, "s"},
	"B": {1, "B"}, "kB": {1e3, "B"}, "MB": {1e6, "B"}, "GB": {1e9, "B"}, "KiB": {1 << 10, "B"}, "MiB": {1 << 20, "B"}, "GiB": {1 << 30, "B"},
	"B/s": {1, "B/s"}, "MB/s": {1e6, "B/s"}, "MiB/s": {1 << 20, "B/s"}, "Mbit/s": {1e6 / 8, "B/s"}, "Gbit/s": {1e9 / 8, "B/s"},
	"J": {1, "J"}, "W": {1, "W"},
}

// Base is how many of its base unit (s, B, B/s, J, W, 1) p's unit is; 0 and "" without a unit.
func (p Published) Base() (factor float64, unit string) {
	u := publishedUnits[p.Unit]
	return u.factor, u.base
}

// publishedRule is what a kind of comparison reads; true is required too, but where.
type publishedRule struct {
	metric, against, over, of bool
	number                    bool // value, low and high are read
	many                      bool // where may name several treatments
	trend                     bool // it has a direction that can be compared without the number
	plain                     bool // the number has no unit but 1 and %
}

var publishedRules = map[string]publishedRule{
	"value":  {metric: true, number: true},
	"each":   {metric: true, number: true, many: true},
	"ratio":  {metric: true, number: true, against: true, trend: true, plain: true},
	"change": {metric: true, number: true, against: true, trend: true, plain: true},
	"share":  {metric: true, number: true, of: true, trend: true, plain: true},
	"spread": {metric: true, number: true, many: true, plain: true},
	"more":   {metric: true, against: true, trend: true},
	"less":   {metric: true, against: true, trend: true},
	"grows":  {metric: true, over: true, many: true, trend: true},
	"none":   {number: true},
}
