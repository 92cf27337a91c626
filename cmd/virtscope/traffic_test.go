package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"virtscope/experiments/spec"
	"virtscope/testbed/traffic"
)

// TestCrossTrafficIsAccepted: the rates that an experiment may ask for are those that can be sent.
func TestCrossTrafficIsAccepted(t *testing.T) {
	const text = "virtscope: 1\nname: t\naction: {migrate: {}}\ntestbed: {cross-traffic: {kind: %s, rate: %s, flows: %d, direction: %s}}\n"
	sent := func(e *spec.Experiment) bool {
		for _, c := range crossTraffic(*e.Testbed.CrossTraffic, nil, nil, func(string) netip.Addr { return netip.Addr{} }) {
			_, err := traffic.Start(t.Context(), c, nil) // without hosts: it says what else is wrong
			if err == nil {
				t.Fatal("traffic flows without hosts")
			}
			if strings.Contains(err.Error(), "rate") {
				return false
			}
		}
		return true
	}
	accepted := 0
	for _, kind := range []string{traffic.UDP, traffic.TCP} {
		for _, direction := range []string{"forward", "both"} {
			for _, flows := range []int{1, 64, 256} {
				for _, rate := range []string{"1kB/s", "3kB/s", "5973B/s", "5974B/s", "11946B/s", "11947B/s", "1000GB/s", "1001GB/s"} {
					e, err := spec.Parse("t", fmt.Appendf(nil, text, kind, rate, flows, direction))
					if err != nil {
						continue
					}
					accepted++
					if !sent(e) {
						t.Errorf("%s, %s, %d flows, %s is accepted and cannot be sent", kind, rate, flows, direction)
					}
				}
			}
		}
	}
	if accepted == 0 {
		t.Error("all are refused")
	}
}
