package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// addressParam is the kernel's command line parameter that holds the guest's address as CIDR.
const addressParam = "virtscope.addr"

// nameParam is the parameter that holds the guest's host name.
const nameParam = "virtscope.name"

// oemStrings are the strings of the SMBIOS (type 11), where a guest that is booted by firmware is told what others find on the
// command line.
const oemStrings = "/sys/firmware/dmi/entries/11-*/raw"

// givenWords are the kernel's command line and the SMBIOS's strings.
func givenWords() (string, error) {
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return "", fmt.Errorf("read command line: %w", err)
	}
	words := string(cmdline)
	entries, _ := filepath.Glob(oemStrings) // the pattern is a constant
	for _, path := range entries {
		raw, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read strings of the SMBIOS: %w", err)
		}
		words += " " + strings.ReplaceAll(stringsOf(raw), "\x00", " ")
	}
	return words, nil
}

// stringsOf are the strings of a structure of the SMBIOS, each with its zero: they begin where the formatted area ends, whose
// length is its second byte (DSP0134, section 6.1).
func stringsOf(structure []byte) string {
	if len(structure) < 2 || int(structure[1]) > len(structure) {
		return ""
	}
	return string(structure[structure[1]:])
}

// givenAddress is the address that the guest was started with.
func givenAddress() (p netip.Prefix, ok bool, err error) {
	words, err := givenWords()
	if err != nil {
		return p, false, err
	}
	return addressOf(words)
}

// calmParam is the word that asks for a calm rhythm.
const calmParam = "virtscope.calm"

// givenRhythm is the ticker's that the guest was started with.
func givenRhythm() (rhythm, error) {
	words, err := givenWords()
	if err != nil {
		return rhythm{}, err
	}
	if slices.Contains(strings.Fields(words), calmParam) {
		return calm, nil
	}
	return watchful, nil
}

// takeName gives the guest the host name that it was started with, if there is one.
func takeName() error {
	words, err := givenWords()
	if err != nil {
		return err
	}
	name := nameOf(words)
	if name == "" {
		return nil
	}
	if err := syscall.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("take host name %s: %w", name, err)
	}
	return nil
}

// nameOf returns the name among words; the last one counts.
func nameOf(words string) (name string) {
	for word := range strings.FieldsSeq(words) {
		if value, found := strings.CutPrefix(word, nameParam+"="); found {
			name = value
		}
	}
	return name
}

// addressOf returns the address on the command line; ok is false if there is none.
func addressOf(cmdline string) (p netip.Prefix, ok bool, err error) {
	for word := range strings.FieldsSeq(cmdline) {
		value, found := strings.CutPrefix(word, addressParam+"=")
		if !found {
			continue
		}
		p, err = netip.ParsePrefix(value)
		if err != nil {
			return p, false, fmt.Errorf("parse %s: %w", word, err)
		}
		if !p.Addr().Is4() {
			return p, false, fmt.Errorf("parse %s: want an IPv4 address with a prefix length, such as 10.77.0.10/24", word)
		}
		ok = true // the last one counts, as with the kernel's own parameters
	}
	return p, ok, nil
}
