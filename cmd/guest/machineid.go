package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// machineIDFile is where a system with systemd keeps its ID, see machine-id(5). The built-in guest has none.
const machineIDFile = "/etc/machine-id"

func isMachineID(s string) bool {
	return len(s) == 32 && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
}

// readMachineID returns the ID, or empty where there is none.
func readMachineID(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read machine ID: %w", err)
	}
	id := strings.TrimSpace(string(data))
	if !isMachineID(id) {
		return "", nil // machine-id(5): an empty file and "uninitialized" are none
	}
	return id, nil
}

// setMachineID writes the ID to a file that is there. It is written in place: the file may be a mount of its own.
func setMachineID(file, id string) error { return overwrite(file, id+"\n") }

// forgetMachineID leaves the file empty, as an image that was made for many machines has it.
func forgetMachineID(file string) error { return overwrite(file, "") }

func overwrite(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write machine ID: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write machine ID: %w", err)
	}
	return nil
}
