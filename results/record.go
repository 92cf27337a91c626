package results

// A Record is one line of a trial's log: an event (Unit "") or a sample.
//
// Records are the raw data of a run. Everything that virtscope reports is derived from them and can be
// derived again.
type Record struct {
	Time   int64             `json:"t"`           // ns since the Unix epoch, on Host's clock
	Host   string            `json:"h"`           // whose clock stamped Time
	Source string            `json:"s"`           // who observed it, one of the Source constants
	Name   string            `json:"n"`           // what was observed, one of the names of vocabulary.go
	Value  float64           `json:"v,omitempty"` // in Unit; meaningless for an event that does not define it
	Unit   Unit              `json:"u,omitempty"` // base units only; "" for an event
	Attrs  map[string]string `json:"a,omitempty"`
}

// A Unit is a base unit: virtscope records no kilo, milli or percent.
type Unit string

// The units that a Record may carry.
const (
	Event          Unit = "" // something happened; Value is set only where the name says so
	Seconds        Unit = "s"
	Bytes          Unit = "B"
	BytesPerSecond Unit = "B/s"
	One            Unit = "1" // a count or a ratio
	Joules         Unit = "J"
	Watts          Unit = "W"
	Hertz          Unit = "Hz"
)

// A Recorder takes records. Record never blocks; what a Recorder cannot keep it counts, and the trial
// says so. It is safe for concurrent use.
type Recorder interface{ Record(Record) }

// A RecorderFunc is a function used as a Recorder.
type RecorderFunc func(Record)

// Record calls f.
func (f RecorderFunc) Record(r Record) { f(r) }
