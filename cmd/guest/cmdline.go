package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// addressParam is the kernel's command line parameter that holds the guest's address as CIDR.
const addressParam = "virtscope.addr"

// givenAddress is the address on the kernel's own command line.
func givenAddress() (p netip.Prefix, ok bool, err error) {
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return p, false, fmt.Errorf("read command line: %w", err)
	}
	return addressOf(string(cmdline))
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
