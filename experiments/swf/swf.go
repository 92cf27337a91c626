// Package swf reads job traces in the Standard Workload Format, version 2.2, of Feitelson's Parallel Workloads Archive: one job a
// line with 18 numbers, comments behind a semicolon, -1 for what is not known.
package swf

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Job is what virtscope takes of a line.
type Job struct {
	Number     int           // field 1, from 1
	Submit     time.Duration // field 2: from the trace's begin
	Run        time.Duration // field 4: the time that it ran; 0 where it is not known or was too short to be counted
	Processors int           // field 5, or 8 (requested) where that is not known; 0 where neither is
	// Memory in B of all its processors: field 7 (used, KiB a processor), or 10 (requested) where that is not known; 0 where neither is.
	Memory int64
	Queue  int // field 15; -1 where it is not known
}

const (
	fields  = 18
	maxLine = 4096 // B
	// MaxJobs is the most that Parse takes.
	MaxJobs = 1_000_000
	maxTime = 1e9 // s, 31 years
)

// The fields that are read, counted from 0.
const (
	number = iota
	submit
	_
	run
	allocated
	_
	used
	requested
	_
	requestedMemory
	queue = 14
)

// An Error is what is wrong with a trace, in words that begin with what would be accepted.
type Error struct {
	Line int // from 1; 0 is the trace as a whole
	Want string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return "want " + e.Want
	}
	return fmt.Sprintf("want %s; line %d has not", e.Want, e.Line)
}

// Parse reads a trace whose jobs are in the order of their submit times. The error is an *Error, or r's.
func Parse(r io.Reader) ([]Job, error) {
	var jobs []Job
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), ";")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		job, want := parse(words)
		switch {
		case want != "":
			return nil, &Error{n, want}
		case len(jobs) > 0 && job.Submit < jobs[len(jobs)-1].Submit:
			return nil, &Error{n, "jobs in the order of their submit times (field 2)"}
		case len(jobs) == MaxJobs:
			return nil, &Error{n, fmt.Sprintf("at most %d jobs", MaxJobs)}
		}
		jobs = append(jobs, job)
	}
	switch err := lines.Err(); {
	case err == bufio.ErrTooLong: //nolint:errorlint // Scanner gives it as it is
		return nil, &Error{n + 1, fmt.Sprintf("lines of less than %d B", maxLine)}
	case err != nil:
		return nil, err
	case len(jobs) == 0:
		return nil, &Error{0, "at least one job: a line of 18 numbers in the Standard Workload Format"}
	}
	return jobs, nil
}

// parse reads a line's words, or says what would be accepted.
func parse(words []string) (job Job, want string) {
	if len(words) != fields {
		return Job{}, fmt.Sprintf("%d numbers a line, as the Standard Workload Format has", fields)
	}
	var v [fields]float64
	for i, w := range words {
		x, err := strconv.ParseFloat(w, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return Job{}, fmt.Sprintf("a number in field %d", i+1)
		}
		v[i] = x
	}
	for _, f := range []struct {
		at          int
		least, most float64
	}{
		{number, 1, math.MaxInt32},
		{submit, 0, maxTime},
		{run, -1, maxTime},
		{allocated, -1, 1e7},
		{used, -1, 1e12},
		{requested, -1, 1e7},
		{requestedMemory, -1, 1e12},
		{queue, -1, math.MaxInt32},
	} {
		if v[f.at] < f.least || v[f.at] > f.most {
			return Job{}, fmt.Sprintf("a number from %g to %g in field %d", f.least, f.most, f.at+1)
		}
	}
	job = Job{
		Number: int(v[number]), Submit: seconds(v[submit]), Run: max(0, seconds(v[run])), Queue: int(v[queue]),
		Processors: int(max(0, known(v[allocated], v[requested]))),
	}
	kib := max(0, known(v[used], v[requestedMemory])) * 1024 * float64(max(1, job.Processors))
	if kib > 1<<60 {
		return Job{}, "less memory (fields 7 and 10, KiB a processor)"
	}
	job.Memory = int64(kib)
	return job, ""
}

// known is x, or y where x is not known: a job runs on no fewer than one processor, and holds some memory.
func known(x, y float64) float64 {
	if x > 0 {
		return x
	}
	return y
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// Format writes jobs such that Parse gives them back, with -1 for every field that a Job does not hold. Memory is rounded up to KiB a
// processor.
func Format(jobs []Job) string {
	var b strings.Builder
	for _, j := range jobs {
		processors, memory := int64(-1), int64(-1)
		if j.Processors > 0 {
			processors = int64(j.Processors)
		}
		if j.Memory > 0 {
			unit := 1024 * max(1, processors)
			memory = (j.Memory + unit - 1) / unit
		}
		fmt.Fprintf(&b, "%d %s -1 %s %d -1 %d -1 -1 -1 -1 -1 -1 -1 %d -1 -1 -1\n",
			j.Number, decimal(j.Submit), decimal(j.Run), processors, memory, j.Queue)
	}
	return b.String()
}

// decimal is d in s, as short as it can be read back.
func decimal(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
