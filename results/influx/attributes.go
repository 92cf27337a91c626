package influx

import (
	"strconv"
	"virtscope/results"
)

// nanoseconds is the unit of times that attributes hold; no record's value is in it.
const nanoseconds results.Unit = "ns"

// unitNames end the name of a field that is in a unit.
var unitNames = map[results.Unit]string{
	results.Seconds:        "seconds",
	results.Bytes:          "bytes",
	results.BytesPerSecond: "bytes_per_second",
	results.One:            "number",
	results.Joules:         "joules",
	results.Watts:          "watts",
	results.Hertz:          "hertz",
	nanoseconds:            "nanoseconds",
}

// A form is how the value of an attribute is kept.
type form int

const (
	asText  form = iota // a field of text
	asTag               // a tag: it tells streams of one name apart, a dashboard groups by it, and the experiment bounds its values
	asWhole             // a field, a whole number
	asFloat             // a field, a number
)

// An attribute is what the schema says of an attribute, whatever the record. One that is not known is text.
type attribute struct {
	form form
	unit results.Unit // of a number
}

// attributes of the vocabulary. Numbers that identify (a process, a checkpoint, a job) are fields, since nothing bounds how many there are. A name
// that has two units in two records is text, so that no field's name says a wrong one.
var attributes = map[string]attribute{
	"action":          {form: asTag},
	"cause":           {form: asTag},
	"channel":         {form: asTag},
	"dir":             {form: asTag},
	"direction":       {form: asTag},
	"domain":          {form: asTag},
	"flow":            {form: asTag},
	results.AttrGuest: {form: asTag},
	"interface":       {form: asTag},
	"kind":            {form: asTag},
	"link":            {form: asTag},
	"mode":            {form: asTag},
	"of":              {form: asTag},
	"outcome":         {form: asTag},
	"port":            {form: asTag},
	"process":         {form: asTag},
	"resource":        {form: asTag},
	"stage":           {form: asTag},
	"stat":            {form: asTag},
	"state":           {form: asTag},
	"status":          {form: asTag},
	"test":            {form: asTag},
	"thread":          {form: asTag},
	"trigger":         {form: asTag},

	"attempts":    {asWhole, results.One},
	"bytes":       {asWhole, results.Bytes},
	"conflicts":   {asWhole, results.One},
	"connections": {asWhole, results.One},
	"count":       {asWhole, results.One},
	"duplicate":   {asWhole, results.One},
	"earliest":    {asWhole, nanoseconds},
	"frames":      {asWhole, results.One},
	"latest":      {asWhole, nanoseconds},
	"least":       {asWhole, results.Bytes},
	"malformed":   {asWhole, results.One},
	"maximum":     {asWhole, results.Bytes},
	"memory":      {asWhole, results.Bytes},
	"minimum":     {asWhole, results.Bytes},
	"mono":        {asWhole, nanoseconds},
	"most":        {asWhole, results.Bytes},
	"ms":          {asWhole, results.One},
	"n":           {asWhole, results.One},
	"offset":      {asWhole, results.Bytes},
	"packet":      {asWhole, results.One},
	"page":        {asWhole, results.Bytes},
	"pass":        {asWhole, results.One},
	"pid":         {asWhole, results.One},
	"preferred":   {asWhole, results.Bytes},
	"raw":         {asWhole, results.Bytes},
	"round":       {asWhole, results.One},
	"seq":         {asWhole, results.One},
	"shared":      {asWhole, results.Bytes},
	"skipped":     {asWhole, results.Bytes},
	"stream":      {asWhole, results.One},
	"tid":         {asWhole, results.One},

	"activating": {asFloat, results.Seconds},
	"bin":        {asFloat, results.Seconds},
	"bound":      {asFloat, results.Seconds},
	"buffer":     {asFloat, results.Seconds},
	"duration":   {asFloat, results.Seconds},
	"interval":   {asFloat, results.Seconds},
	"max":        {asFloat, results.Seconds},
	"p50":        {asFloat, results.Seconds},
	"p99":        {asFloat, results.Seconds},
	"played":     {asFloat, results.Seconds},
	"rtt":        {asFloat, results.Seconds},
	"runtime":    {asFloat, results.Seconds},
	"silent":     {asFloat, results.Seconds},
	"threshold":  {asFloat, results.Seconds},
	"worked":     {asFloat, results.Seconds},

	"address":                   {},
	"algorithm":                 {},
	"answer":                    {},
	"arrivals":                  {},
	"asked":                     {}, // B or 1
	"atleast":                   {},
	"block":                     {},
	"by":                        {},
	"cancel":                    {},
	"checkpoint":                {},
	"cipher":                    {},
	"client":                    {},
	"command":                   {},
	"compression":               {},
	"counts":                    {},
	"detail":                    {},
	"device":                    {},
	"disk":                      {},
	"docked":                    {},
	"error":                     {},
	"evidence":                  {},
	"export":                    {},
	"false":                     {},
	"file":                      {},
	"first":                     {}, // a page or B
	"format":                    {},
	"fresh":                     {},
	"from":                      {},
	"guests":                    {},
	"handshake":                 {},
	"histogram":                 {},
	"host":                      {}, // the record's own host is the tag of that name
	"how":                       {},
	"inferred":                  {},
	"instance":                  {},
	"job":                       {},
	results.AttrKillDestination: {},
	"late":                      {}, // s or 1
	"limited":                   {},
	"load":                      {},
	"mac":                       {},
	"machine":                   {},
	"method":                    {},
	"multifd":                   {},
	"name":                      {},
	"next":                      {},
	"on":                        {},
	"open":                      {},
	"period":                    {}, // a number, or s
	"periodic":                  {},
	"postcopy":                  {},
	"provided":                  {},
	"queue":                     {},
	"rate":                      {}, // 1/s or B/s
	"replies":                   {},
	"server":                    {},
	"start":                     {},
	"text":                      {},
	"tls":                       {},
	"to":                        {},
	"uncounted":                 {},
	"unit":                      {},
	"value":                     {},
	"version":                   {},
	"what":                      {},
	"why":                       {},
	"work":                      {},
	"after":                     {},
	"restore":                   {},
	"restart":                   {},
	"ready":                     {},
	"preempt":                   {},
	"keep-alive":                {},
	"keep":                      {},
	"hosts":                     {},
	"failures":                  {},
	"failure":                   {},
	"every":                     {},
	"detect-after":              {},
	"detect":                    {},
	"damage":                    {},
	"concurrency":               {},
	"cap":                       {},
}

// numberFields are the attributes that are numbers, by the name of their field.
var numberFields = func() map[string]string {
	m := map[string]string{}
	for name, a := range attributes {
		if a.form == asWhole || a.form == asFloat {
			m[numberField(name, a)] = name
		}
	}
	return m
}()

func numberField(name string, a attribute) string {
	return attributePrefix + name + "_" + unitNames[a.unit]
}

// attributePrefix begins the fields of attributes, and keeps them apart from all others.
const attributePrefix = "attr_"

// appendNumber appends the number that a text is, if it is written as virtscope writes one: then the number says all that the text does.
func appendNumber(dst []byte, a attribute, text string) (out []byte, ok bool) {
	n := len(dst)
	switch a.form {
	case asWhole:
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return dst, false
		}
		dst = strconv.AppendInt(dst, v, 10)
	case asFloat:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v-v != 0 { // no form for what is not finite
			return dst, false
		}
		dst = append(dst, formatFloat(v)...)
	default:
		return dst, false
	}
	if string(dst[n:]) != text {
		return dst[:n], false
	}
	if a.form == asWhole {
		dst = append(dst, 'i')
	}
	return dst, true
}

// formatFloat is how virtscope writes a number into an attribute.
func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
