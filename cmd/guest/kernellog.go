package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// A logLine is a record of the kernel's log (Documentation/ABI/testing/dev-kmsg).
type logLine struct {
	seq   uint64
	stamp int64 // ns of the kernel's local_clock, in whole µs
	text  string
}

// parseLogLine reads "priority,sequence,µs,flags[,…];text\n", and leaves out the lines of keys and values that may follow.
func parseLogLine(record []byte) (logLine, error) {
	line, _, _ := bytes.Cut(record, []byte{'\n'})
	head, text, found := strings.Cut(string(line), ";")
	fields := strings.Split(head, ",")
	if !found || len(fields) < 4 {
		return logLine{}, fmt.Errorf("parse kernel log %q: want priority,sequence,microseconds,flags;text", line)
	}
	seq, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return logLine{}, fmt.Errorf("parse sequence of kernel log %q: %w", line, err)
	}
	us, err := strconv.ParseUint(fields[2], 10, 63)
	if err != nil {
		return logLine{}, fmt.Errorf("parse time of kernel log %q: %w", line, err)
	}
	const most = 1 << 53 // µs: 285 years
	if us > most {
		return logLine{}, fmt.Errorf("parse time of kernel log %q: too late", line)
	}
	return logLine{seq, int64(us) * 1000, text}, nil
}

// A kernelLog is what the kernel's log says of its own start. Times are CLOCK_MONOTONIC in ns; nil is not known.
type kernelLog struct {
	first, end *int64
	endLine    string
	bound      int64 // ns: by how much the clocks' comparison may be off
}

// kernelLogFile is the kernel's log, one record a read.
const kernelLogFile = "/dev/kmsg"

// readKernelLog reads the log from its first line on, and compares its clock with CLOCK_MONOTONIC.
func readKernelLog() (kernelLog, error) {
	fd, err := syscall.Open(kernelLogFile, syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return kernelLog{}, fmt.Errorf("open kernel log: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	marks, err := writeMarks(func(line []byte) error { _, err := syscall.Write(fd, line); return err })
	if err != nil {
		return kernelLog{}, err
	}
	// A record with its keys has at most CONSOLE_EXT_LOG_MAX bytes, 8 KiB.
	buf := make([]byte, 8<<10)
	return digestLog(marks, func() ([]byte, error) {
		for {
			n, err := syscall.Read(fd, buf)
			switch {
			case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.EPIPE): // EPIPE: records were overwritten; the next has a higher number
			case errors.Is(err, syscall.EAGAIN):
				return nil, nil
			case err != nil:
				return nil, fmt.Errorf("read kernel log: %w", err)
			default:
				return buf[:n], nil
			}
		}
	})
}

// A clockMark is a line of our own in the kernel's log, and when it was written.
type clockMark struct {
	text          string
	before, after int64 // ns, CLOCK_MONOTONIC
}

// marksWritten is how often the clocks are compared: the closest comparison counts.
const marksWritten = 5

// writeMarks writes lines of priority debug, which no console shows.
func writeMarks(write func([]byte) error) ([]clockMark, error) {
	marks := make([]clockMark, marksWritten)
	for i := range marks {
		m := &marks[i]
		m.text = fmt.Sprintf("virtscope-guest: clock mark %d of %d", i, mono())
		line := []byte("<15>" + m.text)
		m.before = mono()
		if err := write(line); err != nil {
			return nil, fmt.Errorf("write to kernel log: %w", err)
		}
		m.after = mono()
	}
	return marks, nil
}

// digestLog reads records until read gives none. It is an error if no mark is among them: the clocks are then not known to agree.
func digestLog(marks []clockMark, read func() ([]byte, error)) (kernelLog, error) {
	var (
		log        kernelLog
		firstLine  *logLine
		endOfStart *logLine
		offset     int64
		compared   bool
	)
	for {
		record, err := read()
		if err != nil {
			return log, err
		}
		if record == nil {
			break
		}
		line, err := parseLogLine(record)
		if err != nil {
			return log, err
		}
		if line.seq == 0 {
			firstLine = &line
		}
		if endOfStart == nil && runsInit(line.text) {
			endOfStart = &line
		}
		for _, m := range marks {
			if m.text != line.text {
				continue
			}
			// The stamp is cut to µs: it was taken from stamp to stamp + 999 ns, between before and after.
			const cut = 1000
			low, high := m.before-line.stamp-cut, m.after-line.stamp
			if bound := (high - low + 1) / 2; !compared || bound < log.bound {
				offset, log.bound, compared = low+(high-low)/2, bound, true
			}
		}
	}
	if !compared {
		return kernelLog{}, errors.New("compare clocks: what was written to the kernel's log is not in it")
	}
	if firstLine != nil && firstLine.stamp > 0 {
		log.first = new(firstLine.stamp + offset)
	}
	if endOfStart != nil {
		log.end, log.endLine = new(endOfStart.stamp+offset), endOfStart.text
	}
	return log, nil
}

// runsInit reports whether a line of the kernel says that it runs init (run_init_process in init/main.c).
func runsInit(text string) bool {
	return strings.HasPrefix(text, "Run /") && strings.HasSuffix(text, " as init process")
}
