package compare

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"virtscope/results"
)

func TestUnlikeKnowsSeveralValuesOfAFact(t *testing.T) {
	of := func(versions ...string) results.Manifest {
		m := results.Manifest{Facts: []results.Fact{{Subject: "link", Name: "emulator.delay.mean", Value: fmt.Sprint(rand.Float64())}}}
		for _, v := range versions {
			m.Facts = append(m.Facts, results.Fact{Subject: "machine", Name: "qemu.version", Value: v})
		}
		return m
	}
	if got := Unlike(of("7", "10"), of("10", "7")); got != nil {
		t.Errorf("the same two hypervisors: %q", got)
	}
	for _, c := range []struct {
		base, head results.Manifest
		want       string
	}{
		{of("7", "10"), of("10"), "machine qemu.version is 10 or 7, and 10"},
		{of(), of("10"), "machine qemu.version is not known of base, and 10"},
		{of("10"), of(), "machine qemu.version is 10, and not known of head"},
	} {
		if got := Unlike(c.base, c.head); len(got) != 1 || got[0] != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
