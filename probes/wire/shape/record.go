package shape

import (
	"fmt"
	"slices"
	"strconv"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// emit records a value. Attrs are names and values in turn; an empty value leaves its name out.
func (i *Inference) emit(at tcp.Stamp, name string, value float64, u results.Unit, attrs ...string) {
	m := make(map[string]string, len(attrs)/2+1)
	for k := 0; k+1 < len(attrs); k += 2 {
		if attrs[k+1] != "" {
			m[attrs[k]] = attrs[k+1]
		}
	}
	if i.conf.Stream != "" {
		m["stream"] = i.conf.Stream
	}
	i.rec.Record(results.Record{Time: at.Time, Host: i.conf.Host, Source: results.SourceWire, Name: name, Value: value, Unit: u, Attrs: m})
}

// End infers and records. At is where the capture, or what is of interest in it, ends; no consumer gets anything after it.
func (i *Inference) End(at tcp.Stamp) {
	if i.ended {
		return
	}
	i.ended = true
	if !i.begun {
		i.begin, i.last = at, at
	}
	i.tellMigration()
	o := i.infer()
	for _, s := range o.stages {
		i.emit(s.at, results.WireStage, 0, results.Event, "stage", s.name, "inferred", "true", "from", s.from, "provided", s.provided,
			"earliest", strconv.FormatInt(s.bounds.earliest.Time, 10), "latest", strconv.FormatInt(s.bounds.latest.Time, 10))
	}
	i.tellVolumes(o.stages)
	for _, g := range i.gaps.told() {
		periodic := ""
		if g.periodic && i.gaps.limited() {
			periodic = "true"
		}
		i.emit(g.from, results.WireGap, float64(g.length())/1e9, results.Seconds, "periodic", periodic)
	}
	if i.conf.Encrypted {
		i.tellPlaintext(o)
	}
	for _, u := range o.untold {
		i.emit(i.last, results.WireUntold, 0, results.Event, "what", u[0], "detail", u[1])
	}
	i.tellEnd()
}

func (i *Inference) tellMigration() {
	format, start, version := "unknown", "", ""
	if i.conf.Encrypted {
		format, start = "tls", "header"
		if i.middle() {
			start = "middle"
		}
		version = i.version()
	}
	client, server := "", ""
	if i.conf.Client.IsValid() {
		client, server = i.conf.Client.String(), i.conf.Server.String()
	}
	limited := ""
	if i.gaps.limited() {
		limited = "true"
	}
	i.emit(i.begin, results.WireMigration, 0, results.Event, "format", format, "start", start, "tls", version, "limited", limited,
		"client", client, "server", server)
}

// version is TLS's, empty if no server said it.
func (i *Inference) version() string {
	for _, s := range i.reverse {
		if h := s.records.hello; h != nil && h.version >= 0x0300 && h.version <= 0x0304 {
			return fmt.Sprintf("1.%d", h.version-0x0301)
		}
	}
	return ""
}

func (i *Inference) tellEnd() {
	how, at := string(tcp.Cut), i.last
	for _, s := range i.forward {
		if s.how != "" && s.end.Time >= at.Time {
			at = s.end
		}
	}
	for _, s := range i.forward { // one that was cut or reset makes the whole so
		if s.how == tcp.Fin && how == string(tcp.Cut) {
			how = string(tcp.Fin)
		}
	}
	for _, s := range i.forward {
		if s.how != tcp.Fin {
			how = string(s.how)
		}
	}
	if how == "" {
		how = string(tcp.Cut)
	}
	i.emit(at, results.WireMigrationEnd, 0, results.Event, "how", how)
}

// follows says which stage must begin where another ends, for the bytes between to be those of the one alone.
var follows = map[string][]string{
	results.StageSetup:    {results.StagePreCopy},
	results.StagePreCopy:  {results.StageStopCopy},
	results.StageStopCopy: {results.StageSwitchOver, results.StagePostCopy},
}

// tellVolumes records how much passed in each stage whose both ends are known.
func (i *Inference) tellVolumes(stages []stage) {
	for k := range stages {
		s := stages[k]
		if k+1 == len(stages) {
			continue
		}
		next := stages[k+1]
		if s.name == results.StagePostCopy {
			next = stages[len(stages)-1] // the guest runs from its begin on; memory is sent until the end
		} else if !slices.Contains(follows[s.name], next.name) {
			continue
		}
		least, most := i.volume.within(s.bounds, next.bounds)
		a, _ := i.volume.until(s.at.Time)
		b, _ := i.volume.until(next.at.Time)
		if next.at == i.last {
			b = i.volume.total
		}
		guess := min(max(b-a, least), most)
		i.emit(s.at, results.WireStageBytes, float64(guess), results.Bytes, "stage", s.name, "inferred", "true",
			"least", strconv.FormatInt(least, 10), "most", strconv.FormatInt(most, 10))
	}
}

// tellPlaintext records how much TLS carried.
func (i *Inference) tellPlaintext(o *outcome) {
	var guess, least, most int64
	cipher := ""
	for k, s := range i.forward {
		r := &s.records
		if r.missed {
			o.omit("record headers are missing", "plaintext")
			return
		}
		h := &hello{}
		if k < len(i.reverse) && i.reverse[k].records.hello != nil {
			h = i.reverse[k].records.hello
		}
		a, b, c := r.plaintext(h)
		guess, least, most = guess+a, least+b, most+c
		if h.suite != 0 {
			cipher = fmt.Sprintf("0x%04x", h.suite)
		}
	}
	i.emit(i.last, results.WirePlaintext, float64(guess), results.Bytes, "inferred", "true", "cipher", cipher,
		"least", strconv.FormatInt(least, 10), "most", strconv.FormatInt(most, 10))
}
