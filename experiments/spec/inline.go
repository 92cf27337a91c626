package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"virtscope/experiments/swf"
)

// MaxJobs is the most jobs that an action takes, so that the text of all fits into a file (of 1 MiB: 104 B each).
const MaxJobs = 10_000

// List are j's jobs in order, with times scaled: the first of those whose run time is known and above 0, since there is nothing
// else to serve. The error says what would be accepted.
func (j Jobs) List() ([]swf.Job, error) {
	all, err := j.all()
	if err != nil {
		return nil, err
	}
	list := all[:0]
	for _, job := range all {
		if job.Run > 0 {
			list = append(list, job)
		}
	}
	switch {
	case len(list) == 0:
		return nil, &quantityError{want: "at least one job whose run time (field 4) is known and above 0"}
	case j.First > len(list):
		return nil, &quantityError{want: fmt.Sprintf("at most %d in action.jobs.first: the trace has no more that ran", len(list))}
	case j.First > 0:
		list = list[:j.First]
	}
	if len(list) > MaxJobs {
		return nil, &quantityError{want: fmt.Sprintf("at most %d jobs, or so many in action.jobs.first; the trace has %d that ran", MaxJobs, len(list))}
	}
	for i := range list {
		list[i].Submit, list[i].Run = j.scaled(list[i].Submit), max(1, j.scaled(list[i].Run))
	}
	return list, nil
}

// all are the jobs of the trace.
func (j Jobs) all() ([]swf.Job, error) {
	if j.Trace == "small" {
		return swf.Small()
	}
	if namesFile(j.Trace) {
		return nil, &quantityError{want: "small, or a file in the Standard Workload Format; a factor's level cannot name a file"}
	}
	return swf.Parse(strings.NewReader(strings.ReplaceAll(j.Trace, jobSeparator, "\n")))
}

// scaled is d times the time scale. A job that would not run at all runs for a nanosecond.
func (j Jobs) scaled(d time.Duration) time.Duration { return capped(float64(d) * j.TimeScale) }

// inline puts the content of the files that e's traces name in place of their names, so that e needs them no more. What it takes
// of a file is written as a file of virtscope's own would be.
func (l *loader) inline(e *Experiment, root *node) {
	if b := e.Action.Boot; b != nil && namesFile(b.Trace) {
		l.replace(root, "action.boot.trace", &b.Trace, func(text string) (string, error) {
			times, err := ParseArrivals(text)
			return FormatArrivals(times), err
		})
	}
	if j := e.Action.Jobs; j != nil && j.Trace != "small" && namesFile(j.Trace) {
		l.replace(root, "action.jobs.trace", &j.Trace, func(text string) (string, error) { return takeJobs(text, j.First) })
	}
}

// jobSeparator stands between jobs in the language, where a text has one line.
const jobSeparator = ","

// namesFile reports whether the text of a trace is a file's name: a trace itself begins with a digit.
func namesFile(text string) bool { return text != "" && (text[0] < '0' || text[0] > '9') }

// takeJobs are the jobs of a file that ran, and of them the first so many, if that is not 0.
func takeJobs(text string, first int) (string, error) {
	all, err := swf.Parse(strings.NewReader(text))
	if err != nil {
		return "", err
	}
	list := all[:0]
	for _, job := range all {
		if job.Run > 0 && (first == 0 || len(list) < first) {
			list = append(list, job)
		}
	}
	if len(list) == 0 {
		return "", &quantityError{want: "at least one job whose run time (field 4) is known and above 0"}
	}
	if len(list) > MaxJobs {
		return "", &quantityError{want: fmt.Sprintf("at most %d jobs that ran, or so many in action.jobs.first; there are %d", MaxJobs, len(list))}
	}
	return formatJobs(list), nil
}

// formatJobs is the text of a trace in the language.
func formatJobs(list []swf.Job) string {
	return strings.ReplaceAll(strings.TrimSpace(swf.Format(list)), "\n", jobSeparator+" ")
}

// replace reads the file that the value at path names, relative to the file that says so.
func (l *loader) replace(root *node, path string, value *string, take func(string) (string, error)) {
	n := root.find(path)
	if n == nil || l.d.bad[path] {
		return
	}
	name := l.relative(n.file, n.text)
	data, err := l.read(name)
	if err == nil && Bytes(len(data)) > maxTrace {
		err = errors.New("it is larger than " + maxTrace.String())
	}
	if err != nil {
		l.d.fail(n, path, "want a trace, or a file with one, relative to this one: "+err.Error())
		return
	}
	text, err := take(string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	if err != nil {
		l.d.fail(n, path, fmt.Sprintf("%v (%s)", err, name))
		return
	}
	*value = text
	sum := sha256.Sum256(data)
	l.sources = append(l.sources, Source{Path: name, SHA256: hex.EncodeToString(sum[:])})
}

// maxTrace is the most that a file with a trace may have: the archive's logs are a few MB.
const maxTrace Bytes = 64 << 20
