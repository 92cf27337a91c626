package main

import "testing"

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		version string
		want    bool
	}{
		{"10.0.2 (Debian 1:10.0.2+ds-2)", true}, {"8.2.0", true}, {"8.1.5", false}, {"7.2.22 (Debian 1:7.2)", false}, {"9.0", true}, {"", false}, {"unknown", false},
	} {
		if got := atLeast(c.version, 8, 2); got != c.want {
			t.Errorf("%q: %v", c.version, got)
		}
	}
}
