package main

import (
	"strconv"
	"syscall"
	"virtscope/testbed/guest/agent"
)

// markInit writes agent.ConsoleMark and the time to the console, in one piece, and returns the time: a reader at the host stamps
// the line's arrival by its own clock. Standard error is the console that the kernel opened for PID 1, if it could.
func markInit() int64 {
	now := mono()
	line := strconv.AppendInt([]byte(agent.ConsoleMark+" "), now, 10)
	line = append(line, '\n')
	if _, err := syscall.Write(syscall.Stderr, line); err != nil {
		if fd, err := syscall.Open("/dev/console", syscall.O_WRONLY|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0); err == nil {
			_, _ = syscall.Write(fd, line) // a guest without a console starts all the same
			_ = syscall.Close(fd)
		}
	}
	return now
}
